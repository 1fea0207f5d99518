let heard;

/**
 * Calls back when the address may have changed, where the browser has no Navigation API. Other patches
 * of the history keep working: this one is made once, calls through, and keeps `this`, name and length.
 */
export function onRoute(callback, signal) {
  for (const name of ["popstate", "hashchange"]) addEventListener(name, callback, { signal });
  const isPatched = heard;
  heard = () => signal.aborted || callback();
  if (isPatched) return;
  for (const name of ["pushState", "replaceState"]) {
    const original = history[name];
    history[name] = {
      [name](state, unused) {
        const result = original.apply(this, arguments);
        heard();
        return result;
      },
    }[name];
  }
}
