// A developer at the API reference, with a keyboard and no mouse: signs in, tries a call, sees the answer. Scripts are on.
//
// Argument: a JSON object with the issuer's URL and who signs in. Prints a line of JSON: what they saw, and what is wrong with the page.

import assert from 'node:assert/strict';

import { Examiner } from './examine.mjs';
import { Person } from './person.mjs';
import { Visitor } from './visitor.mjs';

const given = JSON.parse(process.argv[2]);
const browser = await Person.launch();
const { page } = await Visitor.arrive(browser, given.issuer, { scripts: true });
const examiner = await Examiner.with(browser);
/** What the browser complained of: a policy that stops something, a script that fails. */
const complaints = [];
page.on('pageerror', (error) => complaints.push(error.message));
page.on('console', (message) => {
  // A refused call is told on the console too, and is no fault of the page.
  if (message.type() === 'error' && !message.text().includes('the server responded with a status')) complaints.push(message.text());
});

/** Goes on by Tab until what `selector` names has the focus. */
async function tabTo(selector) {
  for (let steps = 0; steps < 400; steps += 1) {
    if (await page.evaluate((wanted) => document.activeElement?.matches(wanted) ?? false, selector)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`no Tab leads to ${selector} at ${page.url()}`);
}

async function press(selector) {
  await tabTo(selector);
  await page.keyboard.press('Enter');
}

async function fillIn(fields) {
  for (const [name, value] of Object.entries(fields)) {
    await tabTo(`[name="${name}"]`);
    await page.keyboard.press('Control+A');
    await page.keyboard.type(value);
  }
  await Promise.all([page.waitForEvent('framenavigated'), page.keyboard.press('Enter')]);
  await page.waitForLoadState();
}

async function pressAndGo(selector) {
  await tabTo(selector);
  await Promise.all([page.waitForEvent('framenavigated'), page.keyboard.press('Enter')]);
  await page.waitForLoadState();
}

const said = () => page.locator('#who').innerText();

async function signIn() {
  await pressAndGo('#sign-in');
  await page.waitForURL((url) => url.pathname === '/login');
  await fillIn({ email: given.email });
  await fillIn({ password: given.password });
  if (await page.locator('button[value="later"]').count()) await pressAndGo('button[value="later"]');
  if (await page.locator('button[value="allow"]').count()) await pressAndGo('button[value="allow"]');
  await page.waitForFunction(() => document.querySelector('#who')?.textContent.startsWith('You are signed in.'));
}

/** Opens an operation, sends it as it stands, and gives what came. */
async function attempt(id, fields = {}) {
  await press(`#${id} > summary`);
  for (const [name, value] of Object.entries(fields)) {
    await tabTo(`#${id} [name="${name}"]`);
    await page.keyboard.press('Control+A');
    await page.keyboard.type(value);
  }
  await press(`#${id} button[type="submit"]`);
  await page.waitForFunction((name) => !document.querySelector(`#${name} .received`).hidden, id);
  const received = page.locator(`#${id} .received`);
  await tabTo(`#${id} .received`);
  return { outcome: await page.locator(`#${id} .outcome`).innerText(), received: await received.innerText() };
}

await page.goto(new URL('/docs#listRoles', given.issuer).href);
await page.waitForFunction(() => document.querySelector('#listRoles').open);
await page.goto(new URL('/docs', given.issuer).href);
const without = await attempt('listUsers');
assert.match(without.outcome, /^401 /, without.outcome);
await page.reload();

await signIn();
assert.equal(new URL(page.url()).search, '', 'neither code nor state stays in the address');
assert.equal(await page.evaluate(() => sessionStorage.length + localStorage.length), 0, 'nothing is kept');
const signedIn = await said();

const open = await attempt('getSmartConfiguration');
assert.match(open.outcome, /^200 /, open.outcome);
const found = await attempt('listUsers', { 'filter[email]': given.email });
assert.match(found.outcome, /^200 /, found.outcome);
const made = await attempt('createOrganization');
assert.match(made.outcome, /^201 /, made.outcome);
const again = await attempt('createRole', {});
await examiner.look(page, 'api-reference-tried');

await press('#forget');
const forgotten = await said();
// Somebody else's answer is not taken.
await page.goto(new URL('/docs?code=x&state=y&iss=z', given.issuer).href);
await page.waitForFunction(() => document.querySelector('#who').textContent.includes('not begun on this page'));

console.log(JSON.stringify({
  signedIn, forgotten, found: JSON.parse(found.received), made: JSON.parse(made.received), again: again.outcome,
  complaints, faults: examiner.faults,
}));
await browser.close();
