/**
 * Resolves once the page can be seen, has a body, and has no modal dialog open: what lies outside of
 * one cannot be answered.
 */
export function untilVisible() {
  const isReady = () => !document.hidden && document.body && !document.querySelector("dialog:modal");
  const events = ["visibilitychange", "DOMContentLoaded", "close"];
  return new Promise((resolve) => {
    const check = () => {
      if (!isReady()) return;
      for (const name of events) document.removeEventListener(name, check, true);
      resolve();
    };
    // `close` does not bubble, but it can be captured.
    for (const name of events) document.addEventListener(name, check, true);
    check();
  });
}
