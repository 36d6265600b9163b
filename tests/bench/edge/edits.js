// What the Worker does to the headers of a request that it lets through, and to those of the answer, in plain JavaScript. All
// candidates but the one that only passes on share it, so that they differ in what they check.

export function health(request) {
  return request.url.endsWith("/health") ? new Response("well") : null;
}

function outgoing(request, env, headers) {
  const path = request.url.slice(request.url.indexOf("/", 8) + "/fhir".length);
  const bodiless = request.method === "GET" || request.method === "HEAD";
  const body = bodiless ? null : request.body;
  return new Request(env.UPSTREAM + path, { method: request.method, headers, body, redirect: "manual" });
}

/** Passes a request on as it is. */
export function pass(request, env) {
  return fetch(outgoing(request, env, request.headers));
}

/** Passes a request on with the edits. `claims` are those of the token, checked or not. */
export async function edit(request, env, claims) {
  const id = crypto.randomUUID();
  const headers = new Headers(request.headers);
  headers.delete("authorization");
  headers.set("x-request-id", id);
  headers.set("x-forwarded-proto", "http");
  headers.set("x-forwarded-host", headers.get("host") ?? "");
  headers.set("x-wardgate-subject", claims.sub);
  headers.set("x-wardgate-client", claims.client_id);
  headers.set("x-wardgate-issuer", claims.iss);
  headers.set("x-wardgate-token-id", claims.jti);
  headers.set("x-wardgate-scope", claims.scope);
  headers.set("x-wardgate-access-level", "system");
  headers.set("x-wardgate-authorized-by", "system/*.cruds");
  const answer = await fetch(outgoing(request, env, headers));
  const result = new Response(answer.body, answer);
  for (const name of ["set-cookie", "www-authenticate", "access-control-allow-origin"]) result.headers.delete(name);
  result.headers.set("access-control-allow-origin", "*");
  result.headers.set("access-control-expose-headers", "Location, ETag, X-Request-Id, X-RateLimit-Remaining, Retry-After");
  result.headers.set("x-request-id", id);
  result.headers.set("x-ratelimit-limit", "100000000");
  result.headers.set("x-ratelimit-remaining", "99999999");
  result.headers.set("x-ratelimit-reset", "1800000000");
  result.headers.set("ratelimit-policy", '"default";q=100000000;w=60');
  result.headers.set("ratelimit", '"default";r=99999999;t=30');
  return result;
}
