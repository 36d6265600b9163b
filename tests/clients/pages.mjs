// A walk past every page of the issuer, with scripts off: each is examined (examine.mjs) and, for people who want to look, kept
// as a picture.
//
// Argument: a JSON object with the issuer's URL, the people and the apps. Prints {"titles": {name: title}, "faults": […]}.

import { Examiner } from './examine.mjs';
import { Person } from './person.mjs';
import { Outbox } from './outbox.mjs';
import { Visitor, oneTimePassword } from './visitor.mjs';

const given = JSON.parse(process.argv[2]);
const PHONE = '+15550100123';
const browser = await Person.launch();
const examiner = await Examiner.with(browser);

/** Somebody with a browser of their own, who looks at pages. */
async function arrive() {
  const visitor = await Visitor.arrive(browser, given.issuer);
  visitor.look = (name) => examiner.look(visitor.page, name);
  /** Opens `path` and looks at what comes. */
  visitor.see = async (name, path) => {
    await visitor.open(path);
    await visitor.look(name);
  };
  /** Opens the first link to an address that begins with `path`, and looks at what comes. */
  visitor.seeLinked = async (name, path) => {
    const link = visitor.page.locator(`main a[href^="${path}"]`).first();
    await visitor.see(name, await link.getAttribute('href'));
  };
  return visitor;
}

const outbox = new Outbox(given.issuer);

const authorize = (scope, more = {}) =>
  `/oauth2/authorize?${new URLSearchParams({
    response_type: 'code', client_id: given.app, redirect_uri: given.callback, scope, state: 'state', nonce: 'nonce',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256', ...more,
  })}`;

async function signingIn() {
  const visitor = await arrive();
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
  const visitor = await arrive();
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
  const visitor = await arrive();
  await visitor.signIn(given.physician, authorize('openid launch/patient launch/encounter patient/*.rs'));
  await visitor.answerOffer();
  await visitor.look('select-patient');
  await visitor.answer({ name: 'a' });
  await visitor.look('select-patient-found');
  await visitor.answer({}, '[name="patient"]');
  await visitor.look('select-encounter');
  await visitor.leave();
}

async function comingInForTheFirstTime() {
  const visitor = await arrive();
  const link = await outbox.received(given.invited.email, /(http\S+\/password\/\S+)/);
  await visitor.see('invitation', link);
  await visitor.answer({ new_password: 'password' });
  await visitor.look('invitation-password-refused');
  await visitor.answer({ new_password: given.invited.password });
  await visitor.look('password-set');
  await visitor.see('link-used', link);
  await visitor.signIn(given.invited, '/login?next=account');
  await visitor.look('second-factor-offer');
  await visitor.answer({}, '[value="totp"]');
  await visitor.look('authenticator-app');
  const secret = await visitor.page.locator('.secret').innerText();
  await visitor.answer({ code: oneTimePassword(secret) });
  await visitor.look('recovery-codes');
  const elsewhere = await arrive();
  await elsewhere.signIn(given.invited);
  await elsewhere.look('second-factor');
  await elsewhere.answer({ code: '000000' });
  await elsewhere.look('second-factor-wrong');
  await elsewhere.follow('A recovery code');
  await elsewhere.look('second-factor-recovery-code');
  await elsewhere.leave();
  await managing(visitor);
}

/** The pages below `/account`, for somebody who has signed in and has a second factor. */
async function managing(visitor) {
  for (const page of ['password', 'factors', 'devices', 'sessions']) {
    await visitor.see(`account-${page}`, `/account/${page}`);
  }
  await visitor.see('passkey', '/login/mfa/enrol/passkey?next=account%2Ffactors');
  await visitor.see('telephone', '/login/mfa/enrol/sms?next=account%2Ffactors');
  await visitor.answer({ phone: '555 0100' });
  await visitor.look('telephone-refused');
  await visitor.answer({ phone: PHONE });
  await visitor.look('telephone-code');
  await visitor.answer({ code: await outbox.received(PHONE, /^(\d{6})/) });
  const elsewhere = await arrive();
  await elsewhere.signIn(given.invited);
  await elsewhere.look('second-factor-telephone');
  await elsewhere.answer({}, '[name="send"]');
  await elsewhere.look('second-factor-telephone-code');
  await elsewhere.leave();
  await visitor.see('account', '/account');
  await visitor.open(authorize('openid profile offline_access'));
  await visitor.isSentTo(given.callback, () => visitor.answer({}, '[value="allow"]'));
  await visitor.see('account-apps', '/account/apps');
  await visitor.leave();
}

async function forgetting() {
  const visitor = await arrive();
  await visitor.see('forgotten-password', '/password/forgot');
  await visitor.answer({ email: given.patient.email });
  await visitor.look('forgotten-password-answer');
  await visitor.see('single-sign-on-gone', '/login/sso/callback?state=unknown&code=unknown');
  await visitor.see('sign-in-local', '/login?local=1');
  await visitor.see('development-outbox', '/dev/outbox');
  await visitor.leave();
}

async function administering() {
  const visitor = await arrive();
  await visitor.signIn(given.administrator, '/login?next=admin');
  await visitor.answerOffer();
  await visitor.see('console', '/admin');
  await visitor.see('console-new-user', '/admin/new-user');
  await visitor.answer({ email: 'somebody@clinic.example', name: 'Somebody', fhirUser: 'nobody' });
  await visitor.look('console-new-user-refused');
  for (const what of ['users', 'roles', 'organizations', 'sessions', 'clients', 'audit']) {
    await visitor.see(`console-${what}`, `/admin/${what}`);
  }
  await visitor.open('/admin/users');
  await visitor.seeLinked('console-user', '/admin/users/user-');
  await visitor.seeLinked('console-user-change', `${new URL(visitor.page.url()).pathname}/change`);
  await visitor.open('/admin/clients');
  await visitor.seeLinked('console-client', '/admin/clients/');
  await visitor.seeLinked('console-client-change', `${new URL(visitor.page.url()).pathname}/change`);
  await visitor.see('console-new-client', '/admin/new-client');
  await visitor.see('console-new-role', '/admin/new-role');
  await visitor.see('console-new-organization', '/admin/new-organization');
  await visitor.see('console-new-api-key', '/admin/new-api-key');
  await visitor.answer({ name: 'EHR Integration', scope: 'system/*.rs' });
  await visitor.look('console-api-key-made');
  await visitor.see('console-api-keys', '/admin/api-keys');
  await visitor.seeLinked('console-api-key', '/admin/api-keys/');
  await visitor.seeLinked('console-api-key-revoke', `${new URL(visitor.page.url()).pathname}/revoke`);
  await visitor.leave();
}

for (const part of [signingIn, allowing, choosing, comingInForTheFirstTime, forgetting, administering]) {
  try {
    await part();
  } catch (error) {
    examiner.faults.push(`${part.name} stopped: ${error.message.split('\n')[0]} ${error.stack.split('\n').find((line) => line.includes('pages.mjs'))}`);
  }
}
console.log(JSON.stringify({ titles: examiner.titles, faults: examiner.faults }));
await browser.close();
