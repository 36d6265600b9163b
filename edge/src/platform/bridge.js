// The JavaScript half of the platform: a few functions that each do in one call what would be many.
// Texts are packed with line feeds, which can stand in no method, URL, header name or header value.
// Nothing is decided here.

/** Method, URL, then name and value of each header. */
export function describe(request) {
  let packed = request.method + "\n" + request.url;
  for (const [name, value] of request.headers) packed += "\n" + name + "\n" + value;
  return packed;
}

/** The variables of this namespace: name, kind and value of each, the value being a text or a list in JSON. */
export function variables(env, namespace) {
  const found = [];
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith(namespace)) continue;
    if (typeof value === "string") found.push(name, "text", value);
    else if (Array.isArray(value)) found.push(name, "list", JSON.stringify(value));
    else found.push(name, "other", "");
  }
  // Unlike a line feed, this stands in no variable that anybody sets on purpose.
  return found.join("\0");
}

/** Whether something with this method is bound under this name. */
export function binds(env, name, method) {
  return typeof env[name]?.[method] === "function";
}

/** An answer of our own. What has not been read of the request's body is let go, or the connection cannot be used again. */
export function respond(request, status, packedHeaders, body) {
  release(request.body);
  const headers = new Headers();
  const lines = packedHeaders.split("\n");
  for (let at = 0; at + 1 < lines.length; at += 2) headers.append(lines[at], lines[at + 1]);
  return new Response(body === "" || request.method === "HEAD" ? null : body, { status, headers });
}

/** Lets go of a body. */
export function discard(response) {
  release(response.body);
}

function release(body) {
  if (body !== null && !body.locked) body.cancel().catch(() => {});
}

let removedFromAnswers = new Set();
let caching = {};

/** Says, once an isolate, which headers of upstream answers do not pass, and whether a cache has to be told to keep nothing. */
export function setUp(packedNames, bypassesCache) {
  removedFromAnswers = new Set(packedNames.split("\n"));
  // Where there is no cache this is left out: the runtime takes its time over it.
  caching = bypassesCache ? { cache: "no-store" } : {};
}

/**
 * Forwards a request. The plan's lines are: URL, milliseconds, the base that locations of an answer lie below, the base
 * that takes its place, then edits: `=method` asks by this method and without the request's body, `&form` is put before the
 * form that was read, `-name` removes a request header, `+name value` sets one, `>name value` sets a header of the answer.
 * Gives the answer, or a number: 0 not reachable, 1 too slow.
 */
export async function forward(request, plan) {
  const [url, milliseconds, locationFrom, locationTo, ...edits] = plan.split("\n");
  const headers = new Headers(request.headers);
  const ofAnswer = [];
  let method = request.method;
  let body = readBodies.get(request) ?? request.body;
  for (const edit of edits) {
    if (edit[0] === "=") {
      method = edit.slice(1);
      continue;
    }
    if (edit[0] === "&") {
      body = await new Blob([edit.slice(1), "&", body ?? ""]).arrayBuffer();
      continue;
    }
    if (edit[0] === "-") {
      headers.delete(edit.slice(1));
      continue;
    }
    const space = edit.indexOf(" ");
    const name = edit.slice(1, space);
    const value = edit.slice(space + 1);
    if (edit[0] === "+") headers.set(name, value);
    else ofAnswer.push([name, value]);
  }

  // A body of a GET has no meaning (RFC 9110 section 9.3.1), and the runtime does not send one.
  const bodiless = method === "GET" || method === "HEAD";
  if (bodiless && method === request.method) release(request.body);

  // The path was judged as these bytes; a runtime that would change them is not asked to send them.
  if (URL.parse(url)?.href !== url) return 0;

  // A timer and not a signal, whose making costs the runtime more. It ends with the request, as does what is still under way.
  const answer = await new Promise((resolve) => {
    let isLate = false;
    setTimeout(() => {
      isLate = true;
      resolve(1);
    }, Number(milliseconds));
    const sent = fetch(url, { method, headers, body: bodiless ? null : body, redirect: "manual", ...caching });
    sent.then(
      (answer) => (isLate ? discard(answer) : resolve(answer)),
      () => resolve(0),
    );
  });
  if (typeof answer === "number") return answer;

  const result = new Response(answer.body, answer);
  // Gone through once: each look at headers by name is a call of the runtime's own.
  for (const name of answer.headers.keys()) {
    if (name === "connection") {
      for (const named of answer.headers.get(name).split(",")) {
        if (named.trim() !== "") result.headers.delete(named.trim());
      }
    }
    if (removedFromAnswers.has(name)) {
      result.headers.delete(name);
    } else if (name === "location" || name === "content-location") {
      const location = relocated(answer.headers.get(name), url, locationFrom, locationTo);
      if (location === null) result.headers.delete(name);
      else if (result.headers.has(name)) result.headers.set(name, location);
    }
  }
  for (const [name, value] of ofAnswer) {
    if (name === "vary") result.headers.append(name, value);
    else result.headers.set(name, value);
  }
  return result;
}

