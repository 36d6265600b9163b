// Flows of npm openid-client, a certified relying party, with a person at a real browser.
//
// Arguments: the name of the flow, then a JSON object with what it needs. It prints a JSON object with what came of it; a
// flow whose client must be registered first prints what it is registered with before, and waits for a line.

import readline from 'node:readline';

import * as client from 'openid-client';
import { Person } from './person.mjs';

const [flow, text] = process.argv.slice(2);
const given = JSON.parse(text);

/** The client's configuration, discovered at the issuer. Loopback has no TLS. */
async function discovered(authentication = client.None(), metadata = {}) {
  return await client.discovery(new URL(given.issuer), given.client_id, metadata, authentication, {
    execute: [client.allowInsecureRequests],
  });
}

/** What every request for a code has, and what its answer is checked against. */
async function codeRequest(more = {}) {
  const verifier = client.randomPKCECodeVerifier();
  const checks = {
    pkceCodeVerifier: verifier,
    expectedState: client.randomState(),
    expectedNonce: client.randomNonce(),
    idTokenExpected: true,
  };
  const parameters = {
    redirect_uri: given.redirect_uri,
    scope: given.scope,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state: checks.expectedState,
    nonce: checks.expectedNonce,
    ...more,
  };
  return { parameters, checks };
}

/**
 * What an API answers that is called by its public address, which a proxy before it would take: with a proof, with that proof
 * again, as a bearer token, and with a proof of another key.
 */
async function dpopAtApi(config, token, DPoP) {
  let proof;
  const sent = [];
  config[client.customFetch] = async (url, options) => {
    const { origin } = new URL(given.api_public);
    const answer = await fetch(url.replace(origin, new URL(given.api).origin), options);
    proof = new Headers(options.headers).get('dpop');
    sent.push(answer.status);
    return answer;
  };
  const url = new URL(given.api_public);
  const proven = await client.fetchProtectedResource(config, token, url, 'GET', undefined, undefined, { DPoP });
  const resource = await proven.json();
  const ask = async (headers) => {
    const answer = await fetch(given.api, { headers });
    return { status: answer.status, challenge: answer.headers.get('www-authenticate') };
  };
  const replayed = await ask({ authorization: `DPoP ${token}`, dpop: proof });
  const bearer = await ask({ authorization: `Bearer ${token}` });
  const other = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'));
  const foreign = await client
    .fetchProtectedResource(config, token, url, 'GET', undefined, undefined, { DPoP: other })
    .then((answer) => answer.status, (error) => error.status ?? error.cause?.status ?? error.code);
  return { sent, resource: resource.resourceType, replayed, bearer, foreign };
}

/** The names of what came, and the claims: the tokens themselves are nobody's to print. */
const summary = (tokens) => ({
  members: Object.keys(tokens).sort(),
  token_type: tokens.token_type,
  claims: tokens.claims?.(),
});

