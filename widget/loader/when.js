// The moment: decides when a survey is asked, and brings the widget when it is.

/** Waits for the triggers of the surveys that could be asked, and asks the first that fires. */
export function watch(host) {
  const timers = [];
  const fire = (survey) => {
    timers.forEach(clearTimeout);
    visible()
      .then(() => ask(host, survey))
      .catch((error) => console.warn(`asklet: ${error.message}`));
  };
  for (const survey of host.surveys) {
    for (const { delay } of survey.triggers) {
      // Triggers that this release does not know never fire.
      if (delay !== undefined) timers.push(setTimeout(fire, delay, survey));
    }
  }
}

/**
 * Resolves once the page can be seen, has a body, and has no modal dialog open: what lies outside of
 * one cannot be answered.
 */
function visible() {
  const ready = () => !document.hidden && document.body && !document.querySelector("dialog:modal");
  const events = ["visibilitychange", "DOMContentLoaded", "close"];
  return new Promise((resolve) => {
    const check = () => {
      if (!ready()) return;
      for (const name of events) document.removeEventListener(name, check, true);
      resolve();
    };
    // `close` does not bubble, but it can be captured.
    for (const name of events) document.addEventListener(name, check, true);
    check();
  });
}

/** Loads the widget's two halves and the survey's body, all at once, and shows the survey. */
async function ask({ base, site, files, store, outbox }, survey) {
  // Another tab may have asked meanwhile.
  if (store.read(`asked/${survey.id}`) !== null) return;
  const [, digest] = nearest(survey.bodies);
  const body = `${base}v1/body/${site}/${survey.id}/${digest}`;
  preload(body);
  const wasm = fetch(base + files.wasm, { credentials: "omit" });
  const glue = await import(base + files.glue);
  await glue.default({ module_or_path: wasm });
  const shard = Math.floor(Math.random() * survey.shards);
  let shownAt;
  await glue.ask({
    body,
    version: survey.version,
    page: location.origin + location.pathname,
    identity: "",
    traits: "",
    save: (id, json, what) => {
      if (what === "shown") {
        shownAt = Date.now();
        store.write(`asked/${survey.id}`, `${shownAt}`);
      }
      outbox.put(id, shownAt, `${survey.id}/${shard}`, json);
    },
  });
}

/** The body in the page's language or in one of the visitor's, or else in the survey's own. */
function nearest(bodies) {
  for (const wanted of [document.documentElement.lang, ...navigator.languages]) {
    for (let tag = wanted.toLowerCase(); tag; tag = tag.slice(0, Math.max(0, tag.lastIndexOf("-")))) {
      const found = bodies.find(([language]) => language.toLowerCase() === tag);
      if (found) return found;
    }
  }
  return bodies[0];
}

/** Starts a download that the widget will ask for once it runs. */
function preload(href) {
  const link = document.createElement("link");
  Object.assign(link, { rel: "preload", as: "fetch", crossOrigin: "anonymous", href });
  document.head.append(link);
}
