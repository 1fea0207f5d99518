import { document } from "./document.js";

/** How soon a page that could not show a survey is looked at again: of styles nothing tells. */
const AGAIN_MS = 250;

/** Resolves once a survey could be seen and answered in this page, or is not waiting for that any more. */
export async function untilVisible(slot, isWaiting) {
  while (isWaiting() && !canShow(slot)) {
    await new Promise((resolve) => {
      if (document.hidden) document.addEventListener("visibilitychange", resolve, { once: true });
      else setTimeout(resolve, AGAIN_MS);
    });
  }
}

/**
 * Whether a survey could be seen and answered now, in the element that it asks for if it asks for one.
 * What the page has open and modal takes the focus and the clicks of all else; beside a fullscreen element
 * nothing is seen; and a preview of Turbo's is a copy that goes once the page is there.
 */
export function canShow(slot) {
  const { hidden, body, documentElement, fullscreenElement } = document;
  const parent = slot ? document.querySelector(slot) : body;
  const isOver = (element) =>
    // A survey can be part of a dialog.
    (element.inert || !element.contains(parent)) && (element.matches(":modal") || isInView(element));
  return (
    !hidden &&
    parent &&
    (!slot || parent.getClientRects()[0]) &&
    ![documentElement, body].some(isOff) &&
    fullscreenElement?.contains(parent) !== false &&
    !document.querySelector("[data-turbo-preview]") &&
    ![...document.querySelectorAll("dialog:modal,[aria-modal=true],body>[inert]")].some(isOver)
  );
}

/** Whether nothing within an element can be seen or used. */
function isOff(element) {
  const { display, contentVisibility } = getComputedStyle(element);
  return element.inert || display === "none" || contentVisibility === "hidden";
}

/** Whether any part of an element is in view. Closed dialogs and drawers stay in many pages, hidden or beside it. */
function isInView(element) {
  // What Safari has no `checkVisibility` for before 17.4 its styles say.
  if (getComputedStyle(element).opacity === "0") return;
  return [element, ...element.querySelectorAll("*")].some((part) => {
    const { top, right, bottom, left } = part.getBoundingClientRect();
    return (
      Math.min(bottom, innerHeight) > Math.max(top, 0) &&
      Math.min(right, innerWidth) > Math.max(left, 0) &&
      getComputedStyle(part).visibility === "visible" &&
      part.checkVisibility?.({ checkOpacity: true }) !== false
    );
  });
}
