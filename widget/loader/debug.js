// Why a survey does not show: with `?asklet-debug` in the page's address when.js loads this file, which
// says on the console of each live survey which rule said no, or what it waits for.

import { failedRule } from "./when/audience.js";
import { document, takeDocument } from "./when/document.js";
import { canShow } from "./when/visible.js";

/** How often it is looked whether something else holds: of most of it nothing tells. */
const AGAIN_MS = 250;

/** Says so now, and of each survey again when it has another reason. */
export function explain(host, state, waiting) {
  const { surveys, draft, signal } = host;
  // A preview shows whatever the rules say.
  if (draft) return;
  takeDocument(host);
  const said = new Map();
  const say = () => {
    for (const survey of surveys) {
      const why = reason(survey, host, state(), waiting);
      if (said.get(survey) !== why) console.info(`asklet: survey ${survey.id}: ${why}`);
      said.set(survey, why);
    }
  };
  const timer = setInterval(say, AGAIN_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
  say();
}

function reason(survey, host, { visitor, hasAsked }, waiting) {
  const { audience = {}, again = {}, triggers, inline } = survey;
  if (waiting.has(survey)) {
    if (canShow(inline)) return "about to show";
    if (inline && !document.querySelector(inline)) return `the page has no element ${inline}`;
    return "waits until it can be seen and answered: the page is hidden, or something modal or in full screen is open";
  }
  const rule = failedRule(survey, host, visitor);
  if (!RegExp(audience.pages ?? "").test(location.href.slice(0, 2_000))) return "not on this page: targeting.include or targeting.exclude";
  if (!host.isDue(survey)) {
    const asked = host.store.read(`asked/${survey.id}`);
    if (!asked) return "another survey was asked: rest_days of the site";
    const [outcome, at] = asked.split(" ");
    return `asked on ${new Date(+at).toISOString()} and ${outcome}: frequency, again after ${again[outcome] ?? "no"} days`;
  }
  if (rule) return `not for this visitor: targeting.${rule} is ${JSON.stringify(audience[rule])}`;
  if (hasAsked) return "another survey was asked in this load of the page";
  return `waits for one of its triggers: ${JSON.stringify(triggers)}`;
}
