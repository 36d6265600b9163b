// The Worker's module: what the runtime calls, and how that reaches the WebAssembly module.

import * as wasm from "./index.js";
import { describe } from "./bridge.js";
import { called, nextTask } from "./tasks.js";

export default {
  fetch(request, env, context) {
    return called(() => wasm.begin(nextTask(), describe(request), request, env, context));
  },
};

/** The Durable Object. What counts is in the WebAssembly module, and is made anew with it. */
export class RateLimits {
  #state;
  #counting;
  #generation;

  constructor(state) {
    this.#state = state;
  }

  fetch(request) {
    return called((generation) => this.#of(generation).fetch(request));
  }

  alarm() {
    return called((generation) => this.#of(generation).alarm());
  }

  #of(generation) {
    if (this.#generation !== generation) {
      this.#counting = new wasm.RateLimits(this.#state);
      this.#generation = generation;
    }
    return this.#counting;
  }
}
