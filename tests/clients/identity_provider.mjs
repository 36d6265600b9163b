// npm oidc-provider, a certified OpenID Provider, as the identity provider of another organization: a person signs in
// there at a real browser, and its ID token is exchanged at Wardgate.
//
// Arguments: a JSON object with what it needs. It prints the provider's issuer; reads a line once Wardgate trusts that and
// runs; prints what the exchanges came to.

import readline from 'node:readline';

import Provider from 'oidc-provider';
import * as client from 'openid-client';

import { Person } from './person.mjs';

const given = JSON.parse(process.argv[2]);

/** Where the provider's own app gets its codes; nothing listens there. */
const CALLBACK = 'https://partner.example/callback';

// The provider says there that its pages and keys are for development; standard output is for JSON.
console.info = console.warn = console.error;

const port = given.port;
const issuer = `http://localhost:${port}`;
const provider = new Provider(issuer, {
  clients: [{ client_id: 'partner-app', token_endpoint_auth_method: 'none', redirect_uris: [CALLBACK] }],
  // Its keys are made at start: none is anybody's secret.
  claims: { openid: ['sub'], email: ['email', 'email_verified'] },
  conformIdTokenClaims: false,
  pkce: { required: () => true },
  async findAccount(_, id) {
    return { accountId: id, claims: async () => ({ sub: id, email: id, email_verified: !id.startsWith('unverified') }) };
  },
});
const server = provider.listen(port, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));

console.log(JSON.stringify({ issuer }));
const lines = readline.createInterface({ input: process.stdin });
await lines[Symbol.asyncIterator]().next();
lines.close();

/** The ID token of whoever signs in as `email`. */
async function idTokenOf(email) {
  const person = await Person.atBrowser(email, 'any password will do here');
  try {
    const config = await client.discovery(new URL(issuer), 'partner-app', undefined, client.None(), {
      execute: [client.allowInsecureRequests],
    });
    const pkceCodeVerifier = client.randomPKCECodeVerifier();
    const url = client.buildAuthorizationUrl(config, {
      redirect_uri: CALLBACK,
      scope: 'openid email',
      code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
    });
    const arrived = await person.go(url.href, CALLBACK);
    return (await client.authorizationCodeGrant(config, new URL(arrived.url), { pkceCodeVerifier })).id_token;
  } finally {
    await person.leave();
  }
}

/** The request of the documentation for JavaScript, and what came back. */
async function exchange(idToken) {
  const body = {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    audience: given.audience,
    requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    subject_token: idToken,
    subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
  };
  const answer = await fetch(`${given.wardgate}/auth/token`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: answer.status, body: await answer.json() };
}

try {
  const [known, unverified, unknown] = [
    await idTokenOf(given.email),
    await idTokenOf('unverified@clinic.example'),
    await idTokenOf('nobody@clinic.example'),
  ];
  const good = await exchange(known);
  const api = await fetch(given.api, { headers: { authorization: `Bearer ${good.body.access_token}` } });

  // The same by a form, through the library.
  const wardgate = await client.discovery(new URL(given.wardgate), given.client_id, undefined, client.None(), {
    execute: [client.allowInsecureRequests],
  });
  const byForm = await client.genericGrantRequest(wardgate, 'urn:ietf:params:oauth:grant-type:token-exchange', {
    subject_token: known,
    subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
    scope: 'patient/Patient.rs',
  });

  const changed = `${known.slice(0, -8)}AAAAAAAA`;
  console.log(
    JSON.stringify({
      members: Object.keys(good.body).sort(),
      issued_token_type: good.body.issued_token_type,
      api: api.status,
      form: { token_type: byForm.token_type, scope: byForm.scope },
      unverified: await exchange(unverified),
      unknown: await exchange(unknown),
      changed: await exchange(changed),
    }),
  );
} finally {
  server.close();
}
