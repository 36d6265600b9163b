// A person with a passkey: Chromium with its virtual authenticator (WebAuthn section 11), in place of a telephone's.
//
// Argument: a JSON object with the issuer's URL, e-mail address and password, the URL of an authorization request, and the
// start of its callback. Prints a JSON object with what was seen and the callbacks.

import { Person } from './person.mjs';

const given = JSON.parse(process.argv[2]);
const at = (path) => new URL(path, given.issuer).href;
const person = await Person.atBrowser(given.email, given.password);
const { page } = person;

const devtools = await page.context().newCDPSession(page);
await devtools.send('WebAuthn.enable');
const { authenticatorId } = await devtools.send('WebAuthn.addVirtualAuthenticator', {
  options: {
    protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true,
    automaticPresenceSimulation: true,
  },
});
const verifies = (isUserVerified) => devtools.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified });
const credentials = async () => (await devtools.send('WebAuthn.getCredentials', { authenticatorId })).credentials;

/** Presses the button of the passkey's form; gives the address at which the browser is then. */
async function press(until) {
  await Promise.all([page.waitForURL(until), page.locator('form[data-passkey] button[type="submit"]').click()]);
  return page.url();
}

async function signOut() {
  await page.goto(at('/logout'));
  await page.locator('form button').click();
  await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
}

/** The way to the app from the page that shows now. */
async function toTheApp(before) {
  let arrived;
  page.on('request', function look(request) {
    if (!request.isNavigationRequest() || !request.url().startsWith(given.callback)) return;
    page.off('request', look);
    arrived = request.url();
  });
  await before();
  return await person.answer('allow', () => arrived);
}

const seen = {};

// A passkey is added. The first try fails, since the authenticator does not know the person; the page says so.
await page.goto(at('/login?next=account%2Ffactors'));
await person.answer('allow', () => page.url() === at('/account/factors'));
await page.locator('[name="kind"][value="passkey"]').click();
await page.waitForURL(at('/login/mfa/enrol/passkey?next=account%2Ffactors'));
await verifies(false);
await page.locator('form[data-passkey] button[type="submit"]').click();
const status = page.locator('[data-passkey-status]');
await page.waitForFunction(() => document.querySelector('[data-passkey-status]').textContent.includes('No passkey'));
seen.cancelled = await status.textContent();
seen.role = await status.getAttribute('role');
await verifies(true);
seen.suggested = await page.locator('#name').inputValue();
await page.locator('#name').fill('Made in a test');
// The browser is not to be remembered: it is asked for a second step below.
await page.locator('form[data-passkey] [name="remember"]').uncheck();
await page.locator('form[data-passkey] button[type="submit"]').click();
await page.getByRole('heading', { name: 'Your recovery codes' }).waitFor();
await page.locator('a.button').click();
await page.waitForURL(at('/account/factors'));
seen.added = page.url();
const [made] = await credentials();
seen.discoverable = made.isResidentCredential;
seen.relyingParty = made.rpId;
await signOut();

// It signs in without a password, on the way to an app.
seen.passwordless = await toTheApp(async () => {
  await page.goto(given.authorize);
  // The browser may have taken the offer in the e-mail field by itself.
  const button = page.locator('form[data-passkey] button[type="submit"]');
  await button.click({ timeout: 3000 }).catch(() => undefined);
});
await signOut();

// It is the second factor after the password. Nobody touches the authenticator before that.
const touched = (enabled) => devtools.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled });
await touched(false);
seen.second = await toTheApp(async () => {
  await page.goto(given.authorize);
  await page.locator('[name="email"]').fill(given.email);
  await person.submit(page.getByRole('button', { name: 'Continue' }));
  await page.locator('[name="password"]').fill(given.password);
  await person.submit(page.locator('form button[type="submit"]').first());
  await touched(true);
  seen.step = await page.title();
});

console.log(JSON.stringify(seen));
await person.leave();