/**
 * A location as the client is to see it, or null for one that it is not to see: what is relative is resolved first
 * (RFC 9110 section 10.2.2), below the upstream's base it is moved below the own one, elsewhere on the upstream's host
 * it would send the client past this Worker. Other hosts are left as they are.
 */
function relocated(value, requested, from, to) {
  if (!URL.canParse(value, requested)) return null;
  const target = new URL(value, requested);
  const isBelow = (base) => target.href.startsWith(base) && ["", "/", "?", "#"].includes(target.href.charAt(base.length));
  if (isBelow(from)) return to + target.href.slice(from.length);
  return target.origin === new URL(from).origin && !isBelow(to) ? null : value;
}

/** Fetches a small document. Gives its bytes, or a number: the status, 0 not reachable, 1 too slow, 2 too large. */
export async function fetchDocument(url, milliseconds, maximumBytes) {
  const signal = AbortSignal.timeout(milliseconds);
  try {
    const headers = { accept: "application/json, application/statuslist+jwt" };
    // How long it is kept is decided here, and by nobody on the way.
    const answer = await fetch(url, { redirect: "manual", cache: "no-store", headers, signal });
    if (answer.status !== 200) {
      release(answer.body);
      return answer.status;
    }
    return await bytesOf(answer.body, maximumBytes);
  } catch {
    return signal.aborted ? 1 : 0;
  }
}

/**
 * Sends a form to an issuer. Gives the two bytes of the status and those of the body, or a number: 0 not reachable, 1 too slow,
 * 2 too large. The type opaque-redirect, which some runtimes give a redirect, has the status 0.
 */
export async function postForm(url, form, milliseconds, maximumBytes) {
  const signal = AbortSignal.timeout(milliseconds);
  try {
    const headers = { accept: "application/json", "content-type": "application/x-www-form-urlencoded" };
    const answer = await fetch(url, { method: "POST", body: form, redirect: "manual", cache: "no-store", headers, signal });
    return await bytesOf(answer.body, maximumBytes, [answer.status >> 8, answer.status & 255]);
  } catch {
    return signal.aborted ? 1 : 0;
  }
}

