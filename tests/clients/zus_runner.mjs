// Runs the JavaScript of the token exchange's documentation, kept to the letter in seed/zus_*.js, in a real Chromium.
//
// Arguments: a JSON object with the issuer's URL, the audience and an ID token. It prints what the exchange was answered, and what
// the second snippet wrote to the console.
//
// Outside the snippets: addresses are replaced; `idToken`, and in the second `access_token`, are there before, as the text says. The page is one of
// the issuer's own, since the administrators' API lets no pages of other origins in.

import fs from 'node:fs';
import path from 'node:path';

import { Person } from './person.mjs';

const { issuer, audience, idToken } = JSON.parse(process.argv[2]);
const HOST = 'https://api.sandbox.zusapi.com';

function snippet(name) {
  const source = fs.readFileSync(path.join(import.meta.dirname, 'seed', name), 'utf8');
  return source.replaceAll(`"${HOST}/auth`, `"${issuer}/auth`).replaceAll(`"${HOST}"`, JSON.stringify(audience));
}

const person = await Person.atBrowser('', '');
try {
  const { page } = person;
  await page.goto(`${issuer}/docs`);
  // The first snippet leaves the token where nothing else sees it; it is read off the answer.
  const answered = page.waitForResponse((response) => response.url() === `${issuer}/auth/token`);
  await page.evaluate(`{ const idToken = ${JSON.stringify(idToken)}; ${snippet('zus_token_exchange.js')} }`);
  const exchange = await (await answered).json();
  const written = page.waitForEvent('console');
  await page.evaluate(`{ const access_token = ${JSON.stringify(exchange.access_token)}; ${snippet('zus_request.js')} }`);
  const [document] = (await written).args();
  console.log(JSON.stringify({ exchange, document: await document.jsonValue() }));
} finally {
  await person.leave();
}
