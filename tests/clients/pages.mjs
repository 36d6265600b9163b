// A walk past every page of the issuer, with scripts off: each is examined (examine.mjs) and, for people who want to look, kept
// as a picture.
//
// Argument: a JSON object with the issuer's URL, the people and the apps. Prints {"titles": {name: title}, "faults": […]}.

import { Examiner } from './examine.mjs';
import { Person } from './person.mjs';
import { organization } from './organization.mjs';
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
  /** Opens the first link to an address that begins with `path` and ends with `end`, and looks at what comes. */
  visitor.seeLinked = async (name, path, end = '') => {
    const link = visitor.page.locator(`main a[href^="${path}"]${end && `[href$="${end}"]`}`).first();
    await visitor.see(name, await link.getAttribute('href'));
  };
  /** Looks at pages below this one, each by the last part of its address. */
  visitor.seeBelow = async (name, ...parts) => {
    const { pathname } = new URL(visitor.page.url());
    for (const part of parts) await visitor.see(`${name}-${part}`, `${pathname}/${part}`);
    await visitor.open(pathname);
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
  await visitor.see('error-code', '/docs/errors/invalid_grant');
  await visitor.see('api-reference', '/docs');
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

/** An administrator in the console. */
async function arriveAtConsole() {
  const visitor = await arrive();
  await visitor.signIn(given.administrator, '/login?next=admin');
  await visitor.answerOffer();
  return visitor;
}

async function administering() {
  const visitor = await arriveAtConsole();
  await visitor.look('console');
  await visitor.see('console-new-user', '/admin/new-user');
  await visitor.answer({ email: 'somebody@clinic.example', name: 'Somebody', fhirUser: 'nobody' });
  await visitor.look('console-new-user-refused');
  for (const what of ['users', 'roles', 'organizations', 'sessions', 'clients', 'audit']) {
    await visitor.see(`console-${what}`, `/admin/${what}`);
  }
  await visitor.see('console-new-client', '/admin/new-client');
  await visitor.see('console-new-role', '/admin/new-role');
  await visitor.see('console-new-organization', '/admin/new-organization');
  await visitor.see('console-new-api-key', '/admin/new-api-key');
  await visitor.answer({ name: 'EHR Integration', scope: 'system/*.rs' });
  await visitor.look('console-api-key-made');
  await visitor.see('console-api-keys', '/admin/api-keys');
  await visitor.seeLinked('console-api-key', '/admin/api-keys/');
  await visitor.seeBelow('console-api-key', 'revoke');
  await visitor.answer({ overlap_seconds: '3600' });
  await visitor.look('console-api-key-rotated');
  await visitor.leave();
}

async function administeringPeople() {
  const visitor = await arriveAtConsole();
  await visitor.open(`/admin/users?person=${encodeURIComponent(given.invited.email)}`);
  await visitor.seeLinked('console-user', '/admin/users/user-');
  await visitor.seeBelow('console-user', 'change', 'invite', 'sign-out', 'reset-factors', 'deactivate');
  await visitor.open(`${visitor.page.url()}/deactivate`);
  await visitor.answer({});
  await visitor.look('console-user-deactivated');
  await visitor.seeBelow('console-user', 'reactivate');
  await visitor.open('/admin/new-role');
  await visitor.answer({ name: 'Night Shift', scope: 'openid patient/*.rs', secondFactor: 'required' });
  await visitor.look('console-role-made');
  await visitor.seeLinked('console-role-change', '/admin/roles/', '/change');
  await visitor.open('/admin/roles');
  await visitor.seeLinked('console-role-remove', '/admin/roles/', '/remove');
  for (const question of ['change', 'remove']) {
    await visitor.open('/admin/organizations');
    await visitor.seeLinked(`console-organization-${question}`, '/admin/organizations/', `/${question}`);
  }
  await visitor.open('/admin/sessions');
  await visitor.seeLinked('console-session-end', '/admin/sessions/', '/end');
  await visitor.leave();
}

async function administeringClients() {
  const visitor = await arriveAtConsole();
  await visitor.open('/admin/new-client');
  await visitor.answer({
    client_name: 'Ward Round', token_endpoint_auth_method: 'client_secret_basic', redirect_uris: given.callback, scope: 'openid patient/*.rs',
  });
  await visitor.look('console-client-registered');
  await visitor.follow('Go on');
  await visitor.look('console-client');
  await visitor.seeBelow('console-client', 'change', 'secret', 'remove');
  await visitor.leave();
}

/** An organization's identity provider is connected in the console, its people come by it and go, and then it is away. */
async function connecting() {
  const { port, secret, email } = given.provider;
  const provider = await organization(port, given.issuer, secret);
  const visitor = await arriveAtConsole();
  await visitor.see('console-new-connection', '/admin/new-connection');
  const settings = { name: 'Example Hospital', clientId: 'wardgate', clientSecret: secret, unknownPeople: 'create' };
  await visitor.answer({ ...settings, issuer: 'http://localhost:1', roleRules: 'groups=nurses' });
  await visitor.look('console-new-connection-refused');
  const roles = { defaultRoleId: { label: 'Care Team User' }, roleRules: 'groups=nurses:Care Team User' };
  await visitor.answer({ ...settings, ...roles, issuer: provider.issuer });
  await visitor.look('console-connection-made');
  const connection = new URL(visitor.page.url()).pathname;
  await visitor.answer({ domain: 'hospital.example' });
  await visitor.look('console-domain-added');
  await visitor.seeBelow('console-domain', 'override', 'remove');
  await visitor.follow('Answer for it yourself');
  await visitor.answer({});
  await visitor.look('console-domain');
  await visitor.open(connection);
  await visitor.seeBelow('console-connection', 'change', 'attest', 'unlink', 'remove');
  await visitor.open(`${connection}/attest`);
  await visitor.answer({});
  await visitor.seeBelow('console-connection', 'enable');
  await visitor.open(`${connection}/enable`);
  await visitor.answer({});
  await visitor.look('console-connection');
  await visitor.seeBelow('console-connection', 'disable');
  await visitor.see('console-connections', '/admin/connections');
  await visitor.see('console-explain-sign-in', `/admin/explain-sign-in?email=${encodeURIComponent(email)}`);
  await visitor.leave();
  await comingByTheProvider(provider, email);
}

async function comingByTheProvider(provider, email) {
  const visitor = await arrive();
  await visitor.open('/login');
  await visitor.answer({ email });
  await visitor.answer({ login: email, password: 'any will do there' });
  await visitor.answer({});
  await visitor.see('account-of-a-provider', '/account');
  await visitor.open(authorize('openid profile'));
  const arrived = await visitor.isSentTo(given.callback, () => visitor.answer({}, '[value="allow"]'));
  const tokens = await redeem(new URL(arrived).searchParams.get('code'));
  const back = { post_logout_redirect_uri: given.signed_out, id_token_hint: tokens.id_token };
  const signOut = `/oauth2/logout?${new URLSearchParams(back)}`;
  await visitor.see('sign-out-by-an-app-and-at-a-provider', signOut);
  await visitor.see('sign-out-at-a-provider', '/logout');
  // By the provider and back to the app: no policy of a page stands in the way.
  await visitor.open(signOut);
  await visitor.answer({});
  await visitor.isSentTo(given.signed_out, () => visitor.page.locator('button[name="logout"]').first().click());
  await visitor.leave();

  const later = await arrive();
  await later.open('/login');
  const sent = await later.isSentTo(provider.issuer, () => later.answer({ email }));
  provider.close();
  const { searchParams } = new URL(sent);
  const answer = { code: 'a code', state: searchParams.get('state'), iss: provider.issuer };
  await later.see('single-sign-on-away', `/login/sso/callback?${new URLSearchParams(answer)}`);
  await later.leave();
}

/** The app's tokens for a code of `authorize`. */
async function redeem(code) {
  const form = {
    grant_type: 'authorization_code', code, redirect_uri: given.callback, client_id: given.app,
    code_verifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
  };
  const answer = await fetch(new URL('/oauth2/token', given.issuer), { method: 'POST', body: new URLSearchParams(form) });
  return answer.json();
}

for (const part of [signingIn, allowing, choosing, comingInForTheFirstTime, forgetting, administering,
  administeringPeople, administeringClients, connecting]) {
  try {
    await part();
  } catch (error) {
    examiner.faults.push(`${part.name} stopped: ${error.message.split('\n')[0]} ${error.stack.split('\n').find((line) => line.includes('pages.mjs'))}`);
  }
}
console.log(JSON.stringify({ titles: examiner.titles, faults: examiner.faults }));
await browser.close();
