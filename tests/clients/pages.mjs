// A walk past every page of the issuer, with scripts off: each is examined (examine.mjs) and, for people who want to look, kept
// as a picture.
//
// Argument: a JSON object with the issuer's URL, the people and the apps. Prints {"titles": {name: title}, "faults": […]}.

import { Examiner } from './examine.mjs';
import { Person } from './person.mjs';
import { Visitor } from './visitor.mjs';

const given = JSON.parse(process.argv[2]);
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
  return visitor;
}

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
