// A browser app: a person signs in (authorization code with PKCE), the app reads their record through the edge.
// No framework and no library: `fetch` and WebCrypto do it. docs/guides/first-app.md explains each step.

interface Settings {
  issuer: string;
  clientId: string;
  fhir: string;
  scope: string;
  postLogoutRedirectUri?: string;
}

interface Tokens {
  access_token: string;
  expires_in: number;
  scope: string;
  id_token: string;
  refresh_token?: string;
  patient?: string;
}

/** What has to outlive the way to the issuer and back, and nothing longer. */
interface Pending {
  state: string;
  nonce: string;
  verifier: string;
}

const settings: Settings = await (await fetch('/settings.json')).json();
// Addresses come from the issuer's metadata, never from this file.
const metadata = await (await fetch(`${settings.issuer}/.well-known/openid-configuration`)).json();
const redirectUri = `${location.origin}/callback`;

// Tokens are kept in memory only: another page, or a script of tomorrow, finds none in storage.
let tokens: Tokens | undefined;
let expiresAt = 0;

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

function random(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

async function challengeOf(verifier: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier));
  return base64url(new Uint8Array(digest));
}

/** Sends the browser to the issuer. `launch` is what an EHR gave, where one launched this app. */
async function signIn(launch?: string): Promise<void> {
  const pending: Pending = { state: random(), nonce: random(), verifier: random() };
  sessionStorage.setItem('pending', JSON.stringify(pending));
  const url = new URL(metadata.authorization_endpoint);
  const context = launch ? { launch, scope: settings.scope.replace('launch/patient', 'launch') } : { scope: settings.scope };
  url.search = new URLSearchParams({
    ...context,
    response_type: 'code',
    client_id: settings.clientId,
    redirect_uri: redirectUri,
    aud: settings.fhir,
    state: pending.state,
    nonce: pending.nonce,
    code_challenge: await challengeOf(pending.verifier),
    code_challenge_method: 'S256',
  }).toString();
  location.assign(url);
}

/** An EHR opens the app with the address of its FHIR server, and a name for what is open there. */
async function beLaunched(given: URLSearchParams): Promise<void> {
  // Tokens go to servers that this app knows, whoever wrote the link.
  if (given.get('iss') !== settings.fhir) throw new Error(`unknown FHIR server ${given.get('iss')}`);
  await signIn(given.get('launch') ?? undefined);
}

/** Takes the answer with which the browser came back. */
async function comeBack(answer: URLSearchParams): Promise<void> {
  const stored = sessionStorage.getItem('pending');
  sessionStorage.removeItem('pending');
  history.replaceState(null, '', '/');
  if (!stored) throw new Error('this answer belongs to no sign-in of this tab');
  const pending: Pending = JSON.parse(stored);
  // `state` says that this tab asked; `iss` says who answers (RFC 9207).
  if (answer.get('state') !== pending.state) throw new Error('the answer is to another question');
  if (answer.get('iss') !== metadata.issuer) throw new Error('the answer is of another issuer');
  if (answer.has('error')) throw new Error(`${answer.get('error')}: ${answer.get('error_description') ?? ''}`);
  await askForTokens({
    grant_type: 'authorization_code',
    code: answer.get('code') ?? '',
    redirect_uri: redirectUri,
    code_verifier: pending.verifier,
  });
  checkIdToken(tokens!.id_token, pending.nonce);
}

/** The ID token came from the token endpoint itself, so TLS vouches for it (OpenID Connect Core, section 3.1.3.7). */
function checkIdToken(token: string, nonce: string): void {
  const payload = token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/');
  const claims = JSON.parse(atob(payload));
  const isOurs = [claims.aud].flat().includes(settings.clientId);
  if (claims.iss !== metadata.issuer || !isOurs || claims.nonce !== nonce || claims.exp * 1000 < Date.now()) {
    tokens = undefined;
    throw new Error('the ID token is not for this sign-in');
  }
}

async function askForTokens(form: Record<string, string>): Promise<void> {
  const response = await fetch(metadata.token_endpoint, {
    method: 'POST',
    body: new URLSearchParams({ ...form, client_id: settings.clientId }),
  });
  const answer = await response.json();
  if (!response.ok) {
    tokens = undefined;
    throw new Error(`${answer.error}: ${answer.error_description}`);
  }
  // A refresh token works once: what comes with the answer takes its place. What the answer does not repeat stays.
  tokens = { ...tokens, ...answer };
  expiresAt = Date.now() + answer.expires_in * 1000;
}

/** Gets new tokens without the person. */
async function refresh(): Promise<void> {
  if (!tokens?.refresh_token) return await signIn();
  await askForTokens({ grant_type: 'refresh_token', refresh_token: tokens.refresh_token });
}

/** Calls the FHIR API through the edge. */
async function read(path: string): Promise<any> {
  // Half a minute early: a token may not expire on its way.
  if (Date.now() > expiresAt - 30_000) await refresh();
  let response = await call(path);
  if (response.status === 401) {
    // Revoked, or expired by the edge's clock. Once, not for ever.
    await refresh();
    response = await call(path);
  }
  if (!response.ok) throw new Error(`${path}: ${response.status} ${response.headers.get('www-authenticate') ?? ''}`);
  return await response.json();
}

function call(path: string): Promise<Response> {
  const headers = { authorization: `Bearer ${tokens!.access_token}`, accept: 'application/fhir+json' };
  return fetch(`${settings.fhir}/${path}`, { headers });
}

/** Gives the tokens back, forgets them, and ends the person's session at the issuer. */
async function signOut(): Promise<void> {
  const { id_token, refresh_token } = tokens!;
  tokens = undefined;
  if (refresh_token) {
    const body = new URLSearchParams({ token: refresh_token, client_id: settings.clientId });
    await fetch(metadata.revocation_endpoint, { method: 'POST', body });
  }
  const url = new URL(metadata.end_session_endpoint);
  url.searchParams.set('id_token_hint', id_token);
  if (settings.postLogoutRedirectUri) url.searchParams.set('post_logout_redirect_uri', settings.postLogoutRedirectUri);
  location.assign(url);
}

async function showRecord(): Promise<void> {
  const patient = await read(`Patient/${tokens!.patient}`);
  const found = await read(`Observation?patient=${tokens!.patient}`);
  const name = [patient.name[0].given, patient.name[0].family].flat().join(' ');
  say(`${name}, ${(found.entry ?? []).length} observations`);
  show(true);
}

function say(text: string): void {
  document.querySelector('output')!.textContent = text;
}

function show(isSignedIn: boolean): void {
  for (const button of document.querySelectorAll('button')) {
    button.hidden = (button.id !== 'sign-in') !== isSignedIn;
  }
}

/** Does what a button says; what goes wrong is told to the person. */
async function attempt(action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    say(`Error: ${(error as Error).message}`);
    show(tokens !== undefined);
  }
}

function on(id: string, action: () => Promise<void>): void {
  document.getElementById(id)!.addEventListener('click', () => attempt(action));
}

on('sign-in', () => signIn());
on('read', showRecord);
on('refresh', async () => {
  await refresh();
  await showRecord();
});
on('sign-out', signOut);
show(false);

if (location.pathname === '/launch') {
  await attempt(() => beLaunched(new URLSearchParams(location.search)));
} else if (location.pathname === '/callback') {
  await attempt(async () => {
    await comeBack(new URLSearchParams(location.search));
    await showRecord();
  });
} else {
  say('Nobody is signed in.');
}
