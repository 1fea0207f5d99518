// Brings a survey into the page: by the widget, or in a frame where that cannot run. The frame's code is
// a file of its own, since hardly anybody needs it; the build puts its name in place of FRAME.
/* global FRAME */

import { record } from "./record.js";
import { openWidget } from "./widget.js";

let isOpening;
let remove;

/** Takes the survey out of the page, as it is. */
export function close() {
  remove?.();
}

/** Shows a survey, unless one is there. If it cannot be shown, it counts as not asked. */
export async function ask(survey, host, visitor) {
  if (isOpening || document.querySelector("asklet-survey")) return;
  isOpening = true;
  let isClosed;
  remove = () => (isClosed = true);
  const kept = record(survey, host);
  const body = nearest(survey.bodies, visitor.language);
  try {
    let opened = await openWidget(survey, host, visitor, body, kept, () => isClosed);
    if (!opened) opened = await (await import(host.base + FRAME)).openFrame(survey, host, body, kept);
    remove = opened;
    if (isClosed) {
      remove();
      kept.undo();
    }
  } catch (error) {
    kept.undo();
    host.fault(error, { survey: survey.id, directive: error.directive });
  }
  isOpening = false;
}

/** The body in the language that the page told, in its own, in one of the visitor's, or the survey's. */
function nearest(bodies, told = "") {
  for (const wanted of [told, document.documentElement.lang, ...navigator.languages]) {
    for (let tag = wanted.toLowerCase(); tag; tag = tag.slice(0, Math.max(0, tag.lastIndexOf("-")))) {
      const found = bodies.find(([language]) => language.toLowerCase() === tag);
      if (found) return found;
    }
  }
  return bodies[0];
}
