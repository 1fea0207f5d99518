/**
 * Resolves once the page can be seen, has a body, and has no modal dialog open: what lies outside of
 * one cannot be answered. A dialog can be closed, or taken out of the page without a word.
 */
export function untilVisible() {
  const isReady = () => !document.hidden && document.body && !document.querySelector("dialog:modal");
  return new Promise((resolve) => {
    const check = () => {
      if (!isReady()) return;
      document.removeEventListener("visibilitychange", check);
      changes.disconnect();
      resolve();
    };
    const changes = new MutationObserver(check);
    document.addEventListener("visibilitychange", check);
    changes.observe(document, { attributeFilter: ["open"], childList: true, subtree: true });
    check();
  });
}
