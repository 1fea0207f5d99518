// Elements that take the names of everything that our scripts could read from a page.

import { readFileSync } from "node:fs";
import { join } from "node:path";

const ASSETS = join(import.meta.dirname, "../../dist/assets");

/** Every word in the scripts of the last build, so that a name that is read anew is among them. */
function words() {
  const { when, widget, frame } = JSON.parse(readFileSync(join(ASSETS, "manifest.json"), "utf8")).files;
  const scripts = ["asklet.js", "debug.js", when, `${widget}.js`, frame].map((name) => readFileSync(join(ASSETS, name), "utf8"));
  return new Set(scripts.join("\n").match(/[A-Za-z_]\w{2,}/g));
}

/**
 * For each word an image, which becomes a property of `document`, and a link, which becomes one of
 * `window` where that has none; and what else can take a name that some browsers leave free.
 */
export function namedElements() {
  const each = [...words()].map((word) => `<img name="${word}"><a id="${word}"></a>`);
  const free = ["asklet", "navigation", "requestIdleCallback", "WebAssembly"].map(
    (word) =>
      `<iframe name="${word}" srcdoc="" title="${word}"></iframe><object id="${word}"></object>` +
      `<form id="${word}"><input type="hidden" name="currentEntry"><input type="hidden" name="isAsklet"></form>`,
  );
  return `<div hidden>${[...free, ...each].join("\n")}</div>`;
}
