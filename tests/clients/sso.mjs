// npm oidc-provider, a certified OpenID Provider, twice: as the identity providers of two organizations whose people sign in
// at Wardgate, each in a real browser.
//
// Arguments: a JSON object with what it needs. It prints the providers' issuers; reads a line once Wardgate is connected with
// them; prints what became of each person.

import readline from 'node:readline';

import { organization } from './organization.mjs';
import { Person } from './person.mjs';

const given = JSON.parse(process.argv[2]);

const [one, other] = given.ports;
const organizations = [
  await organization(one, given.wardgate, given.secret),
  await organization(other, given.wardgate, given.secret),
];
console.log(JSON.stringify({ issuers: organizations.map(({ issuer }) => issuer) }));
const lines = readline.createInterface({ input: process.stdin });
await lines[Symbol.asyncIterator]().next();
lines.close();

/** The places that a person's browser comes to, in order, each once. */
function follow(person) {
  const places = [];
  person.page.on('framenavigated', (frame) => {
    const { origin } = new URL(frame.url());
    if (origin !== 'null' && places.at(-1) !== origin) places.push(origin);
  });
  return places;
}

/** Signs somebody in from this page; what they see in the end, and where they were on the way. */
async function signIn(email, password, page = '/login') {
  const person = await Person.atBrowser(email, password);
  const places = follow(person);
  await person.page.goto(`${given.wardgate}${page}`);
  const isOver = async () => {
    const url = person.page.url();
    if (url === `${given.wardgate}/`) return 'home';
    return (await person.page.locator('[role="alert"]').count()) ? 'refused' : false;
  };
  const outcome = await person.answer('allow', isOver);
  const text = await person.page.locator('main').innerText();
  return { person, seen: { outcome, places: [...places], text, title: await person.page.title() } };
}

/** The same, and the person leaves. */
async function visit(...who) {
  const { person, seen } = await signIn(...who);
  await person.leave();
  return seen;
}

/** Signs out here and at the provider; where the browser was, and what the provider asks the next time. */
async function signOut({ person }) {
  const places = follow(person);
  const { page } = person;
  await page.goto(`${given.wardgate}/logout`);
  await person.submit(page.locator('button', { hasText: 'Sign out' }));
  await person.submit(page.locator('button', { hasText: 'Sign out there too' }));
  await page.locator('button[value="yes"], button[name="logout"]').first().click();
  await page.waitForURL(`${given.wardgate}/logout**`);
  const text = await page.locator('main').innerText();
  await person.leave();
  return { places, text };
}

const password = given.password;
const first = await signIn(given.first, 'any password will do there');
console.log(
  JSON.stringify({
    first: first.seen,
    signedOut: await signOut(first),
    second: await visit(given.second, 'any password will do there'),
    local: await visit(given.local, password),
    emergency: await visit(given.emergency, password, '/login?local=1'),
    noEmergency: await visit(given.first, password, '/login?local=1'),
    unknown: await visit('nobody@clinic.example', 'any password will do there'),
    unverified: await visit('unverified@clinic.example', 'any password will do there'),
  }),
);
for (const { close } of organizations) close();
