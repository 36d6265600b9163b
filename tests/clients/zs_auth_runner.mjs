// Runs ZSAuth, kept to the letter in seed/zs_auth.ts, against a running issuer.
//
// Arguments: the issuer's URL, client id, redirect URI, a folder for the module. It prints the authorization URL that the
// class would send the browser to, reads the URL of the callback from standard input, and prints the token response.
//
// Outside the class: base URLs are replaced; `window.location`, which a browser has; and the two PKCE functions that the
// class calls and its page defines apart from it, under "PKCE Implementation".

import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { pathToFileURL } from 'node:url';

const [issuer, clientId, redirectUri, folder] = process.argv.slice(2);

const seed = fs.readFileSync(path.join(import.meta.dirname, 'seed', 'zs_auth.ts'), 'utf8');
const module = path.join(folder, 'zs_auth.ts');
fs.writeFileSync(module, `export ${seed.replaceAll('https://auth.zarishsphere.com', issuer)}`);
const { ZSAuth } = await import(pathToFileURL(module).href);

globalThis.window = { location: { href: '' } };
const auth = Object.assign(new ZSAuth(), { clientId, redirectUri });
ZSAuth.prototype.generateCodeVerifier = () => crypto.randomBytes(32).toString('base64url');
ZSAuth.prototype.generateCodeChallenge = async (codeVerifier) =>
  crypto.createHash('sha256').update(codeVerifier).digest('base64url');

const codeVerifier = await auth.authenticate();
console.log(JSON.stringify({ authorization_url: window.location.href }));
const lines = readline.createInterface({ input: process.stdin });
const callback = new URL((await lines[Symbol.asyncIterator]().next()).value);
lines.close();
const response = await auth.exchangeCodeForToken(callback.searchParams.get('code'), codeVerifier);
console.log(JSON.stringify(response));
