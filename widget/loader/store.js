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
  const keys = (start) => {
    const kept = attempt(Object.keys) ?? [];
    const ours = kept.filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length));
    return [...new Set([...ours, ...memory.keys()])].filter((key) => key.startsWith(start));
  };
  const remove = (key) => {
    memory.delete(key);
    attempt((kept) => kept.removeItem(prefix + key));
  };
  return {
    keys,
    remove,
    read: (key) => memory.get(key) ?? attempt((kept) => kept.getItem(prefix + key)),
    write: (key, text) => {
      const isKept = attempt((kept) => kept.setItem(prefix + key, text) ?? 1);
      if (!isKept || key[0] === "o") memory.set(key, text);
    },
    forget: (isMeant) => keys("").filter(isMeant).forEach(remove),
  };
}
