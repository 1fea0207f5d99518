// Why a survey does not show: with `?asklet-debug` in the page's address when.js loads this file, which
// says on the console of each live survey which rule said no, or what it waits for.

import { failedRule } from "./when/audience.js";
import { takeDocument } from "./when/document.js";

/** Says so now, and again after each command and each change of the address. */
export function explain(host, visitor) {
  const { run, surveys, draft } = host;
  // A preview shows whatever the rules say.
  if (draft) return;
  takeDocument(host);
  const say = () => {
    for (const survey of surveys) console.info(`asklet: survey ${survey.id}: ${reason(survey, host, visitor())}`);
  };
  host.run = (...command) => {
    run(...command);
    say();
  };
  say();
}

function reason(survey, host, visitor) {
  const { audience = {}, again = {}, triggers } = survey;
  const rule = failedRule(survey, host, visitor);
  if (!RegExp(audience.pages ?? "").test(location.href.slice(0, 2_000))) return "not on this page: targeting.include or targeting.exclude";
  if (!host.isDue(survey)) {
    const asked = host.store.read(`asked/${survey.id}`);
    if (!asked) return "another survey was asked: rest_days of the site";
    const [outcome, at] = asked.split(" ");
    return `asked on ${new Date(+at).toISOString()} and ${outcome}: frequency, again after ${again[outcome] ?? "no"} days`;
  }
  if (rule) return `not for this visitor: targeting.${rule} is ${JSON.stringify(audience[rule])}`;
  return `waits for one of its triggers: ${JSON.stringify(triggers)}`;
}
