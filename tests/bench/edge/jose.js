// npm jose verifies, then the edits. The keys are fetched once and kept, as jose does by itself. With COORDINATOR a Durable
// Object counts each request, as a rate limit without leases does.
import { createRemoteJWKSet, jwtVerify } from "jose";

import { edit, health } from "./edits.js";

let keys;

export default {
  async fetch(request, env) {
    const well = health(request);
    if (well !== null) return well;
    keys ??= createRemoteJWKSet(new URL(env.JWKS_URL));
    const [scheme, token] = (request.headers.get("authorization") ?? "").split(" ");
    let claims;
    try {
      if (scheme !== "Bearer") throw new Error("no token");
      const expected = { issuer: env.ISSUER, audience: env.AUDIENCE, algorithms: ["RS256"], typ: "at+jwt" };
      claims = (await jwtVerify(token, keys, expected)).payload;
    } catch {
      return new Response("unauthorized", { status: 401 });
    }
    if (env.COORDINATOR !== undefined) {
      const coordinator = env.COORDINATOR.get(env.COORDINATOR.idFromName(claims.sub));
      const counted = await coordinator.fetch("https://coordinator/");
      if (counted.status !== 200) return new Response("too many requests", { status: 429 });
    }
    return edit(request, env, claims);
  },
};

/** Counts in memory: what is left out of it here, storage, would only make it slower. */
export class Coordinator {
  count = 0;
  window = 0;

  fetch() {
    const window = Math.floor(Date.now() / 60_000);
    if (window !== this.window) [this.window, this.count] = [window, 0];
    this.count += 1;
    return new Response(null, { status: this.count <= 100_000_000 ? 200 : 429 });
  }
}
