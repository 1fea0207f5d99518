// The moment: decides when a survey is asked, and of whom.

import { ask, close } from "./when/ask.js";
import { failedRule } from "./when/audience.js";
import { claim } from "./when/claim.js";
import { document, takeDocument } from "./when/document.js";
import { onRoute } from "./when/route.js";
import { TRIGGERS, tracked } from "./when/triggers.js";
import { untilVisible } from "./when/visible.js";

/** What the page told of its visitor. */
let visitor = { traits: {} };

/** At most one survey asks by itself in one page view, which is one load of the page. */
let hasAsked;

/** Takes the page's commands, and waits for the triggers of the surveys that could be asked. */
export function watch(host) {
  takeDocument(host);
  const { surveys, signal, draft, fault } = host;
  // Tools that run tags in a worker give it a copy of the page, which shows nothing.
  if (!globalThis.history) throw new Error("it cannot run in a worker");
  /** Surveys between their trigger, or the page's command, and being shown, each with whether it may be asked then. */
  const waiting = new Map();
  const always = () => true;
  /** Surveys that the page is ready for and the visitor is not: traits can be told later. */
  let missed;
  let address = location.href;
  let arming;

  const isMeant = (survey) => draft || (host.isDue(survey) && !failedRule(survey, host, visitor));

  const fire = async (survey, isLasting) => {
    if (hasAsked || waiting.has(survey)) return;
    if (!isMeant(survey)) return isLasting && missed.add(survey);
    // Another tab may have asked meanwhile, or the page may have told something.
    await show(survey, () => !hasAsked && isMeant(survey), survey.wait?.ms);
  };

  /** Shows a survey after a while, once it can be seen, if it still waits and may be asked then. */
  const show = async (survey, mayAsk, ms) => {
    const { inline } = survey;
    const isWaiting = () => waiting.get(survey) === mayAsk;
    waiting.set(survey, mayAsk);
    if (ms) await new Promise((resolve) => setTimeout(resolve, ms));
    if (inline && !document.querySelector(inline)) fault({ message: `the page has no element ${inline}` }, { survey: survey.id });
    let outcome;
    do {
      outcome = undefined;
      await untilVisible(inline, isWaiting);
      await claim(host, async () => {
        if (isWaiting() && mayAsk()) outcome = await ask(survey, host, visitor, isWaiting);
      });
      hasAsked ||= outcome === "shown";
      // Something opened while it loaded: that is waited for too.
    } while (outcome === "unseen");
    if (isWaiting()) waiting.delete(survey);
  };

  /** Lets go of the surveys that wait, of those that a test picks. */
  const cancel = (isMeant) => {
    for (const [survey, mayAsk] of waiting) if (isMeant(survey, mayAsk)) waiting.delete(survey);
  };

  /** Waits for every trigger anew. */
  const arm = () => {
    arming?.abort();
    arming = new AbortController();
    missed = new Set();
    const { signal } = arming;
    for (const survey of surveys) {
      for (const trigger of draft ? [{ delay: 0 }] : survey.triggers) {
        const [kind, value] = typeof trigger === "string" ? [trigger] : Object.entries(trigger)[0];
        const isLasting = /^(delay|time|scroll)/.test(kind);
        try {
          let hasFired;
          const once = () => {
            // What stays true fires once: not again when it was cancelled.
            if (signal.aborted || (isLasting && hasFired)) return;
            hasFired = true;
            fire(survey, isLasting).catch(fault);
          };
          TRIGGERS[kind]?.(value, once, signal);
        } catch (error) {
          fault(error, { survey: survey.id });
        }
      }
    }
  };

  const commands = {
    close() {
      close();
      // What the page wanted to show it does not want any more.
      cancel((survey, mayAsk) => mayAsk === always);
    },
    identify(token) {
      visitor.identity = token;
    },
    language(language) {
      visitor.language = language;
    },
    traits(traits) {
      Object.assign(visitor.traits, traits);
      for (const survey of missed) fire(survey).catch(fault);
    },
    track(name, properties) {
      cancel((survey) => survey.wait?.cancelled_by?.includes(name));
      tracked.dispatchEvent(new CustomEvent(name, { detail: properties }));
    },
    show(id) {
      const survey = surveys.find((survey) => survey.id === id);
      if (!survey) fault({ message: `the survey ${id} is not live` }, { survey: id });
      else if (waiting.get(survey) !== always) show(survey, always).catch(fault);
    },
    reset() {
      close();
      waiting.clear();
      visitor = { traits: {} };
    },
    /** The address may have changed, or the page is back from the browser's cache. */
    route(event) {
      if (address === location.href && !event?.persisted) return;
      address = location.href;
      cancel((survey, mayAsk) => !mayAsk());
      arm();
    },
  };
  host.run = (name, ...rest) => commands[name](...rest);

  signal.addEventListener("abort", () => {
    arming.abort();
    waiting.clear();
    close();
  });
  if (!host.isTold) onRoute(host.look, signal);
  arm();
  if (host.mode) import(host.base + "debug.js").then(({ explain }) => explain(host, () => ({ visitor, hasAsked }), waiting), fault);
  for (const [at, ...command] of host.early.splice(0)) {
    // What happened on another page of the same load is none of this one's.
    if (command[0] !== "track" || at === location.href) host.run(...command);
  }
}
