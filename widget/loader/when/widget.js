import { document } from "./document.js";

/** Whether this browser has what the widget needs. */
export const canRun = () => Object.hasOwn(window, "WebAssembly") && document.adoptedStyleSheets && document.body.showPopover;

/**
 * Loads the widget's two halves and the survey's body, all at once, and has the widget show it; see `open`
 * in `../widget.js` for what that resolves to.
 */
export async function openWidget(survey, host, visitor, [language, digest], isWanted) {
  const { base, site, files, draft, token } = host;
  if (!canRun()) return;
  const wasm = load(`${base}${files.widget}.wasm`);
  const path = draft ? `preview/${site}/${survey.id}/${token}/${language}` : `body/${site}/${survey.id}/${digest}`;
  const body = load(`${base}v1/${path}`);
  const { open } = await import(`${base}${files.widget}.js`);
  return open(wasm, body, survey, host, visitor, isWanted);
}

/** Starts a download. If another one fails first, nobody takes this one's failure. */
function load(address) {
  const answer = fetch(address, { credentials: "omit" });
  answer.catch(() => {});
  return answer;
}
