// Makes what `cargo xtask bench edge` needs of an issuer: a key, its public half, tokens, a status list.
//
//   node tokens.mjs ISSUER AUDIENCE COUNT FOLDER
//
// Written into the folder: jwks.json; status (a Status List Token of which nothing is revoked); and one token a line in hot (one),
// hundred (as many, of a subject each), new (COUNT, of a hundred subjects) and plain (one that names no status list).

import { createSign, generateKeyPairSync, randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { deflateSync } from "node:zlib";

const [issuer, audience, count, folder] = process.argv.slice(2);
const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const kid = "bench-key-1";
const now = Math.floor(Date.now() / 1000);
const list = `${issuer}/statuses/1`;
const LIST_SIZE = 100_000;

function encoded(value) {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

function signed(typ, claims) {
  const message = `${encoded({ alg: "RS256", typ, kid })}.${encoded(claims)}`;
  return `${message}.${createSign("RSA-SHA256").update(message).sign(privateKey, "base64url")}`;
}

function token(subject, index) {
  return signed("at+jwt", {
    iss: issuer,
    sub: `subject-${subject}`,
    aud: [audience],
    exp: now + 3600,
    iat: now,
    jti: randomUUID(),
    client_id: `subject-${subject}`,
    scope: "system/*.cruds",
    ...(index === undefined ? {} : { status: { status_list: { idx: index, uri: list } } }),
  });
}

function write(name, lines) {
  writeFileSync(join(folder, name), lines.join("\n") + "\n");
}

write("jwks.json", [JSON.stringify({ keys: [{ ...publicKey.export({ format: "jwk" }), kid, alg: "RS256", use: "sig" }] })]);
const lst = deflateSync(Buffer.alloc(LIST_SIZE / 8)).toString("base64url");
const statuses = { iss: issuer, sub: list, iat: now, exp: now + 3600, ttl: 3600, status_list: { bits: 1, lst } };
writeFileSync(join(folder, "status"), signed("statuslist+jwt", statuses));
const many = (length) => Array.from({ length }, (_, at) => token(at % 100, at % LIST_SIZE));
write("hot", many(1));
write("hundred", many(100));
write("new", many(Number(count)));
write("plain", [token(0)]);
