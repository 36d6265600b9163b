// Stories of people who sign in, told with a real Chromium and scripts off. On the way they are sent mail and short messages,
// which they read in the issuer's outbox of development, and time passes: the issuer's clock is in a file.
//
// Arguments: the story's name, and a JSON object with what it needs. Prints a line of JSON: what happened.

import assert from 'node:assert/strict';
import fs from 'node:fs';

import { Outbox } from './outbox.mjs';
import { Person } from './person.mjs';
import { Visitor, oneTimePassword } from './visitor.mjs';

const [story, given] = [process.argv[2], JSON.parse(process.argv[3])];

/** Seconds that have passed beyond what the machine's clock says. */
let passed = 0;

function pass(seconds) {
  passed += seconds;
  fs.writeFileSync(`${given.clock}.new`, String(passed));
  fs.renameSync(`${given.clock}.new`, given.clock);
}

/** A one-time password that was not used before: time moves on to the next step. */
function nextPassword(secret) {
  pass(30);
  return oneTimePassword(secret, Date.now() + passed * 1000);
}

const outbox = new Outbox(given.issuer);
const arrive = () => Visitor.arrive(browser, given.issuer);

const authorize = (more = {}) =>
  `/oauth2/authorize?${new URLSearchParams({
    response_type: 'code', client_id: given.app, redirect_uri: given.callback, scope: 'openid', state: 'state', nonce: 'nonce',
    code_challenge: given.challenge, code_challenge_method: 'S256', ...more,
  })}`;

/** Sets up an authenticator app on the page that offers it; gives its secret and the recovery codes. */
async function setUpApp(visitor) {
  await visitor.answer({}, '[value="totp"]');
  const secret = (await visitor.page.locator('.secret').innerText()).replaceAll(/\s/g, '');
  await visitor.answer({ code: nextPassword(secret) });
  const codes = await visitor.page.locator('.codes code').allInnerTexts();
  return { secret, codes };
}

/** Signs in as somebody who has a second factor; ends on the page that asks for it. */
async function signInToTheSecondStep(visitor, path = '/login?next=account') {
  await visitor.signIn(given, path);
  assert.equal(await visitor.heading(), 'Is it you?', await visitor.text());
}

async function isIn(visitor) {
  await visitor.open('/account');
  return (await visitor.heading()) === 'Your account';
}

/** Uses the link of the invitation, and gives a browser in which the invited person has set up an authenticator app. */
async function takeUpInvitation() {
  const visitor = await arrive();
  await visitor.open(await outbox.received(given.email, /(http\S+\/password\/\S+)/));
  await visitor.answer({ new_password: given.password });
  await visitor.signIn(given, authorize());
  const { secret, codes } = await setUpApp(visitor);
  return { visitor, secret, codes };
}

const stories = {
  async invitation() {
    const { visitor } = await takeUpInvitation();
    await visitor.press(visitor.page.locator('a.button'));
    const callback = await visitor.isSentTo(given.callback, () => visitor.answer({}, '[value="allow"]'));
    return { callback };
  },

  async telephone() {
    const { visitor } = await takeUpInvitation();
    await visitor.open('/account/factors');
    await visitor.answer({}, '[value="sms"]');
    await visitor.answer({ phone: given.phone });
    await visitor.answer({ code: await outbox.received(given.phone, /^(\d{6})/) });
    const listed = await visitor.text();
    const elsewhere = await arrive();
    await elsewhere.signIn(given, authorize());
    // What was used last is asked for first: the telephone.
    await elsewhere.answer({}, '[name="send"]');
    const first = await outbox.received(given.phone, /^(\d{6})/);
    await elsewhere.answer({ code: first === '000000' ? '111111' : '000000' });
    const wrong = await elsewhere.page.locator('[role="alert"]').innerText();
    await elsewhere.answer({ code: first });
    const callback = await elsewhere.isSentTo(given.callback, () => elsewhere.answer({}, '[value="allow"]'));
    return { listed, wrong, callback };
  },

  async recovery() {
    const { codes } = await takeUpInvitation();
    const elsewhere = await arrive();
    await signInToTheSecondStep(elsewhere);
    await elsewhere.follow('A recovery code');
    await elsewhere.answer({ code: codes[0] });
    const signedIn = await isIn(elsewhere);
    const third = await arrive();
    await signInToTheSecondStep(third);
    await third.follow('A recovery code');
    await third.answer({ code: codes[0] });
    return { signedIn, again: await third.page.locator('[role="alert"]').innerText(), inside: await isIn(third) };
  },

  /** Whether a second factor is asked for when somebody comes back after so many hours: the last was given at the first. */
  async remembered() {
    const { visitor, secret } = await takeUpInvitation();
    const asked = {};
    const comeBack = async (name) => {
      await visitor.signOut();
      await visitor.signIn(given, '/login?next=account');
      asked[name] = (await visitor.heading()) === 'Is it you?';
      if (asked[name]) await visitor.answer({ code: nextPassword(secret), remember: true });
      assert.ok(await isIn(visitor));
    };
    for (const [name, seconds] of given.visits) {
      pass(seconds);
      await comeBack(name);
    }
    return asked;
  },

  async forgotten() {
    const visitor = await arrive();
    await visitor.open('/login');
    await visitor.answer({ email: given.email });
    await visitor.follow('Forgot');
    await visitor.answer({ email: given.email });
    const answer = await visitor.text();
    const link = await outbox.received(given.email, /(http\S+\/password\/\S+)/);
    await visitor.open(link);
    await visitor.answer({ new_password: given.new_password });
    await visitor.signIn({ ...given, password: given.new_password }, '/login?next=account');
    const inside = await isIn(visitor);
    const other = await arrive();
    await other.signIn(given);
    const old = await other.page.locator('[role="alert"]').innerText();
    await other.open(link);
    await other.answer({ new_password: given.password }).catch(() => {});
    const again = await other.text();
    const stranger = await arrive();
    await stranger.open('/password/forgot');
    await stranger.answer({ email: 'nobody@clinic.example' });
    return { inside, old, again, alike: (await stranger.text()) === answer };
  },

  async console() {
    const visitor = await arrive();
    await visitor.signIn(given, '/login?next=admin');
    await visitor.answerOffer();
    await visitor.open('/admin/new-user');
    await visitor.answer({ email: given.newcomer, name: 'Rui Example', roleId: { label: 'Care Team User' } });
    await visitor.open('/admin/new-api-key');
    await visitor.answer({ name: 'EHR Integration', scope: 'system/*.rs' });
    const key = /zs_api_live_\w+/.exec(await visitor.text());
    const events = {};
    for (const action of ['user_creation', 'api_key_creation']) {
      await visitor.open('/admin/audit');
      await visitor.answer({ action });
      events[action] = await visitor.page.locator('tbody tr').allInnerTexts();
    }
    await visitor.open('/admin/users');
    await visitor.follow('Rui Example');
    const person = await visitor.text();
    const other = await arrive();
    await other.open('/admin');
    const stranger = await other.heading();
    return { key, events, person, stranger };
  },
};

const browser = await Person.launch();
try {
  console.log(JSON.stringify(await stories[story]()));
} finally {
  await browser.close();
}
