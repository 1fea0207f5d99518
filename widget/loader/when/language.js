/**
 * The parts of a language tag, as CLDR has them today: `iw-IL` is he, Hebr and IL. Script and region are
 * the likely ones where it names none, or only what it names, by "toString".
 */
export function parts(tag, method = "maximize") {
  try {
    // Bokmål is what is meant by Norwegian.
    return `${new Intl.Locale(tag.replace(/^nb\b/i, "no"))[method]()}`.split("-");
  } catch {
    return [tag];
  }
}

/**
 * Of pairs that begin with a language, the one in the nearest language to the first wanted that has one; of
 * several the one with the shortest tag, which is for the most people. Else the first.
 */
export function nearest(pairs, ...wanted) {
  const sorted = [...pairs].sort(([a], [b]) => a.length - b.length);
  for (const tag of wanted) {
    // The same tag, then the same language, script and region, then any region, then any script.
    for (const count of [0, 3, 2, 1]) {
      const first = (tag) => (count ? `${parts(tag).slice(0, count)}` : tag.toLowerCase());
      const found = sorted.find(([language]) => first(language) === first(tag));
      if (found) return found;
    }
  }
  return pairs[0];
}

/** Whether the browser prefers a language or one within it: `de` is also `de-AT`, and `zh-Hant` also `zh-TW`. */
export function isPreferred(wanted) {
  return navigator.languages.some((language) => parts(wanted, "toString").every((part) => parts(language).includes(part)));
}
