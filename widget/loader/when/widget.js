/**
 * Loads the widget's two halves and the survey's body, all at once, and shows the survey. Resolves to
 * what takes it away again, or to nothing where this browser or this page cannot run the widget.
 */
export async function openWidget({ id, version, shards }, host, visitor, [language, digest], kept) {
  const { base, site, files, outbox, signal, draft, token } = host;
  if (!window.WebAssembly || !document.adoptedStyleSheets || !document.body.showPopover) return;
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
  const at = Math.floor(Math.random() * (shards.length ?? shards));
  const shard = shards[at] ?? at;
  let shownAt;
  await glue.ask({
    body,
    version,
    context: context(visitor),
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
 * Where and by whom it is answered, a line each: the page, the identity token, and keys and values of
 * traits in turn. Nothing of it where the browser asks not to be followed.
 */
function context({ identity = "", traits }) {
  if (navigator.globalPrivacyControl || navigator.doNotTrack === "1") return "\n";
  const told = Object.entries(traits).filter(([, value]) => value != null);
  const lines = [location.origin + location.pathname, identity, ...told.flat()];
  return lines.map((line) => `${line}`.replace(/[\r\n]+/g, " ")).join("\n");
}

/** Starts a download that the widget will ask for once it runs. */
function preload(href) {
  const link = document.createElement("link");
  Object.assign(link, { rel: "preload", as: "fetch", crossOrigin: "anonymous", href });
  document.head.append(link);
}