/** All bytes of a body, behind those given first, or 2 when there are too many. */
async function bytesOf(body, maximumBytes, first = []) {
  const chunks = [first];
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.byteLength;
    // Leaving the loop cancels the body.
    if (size > maximumBytes) return 2;
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(size + first.length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** What a ZLIB stream holds; a number when it is none, or holds more. */
export async function inflate(packed, maximumBytes) {
  try {
    const stream = new Blob([packed.slice()]).stream().pipeThrough(new DecompressionStream("deflate"));
    return await bytesOf(stream, maximumBytes);
  } catch {
    return 0;
  }
}

const JSON_MEDIA_TYPE = /^application\/([a-z0-9.-]+\+)?json\s*(;|$)/i;

/** Bodies of answers that have been read, by their answer. */
const readAnswers = new WeakMap();

/** Reads a body of JSON. Gives its bytes, null for another media type, or a number: 0 broken off, 1 too slow, 2 too large. */
export async function readJson(response, milliseconds, maximumBytes) {
  if (!JSON_MEDIA_TYPE.test(response.headers.get("content-type") ?? "")) return null;
  const bytes = await bytesInTime(response.body, milliseconds, maximumBytes);
  if (typeof bytes !== "number") readAnswers.set(response, bytes);
  return bytes;
}

/** The answer with the body that was read of it: the same resource and version, and no longer compressed if it was. */
export function withReadBody(request, response) {
  const same = new Response(request.method === "HEAD" ? null : readAnswers.get(response), response);
  const encoded = same.headers.has("content-encoding");
  const spoken = OF_THE_BODY.filter((name) => name !== "etag");
  for (const name of encoded ? spoken : ["content-length"]) same.headers.delete(name);
  return same;
}

/** The version of what was answered, if it is said. */
export function etag(response) {
  return response.headers.get("etag") ?? undefined;
}

/** Bodies of requests that have been read, by their request. */
const readBodies = new WeakMap();

/** Reads the body of a request, which is forwarded in the same bytes. Gives them, or a number as above. */
export async function readRequest(request, milliseconds, maximumBytes) {
  const bytes = await bytesInTime(request.body, milliseconds, maximumBytes);
  if (typeof bytes !== "number") readBodies.set(request, bytes);
  return bytes;
}

function bytesInTime(body, milliseconds, maximumBytes) {
  return inTime(bytesOf(body, maximumBytes), milliseconds);
}

/** What comes of it, or a number: 0 nothing, 1 too slow. */
async function inTime(work, milliseconds) {
  let timer;
  const tooSlow = new Promise((resolve) => {
    timer = setTimeout(() => resolve(1), milliseconds);
  });
  try {
    return await Promise.race([work, tooSlow]);
  } catch {
    return 0;
  } finally {
    clearTimeout(timer);
  }
}

/** Headers that speak of a body byte by byte. */
const OF_THE_BODY = ["content-digest", "content-encoding", "content-length", "content-md5", "digest", "etag", "repr-digest"];

/** The answer with another body. */
export function withBody(response, body) {
  const changed = new Response(body.slice(), response);
  for (const name of OF_THE_BODY) changed.headers.delete(name);
  return changed;
}

/** The largest answer of a coordinator, in bytes, several times over. */
const LARGEST_ANSWER = 4096;

/**
 * Asks the coordinator of this name. Gives the answer's bytes, or a number: 0 none to ask, or no answer, 1 too slow, 2 too
 * large.
 * The question's bytes go in the path, in decimal with dots between, so that nobody waits for a body.
 */
export function askCoordinator(env, name, question, milliseconds) {
  const asked = async () => {
    const namespace = env.RATE_LIMITS;
    const url = "https://coordinator/" + question.join(".");
    const answer = await namespace.get(namespace.idFromName(name)).fetch(url, { redirect: "manual" });
    return bytesOf(answer.body, LARGEST_ANSWER);
  };
  return inTime(asked(), milliseconds);
}

/** Asks a limit of the platform's: 2 admitted, 3 refused; or a number as above. */
export function askPlatformLimit(env, name, key, milliseconds) {
  const asked = async () => {
    const { success } = await env[name].limit({ key });
    return { true: 2, false: 3 }[success] ?? 0;
  };
  return inTime(asked(), milliseconds);
}

/** Adds a data point: the second of the words, which names the API, is what points are sampled by. */
export function writeDataPoint(env, name, packedWords, milliseconds) {
  const blobs = packedWords.split("\n");
  try {
    env[name].writeDataPoint({ indexes: [blobs[1]], blobs, doubles: [1, milliseconds] });
  } catch {
    // Requests do not fail for want of a statistic.
  }
}

export function questionOf(request) {
  return Uint8Array.from(new URL(request.url).pathname.slice(1).split("."));
}

export function answerWith(answer) {
  return new Response(answer.slice());
}

// One coordinator's storage: one value, or one for each proof, and an alarm at which they are forgotten. Writes are held to be durable by the
// runtime before anything is sent.

export function stored(state) {
  return state.storage.kv.get("reservation");
}

export function store(state, reservation, until) {
  state.storage.kv.put("reservation", reservation.slice());
  state.storage.setAlarm(until);
}

export function forget(state) {
  state.storage.deleteAll();
}

// Proofs: the bytes of each under its hash, which stands in them behind the first one.

const PROOF = "proof ";

function proofName(hash) {
  return PROOF + Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function storedProofs(state) {
  const proofs = [];
  for (const [, proof] of state.storage.kv.list({ prefix: PROOF })) proofs.push(...proof);
  return Uint8Array.from(proofs);
}

export function storeProof(state, proof, alarm) {
  state.storage.kv.put(proofName(proof.subarray(1, 33)), proof.slice());
  if (alarm > 0) state.storage.setAlarm(alarm);
}

export function forgetProofs(state, hashes) {
  for (let at = 0; at < hashes.length; at += 32) state.storage.kv.delete(proofName(hashes.subarray(at, at + 32)));
}

export function setAlarm(state, milliseconds) {
  state.storage.setAlarm(milliseconds);
}

const RSA = "RSASSA-PKCS1-v1_5";

/** By the algorithm's name in a token: how WebCrypto imports a key for it, and how it verifies with the key. */
const ALGORITHMS = {
  RS256: [{ name: RSA, hash: "SHA-256" }, { name: RSA }],
  RS384: [{ name: RSA, hash: "SHA-384" }, { name: RSA }],
  PS256: [{ name: "RSA-PSS", hash: "SHA-256" }, { name: "RSA-PSS", saltLength: 32 }],
  ES256: [{ name: "ECDSA", namedCurve: "P-256" }, { name: "ECDSA", hash: "SHA-256" }],
  ES384: [{ name: "ECDSA", namedCurve: "P-384" }, { name: "ECDSA", hash: "SHA-384" }],
  EdDSA: [{ name: "Ed25519" }, { name: "Ed25519" }],
};

/** Imports a public key for one algorithm. Gives what `verify` takes. */
export async function importKey(jwk, algorithm) {
  const [importing, verifying] = ALGORITHMS[algorithm];
  return { key: await crypto.subtle.importKey("jwk", JSON.parse(jwk), importing, false, ["verify"]), verifying };
}

/**
 * Whether a signature holds: 1 yes, 0 no, 2 not known.
 * An OperationError or a DataError is the library's word for a signature that cannot be one; anything else is not the
 * signature's fault.
 */
export async function verify({ key, verifying }, signature, message) {
  try {
    return (await crypto.subtle.verify(verifying, key, signature, message)) ? 1 : 0;
  } catch (error) {
    return error?.name === "OperationError" || error?.name === "DataError" ? 0 : 2;
  }
}

export function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

export function log(line) {
  console.log(line);
}
