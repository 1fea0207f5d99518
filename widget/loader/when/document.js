/** The page's document as asklet.js sees it, past elements that are named like its properties. */
export let document;

/** Takes it from asklet.js, as the first thing in each file that is loaded after it. */
export function takeDocument(host) {
  document = host.document ?? window.document;
}
