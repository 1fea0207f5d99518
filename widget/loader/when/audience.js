/** Whether a survey is for this visitor; its pages were looked at before. */
export function fits({ id, audience = {} }, { store }, visitor) {
  const { devices, languages, traits, visitors, min_visits, referrer, utm, sample_percent } = audience;
  const [count, , tags, from] = `${store.read("visit")}`.split(" ");
  const parameters = new URLSearchParams(tags);
  const all = (wanted, told) => Object.entries(wanted ?? {}).every(([key, value]) => `${told(key)}` === value);
  return (
    (!devices || devices.includes(device(navigator.userAgent))) &&
    (!languages || languages.some(isPreferred)) &&
    all(traits, (key) => visitor.traits[key]) &&
    (!visitors || (visitors === "new") === (count < 2)) &&
    !(count < min_visits) &&
    (!referrer || `${from}`.includes(referrer)) &&
    all(utm, (key) => parameters.get(key)) &&
    !(draw(id, store) >= sample_percent)
  );
}

/** The class of a device, as the edge tells it from the same text. */
function device(agent) {
  if (/iPad|Tablet|Android(?!.*Mobile)/.test(agent)) return "tablet";
  return /Mobi|iPhone/.test(agent) ? "phone" : "desktop";
}

/** Whether the browser prefers a language or one within it: `de` is also `de-AT`. */
function isPreferred(wanted) {
  return navigator.languages.some((language) => `${language}-`.toLowerCase().startsWith(`${wanted}-`.toLowerCase()));
}

/**
 * A number from 0 to 99 that stays the same for a visitor and a survey. The seed never leaves the
 * browser. The hash is FNV-1a; the id comes first, so that surveys draw apart.
 */
function draw(id, store) {
  const seed = store.read("seed") ?? `${Math.random()}`;
  store.write("seed", seed);
  let hash = 0x811c9dc5;
  for (const letter of id + seed) hash = Math.imul(hash ^ letter.charCodeAt(), 0x01000193);
  return (hash >>> 0) % 100;
}
