// A clock of the page's own, which a test can put forward.

/** Runs first in a page. Timers run as ever, and `putForward` runs those that are due in so many milliseconds. */
export function installClock() {
  const { setTimeout, clearTimeout } = window;
  const [dateNow, sinceStart] = [Date.now, performance.now.bind(performance)];
  const timers = new Map();
  let ahead = 0;
  const now = (performance.now = () => sinceStart() + ahead);
  Date.now = () => dateNow() + ahead;
  window.setTimeout = (run, ms = 0, ...rest) => {
    const timer = () => timers.delete(id) && run(...rest);
    const id = setTimeout(timer, ms);
    timers.set(id, Object.assign(timer, { at: now() + ms }));
    return id;
  };
  window.clearTimeout = (id) => {
    timers.delete(id);
    clearTimeout(id);
  };
  window.putForward = async (ms) => {
    const end = now() + ms;
    const isDue = ({ at }) => at <= end;
    for (let due; (due = [...timers.values()].filter(isDue).sort((a, b) => a.at - b.at)[0]); ) {
      ahead += Math.max(0, due.at - now());
      due();
      // What it did may have set others.
      await new Promise((resolve) => setTimeout(resolve));
    }
    ahead += Math.max(0, end - now());
  };
}
