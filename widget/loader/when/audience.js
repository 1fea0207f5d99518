import { isPreferred } from "./language.js";

/** The first rule about the audience that this visitor fails; the pages were looked at before. */
export function failedRule({ id, audience = {} }, { store }, visitor) {
  const [count, , tags, from] = `${store.read("visit")}`.split(" ");
  const parameters = new URLSearchParams(tags);
  const all = (wanted, told) => Object.entries(wanted).every(([key, value]) => `${told(key)}` === value);
  const holds = {
    devices: (devices) => devices.includes(device(navigator.userAgent)),
    languages: (languages) => languages.some(isPreferred),
    traits: (traits) => all(traits, (key) => visitor.traits[key]),
    visitors: (kind) => (kind === "new") === (count < 2),
    min_visits: (least) => !(count < least),
    referrer: (part) => `${from}`.includes(part),
    utm: (utm) => all(utm, (key) => parameters.get(key)),
    sample_percent: (share) => draw(id, store) < share,
  };
  return Object.keys(audience).find((rule) => holds[rule]?.(audience[rule]) === false);
}

/** The class of a device, as the edge tells it from the same text. */
function device(agent) {
  if (/iPad|Tablet|Android(?!.*Mobile)/.test(agent)) return "tablet";
  return /Mobi|iPhone/.test(agent) ? "phone" : "desktop";
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
