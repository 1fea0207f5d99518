import { document } from "../when/document.js";

/** How often a survey is put back: more than a visit needs, and an end where the page means to remove it. */
const RETURNS = 100;

/**
 * Puts a panel into the page: above it, or into the element that a selector finds. It has an element of
 * its own with a shadow root, which neither the page's styles nor its policy reach into.
 *
 * Frameworks swap the body for the next page's without a load. The same element is put back then, or once
 * the element that it stands in is there again. Returns the element and what takes it away for good.
 */
export function place(panel, styles, slot, onGone) {
  const element = document.createElement("asklet-survey");
  const shadow = element.attachShadow({ mode: "open" });
  let returns = RETURNS;
  let isGone;
  const put = () => {
    const parent = document.querySelector(slot || "body");
    if (!parent || returns-- < 0) return;
    // A copy that a framework has kept, or that came with a saved page, has no shadow root and is dead.
    for (const copy of document.querySelectorAll("asklet-survey")) copy.shadowRoot ?? copy.remove();
    parent.append(element);
    return true;
  };
  const keep = () => {
    if (!element.isConnected && !put()) {
      if (!isGone) onGone();
      isGone = true;
      if (returns < 0) observer.disconnect();
      return;
    }
    isGone = false;
    // What is moved leaves the top layer, which is above whatever the page stacks.
    if (!slot && !element.matches(":popover-open")) element.showPopover();
  };
  shadow.adoptedStyleSheets = styles.map((rules) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(rules);
    return sheet;
  });
  shadow.append(panel);
  if (!slot) element.popover = "manual";
  if (!put()) throw new Error(`the page has no element ${slot || "body"}`);
  keep();
  const observer = new MutationObserver(keep);
  observer.observe(window.document, { childList: true, subtree: true });
  const remove = () => {
    observer.disconnect();
    element.remove();
  };
  return [element, remove];
}
