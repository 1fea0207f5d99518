/** Whether this browser has what the widget needs. */
export const canRun = () => window.WebAssembly && document.adoptedStyleSheets && document.body.showPopover;

/**
 * Loads the widget's two halves and the survey's body, all at once, and shows the survey. Resolves to
 * what takes it away again, or to nothing where this browser or this page cannot run the widget.
 */
export async function openWidget({ id, version, shards = ["0"], query }, host, visitor, [language, digest], kept, isClosed) {
  const { base, site, files, outbox, signal, draft, token } = host;
  if (!canRun()) return;
  const body = `${base}v1/${draft ? `preview/${site}/${id}/${token}/${language}` : `body/${site}/${id}/${digest}`}`;
  preload(body);
  const wasm = fetch(`${base}${files.widget}.wasm`, { credentials: "omit" });
  // If the glue fails first, nobody else takes this one's failure.
  wasm.catch(() => {});
  const glue = await import(`${base}${files.widget}.js`);
  try {
    await glue.default({ module_or_path: wasm });
  } catch {
    // It arrived, so what refused it is the page's policy or the browser.
    if ((await wasm).ok) return;
    throw new Error("the widget could not be fetched");
  }
  // The page changed its mind while this was on its way.
  if (isClosed()) return () => {};
  const shard = shards[Math.floor(Math.random() * shards.length)];
  let shownAt;
  await glue.ask({
    body,
    version,
    ...told(visitor, query),
    save(display, json, what) {
      if (signal.aborted || draft) return;
      shownAt ??= Date.now();
      outbox.put(display, shownAt, `${id}/${shard}`, json);
      kept.happened(what, display, json);
    },
  });
  return glue.close;
}

/**
 * Where and by whom it is answered; traits are keys and values in turn, with NULs between. Nothing of it
 * is told where the browser asks not to be followed.
 */
function told({ identity = "", traits }, query) {
  if (navigator.globalPrivacyControl || navigator.doNotTrack === "1") return { page: "", identity: "", traits: "" };
  // With a token that is over, the whole display would be refused.
  if (isOver(identity)) identity = "";
  const known = Object.entries(traits).filter(([, value]) => value != null);
  const page = location.origin + location.pathname + (query ? location.search : "");
  return { page, identity, traits: known.flat().join("\0") };
}

/** Whether a token's time is over; what cannot be read the server may judge. */
function isOver(token) {
  try {
    const claims = atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/"));
    return claims.match(/"exp":(\d+)/)[1] * 1000 < Date.now();
  } catch {
    return false;
  }
}

/** Starts a download that the widget will ask for once it runs. */
function preload(href) {
  const link = document.createElement("link");
  Object.assign(link, { rel: "preload", as: "fetch", crossOrigin: "anonymous", href });
  document.head.append(link);
}
