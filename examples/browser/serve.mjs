// Serves the app on this machine, its types taken out by Node.js itself (22.13 or newer).
//
//   node examples/browser/serve.mjs [PORT] [SETTINGS]
//
// PORT is 3000 without it, which is where the test app of `cargo xtask dev` is registered; 0 takes a free one.

import fs from 'node:fs';
import http from 'node:http';
import { stripTypeScriptTypes } from 'node:module';
import path from 'node:path';

const [port = '3000', settings = path.join(import.meta.dirname, 'settings.json')] = process.argv.slice(2);
const read = (name) => fs.readFileSync(path.join(import.meta.dirname, name), 'utf8');

const page = { type: 'text/html; charset=utf-8', text: () => read('index.html') };
const files = {
  '/': page,
  '/callback': page,
  '/launch': page,
  '/app.js': { type: 'text/javascript', text: () => stripTypeScriptTypes(read('app.ts')) },
  '/settings.json': { type: 'application/json', text: () => fs.readFileSync(settings, 'utf8') },
};

const server = http.createServer((request, response) => {
  const file = files[new URL(request.url, 'http://localhost').pathname];
  if (!file) return response.writeHead(404).end();
  // The address holds a code for a moment: no other page is to learn of it.
  response.writeHead(200, { 'content-type': file.type, 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' });
  response.end(file.text());
});
server.listen(Number(port), '127.0.0.1', () => console.log(`http://localhost:${server.address().port}`));
