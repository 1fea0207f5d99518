// Brings a survey into the page: by the widget, or in a frame where that cannot run. The frame's code is
// a file of its own, since hardly anybody needs it; the build puts its name in place of FRAME.
/* global FRAME */

import { document } from "./document.js";
import { nearest } from "./language.js";
import { canShow } from "./visible.js";
import { openWidget } from "./widget.js";

let isOpening;
let isClosed;

/**
 * The survey that was shown last: its element, and what takes it away. Whether it is in the page its own
 * element says; another of that name may be a copy that the page has made.
 */
let shown;

/** Takes the survey out of the page, as it is. */
export function close() {
  isClosed = true;
  shown?.close();
  shown = undefined;
}

/**
 * Shows a survey, unless one is there. Resolves to what became of it: `shown`, `unseen` where it could not
 * be seen any more when it had loaded, or nothing. Unless it was shown, it counts as not asked.
 */
export async function ask(survey, host, visitor, isWaiting) {
  if (isOpening || shown?.element.isConnected) return;
  close();
  isOpening = true;
  isClosed = false;
  // In the language that the page told, in its own, in one of the visitor's, or in the survey's.
  const body = nearest(survey.bodies, visitor.language ?? "", document.documentElement.lang, ...navigator.languages);
  const isWanted = () => isWaiting() && !isClosed && canShow(survey.inline);
  try {
    let opened = await openWidget(survey, host, visitor, body, isWanted);
    opened ??= await (await import(host.base + FRAME)).openFrame(survey, host, body, isWanted);
    if (opened.element) shown = opened;
    else if (!isClosed) return "unseen";
    // What the page has closed has had its turn.
    return "shown";
  } catch (error) {
    // What the widget throws is a text.
    host.fault({ message: error.message ?? error }, { survey: survey.id, directive: error.directive });
  } finally {
    isOpening = false;
  }
}
