// The tasks of the WebAssembly module, as far as JavaScript has a part in them: it waits, and it has the last word when the
// module itself fails.

import { __wbg_reset_state, resume } from "./index.js";

let lastTask = 0;

/** A number that no task has had. It is counted here, since what waits here outlives a module that is made anew. */
export function nextTask() {
  lastTask = (lastTask + 1) >>> 0;
  return lastTask;
}

let generation = 0;
let isBroken = false;

/**
 * Calls into the module. One that has trapped is made anew first, since nobody knows in what state its memory is; which of them this one
 * is, the call is told. Errors of the module's own are thrown on, and the runtime answers them with 500.
 */
export function called(call) {
  if (isBroken) {
    console.error("The WebAssembly module is made anew.");
    __wbg_reset_state();
    isBroken = false;
    generation += 1;
  }
  try {
    return call(generation);
  } catch (error) {
    // The second is a stack that has become too deep.
    if (error instanceof WebAssembly.RuntimeError || error instanceof RangeError) {
      console.error("The WebAssembly module has failed:", error);
      isBroken = true;
    }
    throw error;
  }
}

/** Waits for what a task has asked for, and resumes it with that, until it is done. Gives what comes of it. */
export async function drive(task, asked) {
  do {
    let value;
    let isFulfilled = true;
    try {
      value = await asked;
    } catch (error) {
      [value, isFulfilled] = [error, false];
    }
    asked = called(() => resume(task, value, isFulfilled));
  } while (asked instanceof Promise);
  return asked;
}
