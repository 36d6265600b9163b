// Makes the header edits and checks nothing. With LOG it also writes a line for each request, as the Worker does.
import { edit, health } from "./edits.js";

const CLAIMS = {
  sub: "subject-0",
  client_id: "bench",
  iss: "http://127.0.0.1:8788",
  jti: "3f0c9a52-7b1d-4e6f-9a58-2d7c41e0b6aa",
  scope: "system/*.cruds",
};

export default {
  async fetch(request, env) {
    const answer = health(request) ?? (await edit(request, env, CLAIMS));
    if (env.LOG === "on") {
      const line = { event: "decision", request_id: answer.headers.get("x-request-id"), route: "guarded", api: "fhir" };
      console.log(JSON.stringify({ ...line, outcome: "allow", status: answer.status, subject: "0123456789abcdef" }));
    }
    return answer;
  },
};
