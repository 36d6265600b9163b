// A walk past every page of the issuer, with scripts off: each is examined (examine.mjs) and, for people who want to look, kept
// as a picture.
//
// Argument: a JSON object with the issuer's URL, the people and the apps. Prints {"titles": {name: title}, "faults": […]}.

import { Examiner } from './examine.mjs';
import { Person } from './person.mjs';

const given = JSON.parse(process.argv[2]);
const browser = await Person.launch();
const examiner = await Examiner.with(browser);

/** Somebody with a browser of their own, without scripts. */
class Visitor {
  static async arrive() {
    const context = await browser.newContext({ javaScriptEnabled: false });
    const page = await context.newPage();
    page.setDefaultTimeout(10_000);
    return new Visitor(page);
  }

  constructor(page) {
    this.page = page;
  }

  async open(path) {
    await this.page.goto(new URL(path, given.issuer).href);
  }

  /** Opens `path` and looks at what comes. */
  async see(name, path) {
    await this.open(path);
    await examiner.look(this.page, name);
  }

  /** Fills in the fields of the form that has a button `button` and presses it. */
  async answer(fields, button = 'button[type="submit"], button:not([type])') {
    const form = this.page.locator('form').filter({ has: this.page.locator(button) }).first();
    for (const [name, value] of Object.entries(fields)) await form.locator(`[name="${name}"]`).fill(value);
    await Promise.all([this.page.waitForEvent('framenavigated'), form.locator(button).first().click()]);
    await this.page.waitForLoadState();
  }

  async look(name) {
    await examiner.look(this.page, name);
  }

  async signIn({ email, password }, path = '/login') {
    await this.open(path);
    await this.answer({ email });
    await this.answer({ password });
    await this.answerOffer();
  }

  /** Says "not now" where a second factor is offered. */
  async answerOffer() {
    const later = 'button[value="later"]';
    if (await this.page.locator(later).count()) await this.answer({}, later);
  }

  async leave() {
    await this.page.context().close();
  }
}

const authorize = (scope, more = {}) =>
  `/oauth2/authorize?${new URLSearchParams({
    response_type: 'code', client_id: given.app, redirect_uri: given.callback, scope, state: 'state', nonce: 'nonce',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256', ...more,
  })}`;

async function signingIn() {
  const visitor = await Visitor.arrive();
  await visitor.see('front-page', '/');
  await visitor.see('sign-in', '/login');
  await visitor.answer({ email: given.patient.email });
  await visitor.look('sign-in-password');
  await visitor.answer({ password: 'wrong' });
  await visitor.look('sign-in-wrong');
  await visitor.answer({ password: given.patient.password });
  await visitor.answerOffer();
  await visitor.see('front-page-signed-in', '/');
  await visitor.see('sign-out', '/logout');
  await visitor.see('sign-out-by-an-app', '/oauth2/logout');
  await visitor.see('error', '/oauth2/authorize?client_id=unknown');
  await visitor.see('error-codes', '/docs/errors');
  await visitor.leave();
}

async function allowing() {
  const visitor = await Visitor.arrive();
  await visitor.open(authorize('openid profile launch/patient patient/*.rs offline_access'));
  await visitor.look('sign-in-for-an-app');
  await visitor.answer({ email: given.patient.email });
  await visitor.answer({ password: given.patient.password });
  await visitor.look('consent');
  await visitor.see('device', '/device');
  await visitor.answer({ user_code: given.user_code });
  await visitor.look('device-consent');
  await visitor.answer({}, '[value="allow"]');
  await visitor.look('device-done');
  await visitor.leave();
}

async function choosing() {
  const visitor = await Visitor.arrive();
  await visitor.signIn(given.physician, authorize('openid launch/patient launch/encounter patient/*.rs'));
  await visitor.look('select-patient');
  await visitor.answer({ name: 'a' });
  await visitor.look('select-patient-found');
  await visitor.answer({}, '[name="patient"]');
  await visitor.look('select-encounter');
  await visitor.leave();
}

for (const part of [signingIn, allowing, choosing]) {
  try {
    await part();
  } catch (error) {
    examiner.faults.push(`${part.name} stopped: ${error.message.split('\n')[0]} ${error.stack.split('\n').find((line) => line.includes('pages.mjs'))}`);
  }
}
console.log(JSON.stringify({ titles: examiner.titles, faults: examiner.faults }));
await browser.close();
