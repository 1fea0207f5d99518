// The survey, once it is asked: the page's side of the module. The build puts this and the module's glue
// into one file, so that it costs nothing before.

import start, { ask, close } from "bound";

import { takeDocument } from "./when/document.js";
import { place } from "./widget/place.js";
import { record } from "./widget/record.js";
import { told } from "./widget/told.js";

/**
 * Shows a survey from what is being downloaded, if that is still wanted once it is there. Resolves to its
 * element and what takes it away, to neither where it is not wanted, and to nothing where this browser or
 * this page cannot run the module.
 */
export async function open(wasm, body, survey, host, visitor, isWanted) {
  takeDocument(host);
  const { id, version, shards = ["0"], query } = survey;
  try {
    await start({ module_or_path: wasm });
  } catch {
    // If it arrived, what refused it is the page's policy or the browser.
    await arrived("module", wasm);
    return;
  }
  const bytes = await (await arrived("body", body)).arrayBuffer();
  if (!isWanted()) return {};
  const kept = record(survey, host);
  const shard = shards[Math.floor(Math.random() * shards.length)];
  let shownAt;
  let element;
  let remove;
  ask({
    body: new Uint8Array(bytes),
    version,
    ...told(visitor, query),
    place(panel, style, theme, slot) {
      const gone = () => host.emit("error", { message: "the page took the survey away", survey: id });
      [element, remove] = place(panel, [style, theme], slot, gone);
    },
    remove: () => remove(),
    save(display, json, what) {
      if (host.signal.aborted || host.draft) return;
      shownAt ??= Date.now();
      host.outbox.put(display, shownAt, `${id}/${shard}`, json);
      kept.happened(what, display, json);
    },
  });
  return { element, close };
}

/** The answer to a download, if it is the one that was wanted. */
async function arrived(what, answer) {
  const { ok, status } = await answer.catch(() => ({ status: "no answer" }));
  if (!ok) throw new Error(`the survey's ${what} could not be fetched: ${status}`);
  return answer;
}
