/**
 * Calls back when the address may have changed, where the browser has no Navigation API. Other patches
 * of the history keep working: this one calls through, and keeps `this`, name and length.
 */
export function onRoute(callback, signal) {
  for (const name of ["popstate", "hashchange"]) addEventListener(name, callback, { signal });
  for (const name of ["pushState", "replaceState"]) {
    const original = history[name];
    history[name] = {
      [name](state, unused) {
        const result = original.apply(this, arguments);
        if (!signal.aborted) callback();
        return result;
      },
    }[name];
  }
}
