// The arrival on a page: what waits is sent, and what is live is asked for. when.js loads if one of the
// surveys could be asked here; where the browser tells of routes, other pages cost nothing more.

import { document, native } from "./document.js";
import { makeOutbox } from "./outbox.js";
import { makeStore } from "./store.js";
import { visit } from "./visit.js";

/** Begins on this page, once it is really shown and idle. */
export async function arrive(host) {
  const { base, site, signal, fault } = host;
  if (document.prerendering) {
    await new Promise((resolve) => document.addEventListener("prerenderingchange", resolve));
  }
  await new Promise((resolve) => (native("requestIdleCallback") || setTimeout)(resolve));
  if (signal.aborted) return;

  const [, mode, draft, token] = location.search.match(/asklet-(debug|preview=([\w-]+)\.([\w.-]+))/) ?? [];
  const path = draft ? `preview/${site}/${draft}/${token}` : `config/${site}`;
  const answer = fetch(`${base}v1/${path}`, { credentials: "omit" });
  // Storage is slow at first: the network is asked before it.
  const store = (host.store = makeStore(`asklet/${site}/`));
  host.outbox = makeOutbox(host);
  host.outbox.send();
  const response = await answer;
  // What the edge refuses has a detail, and what it has no surveys for, a problem.
  const { detail, problem = detail, files, rest_days = 7, survey, surveys = [survey] } = await response.json();
  if (problem) return fault({ message: problem });
  if (!surveys[0]) return mode && fault({ message: "no survey is live" });
  if (signal.aborted) return;

  /** Whether a survey's rules let it be asked on this page. They see 2,000 characters of its address. */
  const isHere = ({ id, audience }) => {
    try {
      return RegExp(audience?.pages ?? "").test(location.href.slice(0, 2_000));
    } catch (error) {
      fault(error, { survey: id });
    }
  };

  /** Whether nothing that was asked before forbids to ask a survey now. */
  const isRested = ({ id, again }) =>
    store.keys("asked/").every((key) => {
      const [outcome, at] = `${store.read(key)}`.split(" ");
      // Without a number of days, of 86,400,000 ms each, it is never asked again: no comparison holds.
      const days = key === `asked/${id}` ? again?.[outcome] : rest_days;
      return Date.now() - at >= days * 86_400_000;
    });

  const isTold = native("navigation")?.currentEntry;

  /** Looks at the page's address, at first and when it may have changed. */
  const look = (event) => {
    if (!draft) visit(store);
    if (host.run) return host.run("route", event);
    if (
      mode ||
      host.early.some(([, name]) => name === "show") ||
      surveys.some((survey) => isRested(survey) && (isHere(survey) || !isTold))
    ) {
      import(base + files.when).then(({ watch }) => signal.aborted || host.run || watch(host)).catch(fault);
    }
  };

  Object.assign(host, { surveys, files, isTold, look, mode, draft, token, isDue: (survey) => isHere(survey) && isRested(survey) });
  if (isTold) navigation.addEventListener("currententrychange", look, { signal });
  addEventListener("pageshow", look, { signal });
  look();
}
