// Presence: what runs on every page view. Here are the one global and its commands; arrival.js asks
// what is live, and when.js, which only loads where a survey could be asked, does the rest.

import { arrive } from "./arrival.js";
import { document, native } from "./document.js";
import { makeStore } from "./store.js";

/** Each command, and of which type its first argument is. */
const COMMANDS =
  /^((init|traits) object|(identify|language|track|show|on) string|(close|reset) undefined|consent boolean)$/;
const EVENTS = /^(shown|answered|completed|dismissed|error)$/;

const { currentScript } = document;
// A module has no current script. It knows by the first line of its stack where it came from.
const address = currentScript?.src || Error().stack?.match(/https?:\S+?(?=:\d+:\d)/)?.[0];
const tag = currentScript?.src ? currentScript : [...document.scripts].find(({ src }) => src === address);
const listeners = new Set();

/** What this file shares with arrival.js and when.js, which add to it. */
const host = { early: [], emit, fault, document };
let settings = {};
let isGranted;
let ending;
let isFaulty;

/** The commands that need no when.js. */
const OWN = {
  init(told) {
    settings = { ...told, ...settings };
    begin();
  },
  consent(isGiven) {
    isGranted = isGiven;
    (isGiven ? begin : end)();
  },
  on(event, callback) {
    if (!EVENTS.test(event) || !callback.call) throw event;
    const listener = [event, callback];
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  reset() {
    host.run?.("reset");
    host.early = [];
    host.store?.forget((key) => !key.startsWith("outbox/"));
    host.outbox?.reset();
  },
};

const before = native("asklet");
if (!before?.isAsklet) {
  window.asklet = (name, ...rest) => {
    try {
      if (!COMMANDS.test(`${name} ${typeof rest[0]}`)) throw name;
      if (OWN[name]) return OWN[name](...rest);
      if (host.run) host.run(name, ...rest);
      else {
        // At most 100 events wait for when.js: a page without it may go on sending them.
        if (name !== "track" || host.early.length < 100) host.early.push([location.href, name, ...rest]);
        if (name === "show") host.look?.();
      }
    } catch {
      console.warn("asklet: unknown:", name, ...rest);
    }
  };
  window.asklet.isAsklet = true;
  // What the queue stub has kept.
  for (const call of before?.q ?? []) window.asklet(...call);
}
const { site, consent } = tag?.dataset ?? {};
// The first copy of the script knows what a second one tells it.
if (site) window.asklet("init", { site, consent, src: address });
else if (!settings.site && !before?.isAsklet) console.warn("asklet: no data-site");

/** Begins, once it is known for which site and that it may. */
function begin() {
  const { site, consent, src = address } = settings;
  if (ending || !site || !(isGranted ?? consent !== "required")) return;
  const base = new URL(".", src).href;
  ending = new AbortController();
  arrive(Object.assign(host, { site, base, signal: ending.signal })).catch(fault);
}

/** Ends, and forgets everything, unsent answers included. */
function end() {
  ending?.abort();
  ending = host.run = host.look = undefined;
  for (const store of [host.store, makeStore("asklet/")]) store?.forget(Boolean);
}

/** Tells the page. What its callback throws is its own and stops nothing here. */
function emit(event, detail) {
  for (const [wanted, callback] of listeners) wanted === event && queueMicrotask(() => callback(detail));
}

/** Tells of a fault of ours, once a page. */
function fault({ message }, detail) {
  if (isFaulty || !ending) return;
  isFaulty = true;
  console.warn(`asklet: ${message}`);
  emit("error", { message, ...detail });
}