const flows = {
  async code(person) {
    const config = await discovered();
    const { parameters, checks } = await codeRequest();
    const arrived = await person.go(client.buildAuthorizationUrl(config, parameters).href, given.redirect_uri);
    const tokens = await client.authorizationCodeGrant(config, new URL(arrived.url), checks);
    const userinfo = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
    const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token);
    const api = await client.fetchProtectedResource(config, refreshed.access_token, new URL(given.api), 'GET');
    await client.tokenRevocation(config, refreshed.refresh_token);
    const after = await client.refreshTokenGrant(config, refreshed.refresh_token).catch((error) => error.error);
    return { ...summary(tokens), userinfo, refreshed: summary(refreshed).members, api: api.status, after };
  },

  async form_post(person) {
    const config = await discovered();
    const { parameters, checks } = await codeRequest({ response_mode: 'form_post' });
    const arrived = await person.go(client.buildAuthorizationUrl(config, parameters).href, given.redirect_uri);
    const posted = new Request(arrived.url, {
      method: arrived.method,
      body: arrived.form,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    return { method: arrived.method, ...summary(await client.authorizationCodeGrant(config, posted, checks)) };
  },

  async pushed(person) {
    const config = await discovered(client.ClientSecretBasic(given.client_secret));
    const { parameters, checks } = await codeRequest();
    const url = await client.buildAuthorizationUrlWithPAR(config, parameters);
    const arrived = await person.go(url.href, given.redirect_uri);
    const tokens = await client.authorizationCodeGrant(config, new URL(arrived.url), checks);
    const introspected = await client.tokenIntrospection(config, tokens.access_token);
    return { sent: [...url.searchParams.keys()].sort(), introspected, ...summary(tokens) };
  },

  async device(person) {
    const config = await discovered();
    const started = await client.initiateDeviceAuthorization(config, { scope: given.scope });
    const polled = client.pollDeviceAuthorizationGrant(config, started);
    await person.page.goto(started.verification_uri_complete);
    let tokens;
    polled.then((response) => (tokens = response));
    await Promise.race([polled, person.answer('allow', () => tokens)]);
    return { user_code: started.user_code, ...summary(tokens) };
  },

  async logout(person) {
    const config = await discovered();
    const request = await codeRequest();
    const open = (more) => client.buildAuthorizationUrl(config, { ...request.parameters, ...more }).href;
    const arrived = await person.go(open(), given.redirect_uri);
    const tokens = await client.authorizationCodeGrant(config, new URL(arrived.url), request.checks);
    const end = client.buildEndSessionUrl(config, {
      post_logout_redirect_uri: given.post_logout_redirect_uri,
      id_token_hint: tokens.id_token,
      state: 'out',
    });
    const left = await person.go(end.href, given.post_logout_redirect_uri);
    const again = await person.go(open({ prompt: 'none' }), given.redirect_uri);
    return { left: left.url, error: new URL(again.url).searchParams.get('error') };
  },

  async dpop(person) {
    const config = await discovered(client.ClientSecretBasic(given.client_secret));
    const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'));
    const { parameters, checks } = await codeRequest();
    const url = await client.buildAuthorizationUrlWithPAR(config, parameters, { DPoP });
    const arrived = await person.go(url.href, given.redirect_uri);
    const tokens = await client.authorizationCodeGrant(config, new URL(arrived.url), checks, undefined, { DPoP });
    const userinfo = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub, { DPoP });
    const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP });
    const introspected = await client.tokenIntrospection(config, refreshed.access_token);
    const asBearer = await fetch(config.serverMetadata().userinfo_endpoint, {
      headers: { authorization: `Bearer ${refreshed.access_token}` },
    });
    const atApi = await dpopAtApi(config, refreshed.access_token, DPoP);
    const without = await client.refreshTokenGrant(config, refreshed.refresh_token).catch((error) => error.error);
    return {
      ...summary(tokens),
      userinfo,
      refreshed: summary(refreshed).token_type,
      introspected,
      as_bearer: asBearer.status,
      at_api: atApi,
      without,
    };
  },

  async registered(person) {
    const config = await client.dynamicClientRegistration(
      new URL(given.issuer),
      {
        client_name: 'Registered by itself',
        redirect_uris: [given.redirect_uri],
        grant_types: ['authorization_code', 'refresh_token'],
        scope: given.scope,
      },
      undefined,
      { initialAccessToken: given.initial_access_token, execute: [client.allowInsecureRequests] },
    );
    const { parameters, checks } = await codeRequest();
    const arrived = await person.go(client.buildAuthorizationUrl(config, parameters).href, given.redirect_uri);
    const tokens = await client.authorizationCodeGrant(config, new URL(arrived.url), checks);
    const { registration_client_uri: uri, registration_access_token: token, ...registered } = config.clientMetadata();
    const headers = { authorization: `Bearer ${token}` };
    const read = await fetch(uri, { headers });
    const deleted = await fetch(uri, { method: 'DELETE', headers });
    const after = await client.refreshTokenGrant(config, tokens.refresh_token).catch((error) => error.error);
    return {
      ...summary(tokens),
      registered: Object.keys(registered).sort(),
      read: read.status,
      deleted: deleted.status,
      after,
    };
  },

  async private_key_jwt() {
    const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify']);
    const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', pair.publicKey);
    await told({ jwks: { keys: [{ kty, crv, x, y, kid: 'own', alg: 'ES256', use: 'sig' }] } });
    const config = await discovered(client.PrivateKeyJwt({ key: pair.privateKey, kid: 'own' }));
    const tokens = await client.clientCredentialsGrant(config, { scope: given.scope });
    const api = await client.fetchProtectedResource(config, tokens.access_token, new URL(given.api), 'GET');
    return { ...summary(tokens), api: api.status };
  },
};

/** Prints something, and waits until the line that answers it has come. */
async function told(something) {
  console.log(JSON.stringify(something));
  const lines = readline.createInterface({ input: process.stdin });
  const { value } = await lines[Symbol.asyncIterator]().next();
  lines.close();
  return value;
}

const person = given.email ? await Person.atBrowser(given.email, given.password, given.totp_secret) : undefined;
try {
  console.log(JSON.stringify({ ...(await flows[flow](person)), pages: person?.pages }));
} finally {
  await person?.leave();
}
