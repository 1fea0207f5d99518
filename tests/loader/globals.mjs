/** Gives the page a global for one test: what reading it gives, or throws. */
export function withGlobal(t, name, get) {
  t.after(() => delete globalThis[name]);
  Object.defineProperty(globalThis, name, { get, configurable: true });
}

/** What naming localStorage does where it is forbidden. */
export function forbidden() {
  throw new DOMException("forbidden", "SecurityError");
}
