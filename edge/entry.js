// What the platform starts: the Worker of ./index.js as a handler, and its objects.
//
// By itself the Worker is a class, which the platform would make anew, behind two proxies, for each
// request; it keeps nothing of one. And a module that has trapped is never used again: its memory
// stays as it was in the middle of something. The next call gets a fresh one, with all objects made
// anew; what they had stored was rolled back or is whole.

import Worker, * as objects from "./index.js";

// Grows with each trap.
let generation = 0;

function notice(error) {
  const isTrap = error instanceof WebAssembly.RuntimeError;
  if (isTrap) {
    globalThis.__worker_init_state.criticalError = true;
    generation += 1;
  }
  // What is no trap came from the platform: an object that was not reached, a client that is gone.
  const route = isTrap ? "trap" : "platform";
  console.error(JSON.stringify({ level: "error", route, cause: String(error?.stack ?? error) }));
}

function fail(error) {
  notice(error);
  const problem = {
    type: "urn:asklet:problem:internal",
    title: "Something went wrong on the server",
    status: 500,
    detail: "nothing was stored; the same request can be repeated",
    code: "internal",
  };
  return new Response(JSON.stringify(problem), {
    status: 500,
    headers: {
      "content-type": "application/problem+json",
      "cache-control": "no-store",
      "access-control-allow-origin": "*",
      "access-control-expose-headers": "asklet",
      asklet: "1",
    },
  });
}

function answer(handler, request) {
  try {
    const answered = handler().fetch(request);
    return answered instanceof Promise ? answered.catch(fail) : answered;
  } catch (error) {
    return fail(error);
  }
}

// An object that is made anew after a trap.
const guarded = (Made) =>
  class {
    constructor(state, env) {
      this.state = state;
      this.env = env;
    }

    current() {
      if (this.generation !== generation) {
        this.generation = generation;
        this.object = new Made(this.state, this.env);
      }
      return this.object;
    }

    fetch(request) {
      return answer(() => this.current(), request);
    }

    async alarm() {
      try {
        return await this.current().alarm();
      } catch (error) {
        notice(error);
        // The platform tries again.
        throw error;
      }
    }
  };

export const Directory = guarded(objects.Directory);
export const Site = guarded(objects.Site);
export const Survey = guarded(objects.Survey);

let worker;
let workerEnv;
let workerGeneration;

export default {
  fetch(request, env, context) {
    const current = () => {
      if (workerEnv !== env || workerGeneration !== generation) {
        workerEnv = env;
        workerGeneration = generation;
        worker = new Worker(context, env);
      }
      return worker;
    };
    return answer(current, request);
  },
};
