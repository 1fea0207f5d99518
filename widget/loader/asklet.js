// Presence: what runs on every page view. Here are the one global and its commands; arrival.js asks
// what is live, and when.js, which only loads where a survey could be asked, does the rest.

import { arrive } from "./arrival.js";
import { makeStore } from "./store.js";

/** What the first argument of each command must be. */
const TYPES = {
  init: "object",
  traits: "object",
  identify: "string",
  language: "string",
  track: "string",
  show: "string",
  on: "string",
  close: "undefined",
  reset: "undefined",
  consent: "boolean",
};
const EVENTS = /^(shown|answered|completed|dismissed|error)$/;

/** Events that are kept until when.js is there; a page without it may go on telling. */
const EARLY_LIMIT = 100;

const tag = document.currentScript ?? document.querySelector('script[data-site][src*="asklet.js"]');
const listeners = [];

/** What this file shares with arrival.js and when.js, which add to it. */
const host = { early: [], emit, fault };
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
    listeners.push([event, callback]);
  },
  reset() {
    host.run?.("reset");
    host.early = [];
    host.store?.forget((key) => !key.startsWith("outbox/"));
  },
};

const before = window.asklet;
// An element with this id, too, is a global of this name, and not an instance.
if (!before?.isAsklet) {
  window.asklet = (name, ...rest) => {
    try {
      if (typeof rest[0] !== TYPES[name]) throw name;
      if (OWN[name]) OWN[name](...rest);
      else if (host.run) host.run(name, ...rest);
      else {
        if (name !== "track" || host.early.length < EARLY_LIMIT) host.early.push([location.href, name, ...rest]);
        if (name === "show") host.look?.();
      }
    } catch {
      console.warn("asklet: unknown:", name, ...rest);
    }
  };
  window.asklet.isAsklet = true;
  // What the queue stub has kept; an element has no `call`.
  if (before?.call) for (const call of before.q ?? []) window.asklet(...call);
}
const { site, consent } = tag?.dataset ?? {};
// The first copy of the script knows what a second one tells it.
if (site) window.asklet("init", { site, consent, src: tag.src });

/** Begins, once it is known for which site and that it may. */
function begin() {
  const { site, consent, src = tag?.src } = settings;
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
