/**
 * Does what only one tab of the site may do at a time, unless another one is at it. Where there are no
 * locks, as on insecure pages, or they are forbidden, as without an origin, it is done all the same.
 */
export async function claim({ site }, work) {
  let isTried;
  const locked = (lock) => {
    isTried = true;
    return lock && work();
  };
  try {
    await navigator.locks.request(`asklet/${site}`, { ifAvailable: true }, locked);
  } catch (error) {
    if (isTried) throw error;
    await work();
  }
}
