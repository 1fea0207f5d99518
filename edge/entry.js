// What the platform starts: the Worker of ./index.js as a handler. By itself that is a class, which
// the platform would make anew, behind two proxies, for each request; it keeps nothing of one.

import Worker, { Directory, Site, Survey } from "./index.js";

export { Directory, Site, Survey };

let worker;
let workerEnv;

export default {
  fetch(request, env, context) {
    if (workerEnv !== env) {
      worker = new Worker(context, env);
      workerEnv = env;
    }
    return worker.fetch(request);
  },
};
