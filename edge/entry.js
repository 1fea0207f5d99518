// What the platform starts: the Worker as a handler, and its objects.
//
// A module that has trapped is never used again, because its memory is in a half-changed state. The next call
// gets a fresh module, on which all objects are made anew. What the objects had stored was rolled back or is
// complete.

import * as module from "./index.js";

// Stacks inside the module are deep.
Error.stackTraceLimit = 100;

// What the crate `worker` records about the module: whether it has panicked, and the number of its instance.
// The number grows with each start of the module.
const state = module.__worker_init_state();

function notice(error, request) {
  const isTrap = error instanceof WebAssembly.RuntimeError;
  if (isTrap) state.criticalError = true;
  // An error that is not a trap came from the platform: for example, an object could not be reached, or a
  // client has disconnected.
  const route = isTrap ? "trap" : "platform";
  console.error(JSON.stringify({ level: "error", request, route, cause: String(error?.stack ?? error) }));
}

// Reports what breaks in a task that no answer waits for.
addEventListener("error", (event) => notice(event.error));

// Returns the number of an instance that works.
function instance() {
  if (state.criticalError) {
    module.__wbg_reset_state();
    state.criticalError = false;
  }
  return state.instanceId;
}

const REQUEST_ID = "asklet-request-id";

// The id of a request that comes from outside only the module knows, and it may be gone.
function fail(error, id = crypto.randomUUID().slice(-10)) {
  notice(error, id);
  const problem = {
    type: "urn:asklet:problem:internal",
    title: "Something went wrong on the server",
    status: 500,
    detail: "nothing was stored; the same request can be repeated",
    code: "internal",
    instance: `urn:asklet:request:${id}`,
  };
  return new Response(JSON.stringify(problem), {
    status: 500,
    headers: {
      "content-type": "application/problem+json",
      "cache-control": "no-store",
      "access-control-allow-origin": "*",
      "access-control-expose-headers": "asklet",
      asklet: "1",
      [REQUEST_ID]: id,
    },
  });
}

function answer(call, id) {
  try {
    const answered = call();
    return answered instanceof Promise ? answered.catch((error) => fail(error, id)) : answered;
  } catch (error) {
    return fail(error, id);
  }
}

// Returns a class whose object is made anew with each instance of the module.
const renewed = (Made) =>
  class {
    constructor(state, env) {
      this.state = state;
      this.env = env;
    }

    current() {
      const number = instance();
      if (this.instance !== number) {
        this.object = new Made(this.state, this.env);
        this.instance = number;
      }
      return this.object;
    }

    fetch(request) {
      // The Worker's calls to its objects have this address, and bring the id of the request that they are for.
      const id = request.url === "https://object/call" ? request.headers.get(REQUEST_ID) : undefined;
      return answer(() => this.current().fetch(request), id ?? undefined);
    }

    async alarm() {
      try {
        return await this.current().alarm();
      } catch (error) {
        notice(error);
        // The platform calls the alarm again.
        throw error;
      }
    }
  };

export const Directory = renewed(module.Directory);
export const Site = renewed(module.Site);
export const Survey = renewed(module.Survey);

export default {
  fetch(request, env, context) {
    return answer(() => {
      instance();
      return module.fetch(request, env, context);
    });
  },
};
