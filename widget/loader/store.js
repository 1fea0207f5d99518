/**
 * Texts by key in localStorage, and in memory where that is forbidden or full. The outbox is in memory
 * besides: another tab can have removed what this one has still to send. One key a text, so that tabs
 * do not overwrite each other's.
 */
export function makeStore(prefix) {
  const memory = new Map();
  // Even naming localStorage throws where it is forbidden.
  const attempt = (work) => {
    try {
      return work(localStorage);
    } catch {
      return null;
    }
  };
  const keys = (start) =>
    [...new Set([...(attempt(Object.keys) ?? []), ...memory.keys()])]
      .filter((key) => key.startsWith(prefix + start))
      .map((key) => key.slice(prefix.length));
  const remove = (key) => {
    memory.delete(prefix + key);
    attempt((kept) => delete kept[prefix + key]);
  };
  return {
    keys,
    remove,
    read: (key) => memory.get(prefix + key) ?? attempt((kept) => kept[prefix + key]),
    write: (key, text) => {
      const isKept = attempt((kept) => (kept[prefix + key] = text));
      if (!isKept || key[0] === "o") memory.set(prefix + key, text);
    },
    forget: (isMeant) => keys("").filter(isMeant).forEach(remove),
  };
}
