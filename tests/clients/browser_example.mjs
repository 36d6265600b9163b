// The app of examples/browser, served by its own server, with a person at a real Chromium who presses its buttons.
//
// Arguments: a JSON object with what it needs. It prints where the app is; reads a line of JSON once the app is registered, with
// a `launch_url` that an EHR got for it; prints what the page said after each step.

import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';

import { Person } from './person.mjs';

const given = JSON.parse(process.argv[2]);
const folder = path.join(import.meta.dirname, '..', '..', 'examples', 'browser');
const settings = path.join(given.folder, 'settings.json');
fs.writeFileSync(settings, '{}');
const linesOf = (input) => readline.createInterface({ input })[Symbol.asyncIterator]();
const nextLine = async (lines) => (await lines.next()).value;
// Its server runs in this process, so that it ends with it; what it prints is read here.
const origin = await new Promise((resolve) => {
  const { log } = console;
  console.log = (line) => {
    console.log = log;
    resolve(line);
  };
  process.argv.splice(2, Infinity, '0', settings);
  import(path.join(folder, 'serve.mjs'));
});
const postLogoutRedirectUri = `${origin}/`;
// What the example's own settings leave to this machine.
const shown = JSON.parse(fs.readFileSync(path.join(folder, 'settings.json'), 'utf8'));
fs.writeFileSync(settings, JSON.stringify({ ...shown, ...given.settings, postLogoutRedirectUri }));
console.log(JSON.stringify({ launch_uri: `${origin}/launch`, redirect_uri: `${origin}/callback`, post_logout_redirect_uri: postLogoutRedirectUri, scope: shown.scope }));
const { launch_url: launchUrl } = JSON.parse(await nextLine(linesOf(process.stdin)));

const person = await Person.atBrowser(given.email, given.password);
try {
  const { page } = person;
  const grants = [];
  page.on('request', (request) => {
    if (request.url().endsWith('/oauth2/token')) grants.push(new URLSearchParams(request.postData()).get('grant_type'));
  });
  const said = () => page.locator('output').innerText();
  const isAtApp = async () => page.url() === postLogoutRedirectUri && /observations|Error/.test(await said()) && (await said());
  const press = async (name) => {
    await page.evaluate(() => (document.querySelector('output').textContent = ''));
    await page.getByRole('button', { name }).click();
  };
  const wait = () => page.waitForFunction(() => document.querySelector('output').textContent !== '').then(said);

  await page.goto(origin);
  await page.getByRole('button', { name: 'Sign in' }).click();
  const signedIn = await person.answer('allow', isAtApp);
  await press('Read again');
  const readAgain = await wait();
  await press('New tokens');
  const refreshed = await wait();
  const stored = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.waitForURL(`${origin}/`);
  await page.getByRole('button', { name: 'Sign in' }).waitFor();
  const signedOut = await wait();
  // An answer that this tab did not ask for.
  await page.goto(`${origin}/callback?code=stolen&state=guessed`);
  const uninvited = await wait();
  // The session has ended: whoever launches the app now signs in anew.
  await page.goto(launchUrl);
  await page.locator('[name="email"]').waitFor();
  const launched = await person.answer('allow', isAtApp);
  await page.goto(launchUrl.replace(/iss=[^&]*/, 'iss=https://elsewhere.example'));
  const misled = await wait();
  console.log(JSON.stringify({ signedIn, readAgain, refreshed, stored, signedOut, uninvited, launched, misled, grants }));
} finally {
  await person.leave();
}
process.exit();
