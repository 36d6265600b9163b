// The Worker's own coordinator, with a line in the log for each time it is asked.
import { RateLimits as Counted } from "./index.js";

export class RateLimits {
  constructor(state, env) {
    this.counted = new Counted(state, env);
  }

  fetch(request) {
    console.log("COORDINATOR ASKED");
    return this.counted.fetch(request);
  }

  alarm() {
    return this.counted.alarm();
  }
}

export { default } from "./index.js";
