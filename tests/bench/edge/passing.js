// Passes every request on, and does nothing else.
import { health, pass } from "./edits.js";

export default {
  fetch: (request, env) => health(request) ?? pass(request, env),
};
