// npm hono with its JWK middleware verifies, then the edits. Given an address, the middleware would fetch the keys for every
// request; here it is given keys that were fetched once.
import { Hono } from "hono";
import { jwk } from "hono/jwk";

import { edit, health } from "./edits.js";

let keys;

async function fetched(context) {
  keys ??= (await (await fetch(context.env.JWKS_URL)).json()).keys;
  return keys;
}

const app = new Hono();
app.get("/health", (context) => health(context.req.raw));
app.use("/fhir/*", (context, next) => {
  const { ISSUER: iss, AUDIENCE: aud } = context.env;
  return jwk({ keys: fetched, alg: ["RS256"], verification: { iss, aud, typ: "at+jwt" } })(context, next);
});
app.all("/fhir/*", (context) => edit(context.req.raw, context.env, context.get("jwtPayload")));

export default app;
