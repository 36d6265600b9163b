// A SMART app in a browser: npm fhirclient's build for browsers, on two pages of its own, with a person at a real Chromium.
//
// Arguments: a JSON object with what it needs. It serves the app on a free port and prints its redirect and launch URIs;
// reads a line of JSON with what the EHR gave (`launch_url`), or with nothing for a launch by itself; prints what the app
// came to know.

import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import readline from 'node:readline';

import { Person } from './person.mjs';

const given = JSON.parse(process.argv[2]);
const library = fs.readFileSync(
  path.join(process.env.WARDGATE_NODE_MODULES, 'fhirclient', 'build', 'fhir-client.min.js'),
);

const page = (script) => `<!doctype html><title>App</title><script src="/fhir-client.js"></script><script>${script}</script>`;

// The settings of the app, as its developer writes them. In an EHR launch `iss` and `launch` come in the address.
const settings = () =>
  JSON.stringify({ clientId: given.client_id, scope: given.scope, redirectUri: `${origin()}/`, pkceMode: 'required' });

const pages = {
  '/standalone': () => page(`FHIR.oauth2.authorize({ ...${settings()}, iss: ${JSON.stringify(given.fhir)} })`),
  '/launch': () => page(`FHIR.oauth2.authorize(${settings()})`),
  '/': () =>
    page(`
      FHIR.oauth2.ready().then(async (client) => {
        const patient = await client.patient.read();
        const user = client.user.fhirUser ? await client.user.read() : null;
        const observations = await client.request('Observation?patient=' + client.patient.id);
        const { tokenResponse } = client.state;
        const first = { ...tokenResponse };
        const refreshed = tokenResponse.refresh_token ? (await client.refresh()).tokenResponse : null;
        const again = refreshed && (await client.patient.read());
        window.known = {
          patient: patient.id,
          user: user && user.resourceType,
          observations: observations.resourceType,
          encounter: client.encounter.id,
          refreshed: again && again.id,
          response: Object.fromEntries(Object.entries(first).filter(([name]) => !name.endsWith('_token'))),
        };
      }).catch((error) => { window.known = { error: String(error) } })`),
};

const server = http.createServer((request, response) => {
  const { pathname } = new URL(request.url, 'http://localhost');
  if (pathname === '/fhir-client.js') {
    response.setHeader('content-type', 'text/javascript').end(library);
  } else if (pages[pathname]) {
    response.setHeader('content-type', 'text/html').end(pages[pathname]());
  } else {
    response.writeHead(404).end();
  }
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const origin = () => `http://localhost:${server.address().port}`;

console.log(JSON.stringify({ redirect_uri: `${origin()}/`, launch_uri: `${origin()}/launch` }));
const lines = readline.createInterface({ input: process.stdin });
const told = JSON.parse((await lines[Symbol.asyncIterator]().next()).value);
lines.close();

const person = await Person.atBrowser(given.email, given.password);
person.patient = given.patient ?? '';
try {
  let known;
  const look = async () => {
    known = await person.page.evaluate(() => window.known).catch(() => undefined);
    return known;
  };
  await person.page.goto(told.launch_url ?? `${origin()}/standalone`);
  await person.answer('allow', look);
  console.log(JSON.stringify({ ...known, pages: person.pages }));
} finally {
  await person.leave();
  server.close();
}
