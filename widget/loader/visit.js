import { document } from "./document.js";

/**
 * Counts this page view in; without one for half an hour a visit is over. What is kept of the visit, between spaces: its number, from 1, when it was
 * last seen, and the UTM parameters and the referrer of its first page. Nothing of this is ever sent.
 */
export function visit(store) {
  let [count, seenAt, ...origin] = store.read("visit")?.split(" ") ?? [0];
  if (!(Date.now() - seenAt < 1_800_000)) {
    count++;
    origin = [location.search.match(/utm_\w+=[^&]*/g)?.join("&"), document.referrer];
  }
  store.write("visit", [count, Date.now(), ...origin].join(" "));
}
