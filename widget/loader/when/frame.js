import { record } from "../widget/record.js";
import { document, takeDocument } from "./document.js";
import { nearest } from "./language.js";
import { canRun } from "./widget.js";

/* global CLOSE: what the close button is called, by language; the build puts it here. */

/** As the widget is placed where nothing else is said. Set by script, which no `style-src` forbids. */
const PLACE =
  "all:initial;position:fixed;z-index:2147483647;bottom:1rem;inset-inline-end:1rem;" +
  "width:min(26rem,100vw - 2rem);height:min(30rem,100vh - 2rem);color-scheme:light dark;visibility:hidden;";
const INSIDE = "width:100%;height:100%;box-sizing:border-box;border:1px solid GrayText;background:Canvas";
const BUTTON = "position:absolute;top:2px;inset-inline-end:2px;width:2rem;height:2rem";

/** How long the hosted page has to say that it is there: at all, and once its frame has loaded something. */
const ANSWER_MS = 30_000;
const LOADED_MS = 1_000;

/**
 * Shows the hosted page of a survey in a frame, if that is still wanted once the page says that it is there.
 * Resolves to its element and what takes it away, or to neither; fails, with nothing shown, where the page
 * forbids frames or the hosted page cannot be reached or does not let itself be framed.
 */
export async function openFrame(survey, host, [language], isWanted) {
  takeDocument(host);
  const { base, site, draft, token } = host;
  const kept = record(survey, host);
  const address = `${base}s/${site}/${survey.id}?lang=${language}&frame${draft ? `&preview=${token}` : ""}`;
  // It could run the widget, so the page's policy did not let it.
  if (canRun()) report("script-src", host);
  const element = document.createElement("asklet-survey");
  const frame = document.createElement("iframe");
  const button = document.createElement("button");
  const listening = new AbortController();
  const set = (property, value) => element.style.setProperty(property, value, "important");
  const listen = (target, event, heard) => target.addEventListener(event, heard, { signal: listening.signal });
  const close = () => {
    listening.abort();
    element.remove();
  };
  element.style.cssText = PLACE.replaceAll(";", "!important;");
  frame.style.cssText = INSIDE;
  button.style.cssText = BUTTON;
  const [spoken, label] = nearest([["en", CLOSE.en], ...Object.entries(CLOSE)], language);
  Object.assign(frame, { src: address, title: "Survey", lang: "en" });
  Object.assign(button, { textContent: "✕", lang: spoken, ariaLabel: label });
  button.onclick = () => {
    close();
    kept.happened("dismissed");
  };
  try {
    await new Promise((resolve, reject) => {
      const refuse = (message, directive) => reject(Object.assign(new Error(message), { directive }));
      const giveUp = () => refuse("the survey's page could not be shown in a frame");
      listen(document, "securitypolicyviolation", ({ disposition, effectiveDirective, blockedURI }) => {
        // A policy that only reports stands in nobody's way.
        if (disposition !== "enforce" || effectiveDirective !== "frame-src" || !address.startsWith(blockedURI)) return;
        report(effectiveDirective, host);
        refuse("the page's policy forbids the survey", effectiveDirective);
      });
      // A frame does not tell that it failed: it loads what the browser says of that. So the hosted page
      // says what has been reached, each time that one of its pages is there.
      listen(window, "message", ({ source, data }) => {
        if (source !== frame.contentWindow || !data?.asklet) return;
        if (data.asklet === "answered") kept.happened("answered");
        resolve();
      });
      frame.onload = () => setTimeout(giveUp, LOADED_MS);
      setTimeout(giveUp, ANSWER_MS);
      element.attachShadow({ mode: "open" }).append(frame, button);
      document.body.append(element);
    });
  } catch (error) {
    close();
    throw error;
  }
  if (!isWanted()) {
    close();
    return {};
  }
  // Not on paper: what is set here knows no media.
  listen(window, "beforeprint", () => set("display", "none"));
  listen(window, "afterprint", () => set("display", "block"));
  set("visibility", "visible");
  kept.happened("shown");
  return { element, close };
}

/** Tells the team which directive of the page's policy stood in the way, once a day. */
function report(directive, { base, site, store, draft }) {
  const key = `report/${directive}`;
  const today = new Date().toISOString().slice(0, 10);
  if (draft || store.read(key) === today) return;
  store.write(key, today);
  const body = `{"directive":"${directive}"}`;
  // What did not arrive is told again at the next occasion, and what something else answered has not.
  fetch(`${base}v1/installs/${site}`, { method: "POST", body, credentials: "omit" })
    .then(({ headers }) => headers.has("asklet") || store.remove(key))
    .catch(() => store.remove(key));
}
