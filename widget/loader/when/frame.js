import { canRun } from "./widget.js";

/* global CLOSE: what the close button is called, by language; the build puts it here. */

/** As the widget is placed where nothing else is said. Set by script, which no `style-src` forbids. */
const PLACE =
  "all:initial;position:fixed;z-index:2147483647;bottom:1rem;inset-inline-end:1rem;" +
  "width:min(26rem,100vw - 2rem);height:min(30rem,100vh - 2rem);color-scheme:light dark;";
const INSIDE = "width:100%;height:100%;box-sizing:border-box;background:Canvas";
const BUTTON = "position:absolute;top:2px;inset-inline-end:2px;width:2rem;height:2rem";

/**
 * Shows the hosted page of a survey in a frame. Resolves to what takes it away again; fails, with
 * nothing shown, where the page forbids frames or the hosted page cannot be reached.
 */
export async function openFrame({ id }, host, [language], kept) {
  const { base, site, draft, token } = host;
  const address = `${base}s/${site}/${id}?lang=${language}&frame${draft ? `&preview=${token}` : ""}`;
  // It could run the widget, so the page's policy did not let it.
  if (canRun()) report("script-src", host);
  // A frame does not tell that it failed.
  await fetch(address, { method: "HEAD", mode: "no-cors", credentials: "omit" });
  const element = document.createElement("asklet-survey");
  const frame = document.createElement("iframe");
  const button = document.createElement("button");
  element.style.cssText = PLACE.replaceAll(";", "!important;");
  frame.style.cssText = INSIDE;
  button.style.cssText = BUTTON;
  const spoken = CLOSE[language] ? language : language.split("-")[0];
  Object.assign(frame, { src: address, title: "Survey", lang: "en" });
  Object.assign(button, { textContent: "✕", lang: spoken, ariaLabel: CLOSE[spoken] ?? CLOSE.en });
  button.onclick = () => {
    element.remove();
    kept.happened("dismissed");
  };
  await new Promise((resolve, reject) => {
    document.addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) => {
      if (effectiveDirective !== "frame-src" || !address.startsWith(blockedURI)) return;
      element.remove();
      report(effectiveDirective, host);
      reject(Object.assign(new Error("the page's policy forbids the survey"), { directive: effectiveDirective }));
    });
    // A frame that was refused loads too, and the refusal is told right after.
    // Each further load is of a form that was sent.
    let loads = 0;
    frame.onload = () => (loads++ ? kept.answered() : setTimeout(resolve, 100));
    element.attachShadow({ mode: "open" }).append(frame, button);
    document.body.append(element);
  });
  kept.happened("shown");
  return () => element.remove();
}

/** Tells the team which directive of the page's policy stood in the way, once a day. */
function report(directive, { base, site, store, draft }) {
  const key = `report/${directive}`;
  const today = new Date().toISOString().slice(0, 10);
  if (draft || store.read(key) === today) return;
  store.write(key, today);
  const body = `{"directive":"${directive}"}`;
  // What did not arrive is told again at the next occasion.
  fetch(`${base}v1/installs/${site}`, { method: "POST", body, credentials: "omit" }).catch(() => store.remove(key));
}
