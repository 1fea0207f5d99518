// The arrival on a page: what waits is sent, and what is live is asked for. when.js loads if one of the
// surveys could be asked here; where the browser tells of routes, other pages cost nothing more.

import { makeOutbox } from "./outbox.js";
import { makeStore } from "./store.js";
import { visit } from "./visit.js";

const DAY_MS = 86_400_000;

/** Begins on this page, once it is really shown and idle. */
export async function arrive(host) {
  const { base, site, signal, fault } = host;
  if (document.prerendering) {
    await new Promise((resolve) => document.addEventListener("prerenderingchange", resolve));
  }
  await new Promise((resolve) => (window.requestIdleCallback ?? setTimeout)(resolve));
  if (signal.aborted) return;

  const [, draft, token] = location.search.match(/asklet-preview=([\w-]+)\.([\w.-]+)/) ?? [];
  const path = draft ? `preview/${site}/${draft}/${token}` : `config/${site}`;
  const answer = fetch(`${base}v1/${path}`, { credentials: "omit" });
  // Storage is slow at first: the network is asked before it.
  const store = (host.store = makeStore(`asklet/${site}/`));
  host.outbox = makeOutbox(host);
  host.outbox.send();
  const response = await answer;
  const config = await response.json();
  if (!response.ok) return fault({ message: config.detail });
  const { files, rest_days = 7, survey, surveys = [survey] } = config;
  host.surveys = surveys.filter((survey) => {
    try {
      survey.pages = new RegExp(survey.audience?.pages ?? "");
      return true;
    } catch (error) {
      fault(error, { survey: survey.id });
    }
  });
  if (!host.surveys[0] || signal.aborted) return;

  const isHere = ({ pages }) => pages.test(location.href);

  /** Whether nothing that was asked before forbids to ask a survey now. */
  const isRested = ({ id, again }) =>
    store.keys("asked/").every((key) => {
      const [outcome, at] = `${store.read(key)}`.split(" ");
      // Without a number of days it is never asked again: no comparison holds.
      const days = key === `asked/${id}` ? again?.[outcome] : rest_days;
      return Date.now() - at >= days * DAY_MS;
    });

  // An element with this id would be a global of this name too.
  const isTold = window.navigation?.currentEntry;

  /** Looks at the page's address, at first and when it may have changed. */
  const look = (event) => {
    if (!draft) visit(store);
    if (host.run) return host.run("route", event);
    if (
      draft ||
      host.early.some(([, name]) => name === "show") ||
      host.surveys.some((survey) => isRested(survey) && (isHere(survey) || !isTold))
    ) {
      import(base + files.when).then(({ watch }) => signal.aborted || host.run || watch(host)).catch(fault);
    }
  };

  Object.assign(host, { files, isTold, look, draft, token, isDue: (survey) => isHere(survey) && isRested(survey) });
  if (isTold) navigation.addEventListener("currententrychange", look, { signal });
  addEventListener("pageshow", look, { signal });
  look();
}
