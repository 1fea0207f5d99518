/**
 * Texts by key in localStorage, and in memory for where that is forbidden or full. What this page wrote
 * itself it reads from memory: another tab can have removed it, or it could not be stored. One key a
 * text, so that tabs do not overwrite each other's.
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
      memory.set(key, text);
      attempt((kept) => kept.setItem(prefix + key, text));
    },
    forget: (isMeant) => keys("").filter(isMeant).forEach(remove),
  };
}
