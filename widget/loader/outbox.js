/** How many unsent displays are kept, and for how long. */
const LIMIT = 50;
const KEEP_MS = 2_592_000_000;

/** How long a burst of states is collected before it is sent; each is kept at once. */
const SEND_DELAY_MS = 200;

/** The longest that an answer of the server is waited for; a display can safely be sent twice. */
const TIMEOUT_MS = 30_000;

/** The wait after a first failure; it doubles up to the longest that we choose ourselves. */
const RETRY_MS = 2_000;
const RETRY_LIMIT_MS = 300_000;

/** The longest wait that a server can ask for: a later page view tries again anyway. */
const RETRY_AFTER_LIMIT_MS = 3_600_000;

/**
 * Displays on their way. An entry is `SHOWN_AT SURVEY/SHARD` on one line and the display's JSON on
 * the next: no object passes through a `JSON` that the page may have patched.
 *
 * Any tab sends what any tab has kept: the server knows a repeated display by its id and revision. The
 * tab in which it is made holds its newest state in memory besides, until that itself has arrived.
 */
export function makeOutbox({ base, site, store, signal, fault }) {
  const sending = new Map();
  let timer;
  let dueAt = 0;
  let failures = 0;

  /** Keeps a display's newest state, and sends it soon. */
  const put = (id, shownAt, path, json) => {
    store.write(`outbox/${id}`, `${shownAt} ${path}\n${json}`);
    for (const [, key] of entries().slice(0, -LIMIT)) store.remove(key);
    schedule(SEND_DELAY_MS);
  };

  /**
   * What waits, oldest first: when it was shown, its key and text, and the text's other parts. What has
   * waited too long is forgotten.
   */
  const entries = () => {
    const found = [];
    for (const key of store.keys("outbox/")) {
      const text = store.read(key);
      const [, shownAt, path, json] = text?.match(/^(\d+) (\S+)\n(\{.*)/s) ?? [];
      if (json && Date.now() - shownAt < KEEP_MS) found.push([shownAt, key, text, path, json]);
      else store.remove(key);
    }
    return found.sort(([a], [b]) => a - b);
  };

  /** Sends after a while, or earlier if that was promised already. */
  const schedule = (ms) => {
    const at = Date.now() + ms;
    if (timer && at >= dueAt) return;
    clearTimeout(timer);
    dueAt = at;
    timer = setTimeout(send, ms);
  };

  /** Sends everything that waits and is not on its way already; after a failure, again later. */
  const send = async () => {
    clearTimeout(timer);
    timer = undefined;
    const due = entries().filter(([, key, text]) => sending.get(key) !== text);
    const waits = await Promise.all(due.map(deliver));
    const retryAfter = Math.max(...waits);
    if (retryAfter >= 0) {
      const backoff = Math.min(RETRY_MS * 2 ** failures++, RETRY_LIMIT_MS);
      schedule(Math.max(retryAfter, backoff * (0.5 + Math.random() / 2)));
    } else if (due[0]) {
      failures = 0;
    }
  };

  /** Posts a display; resolves to the milliseconds to wait at least, if it failed, or else to -1. */
  const deliver = async ([shownAt, key, text, path, json]) => {
    sending.set(key, text);
    const age = Math.max(0, Date.now() - shownAt);
    try {
      const response = await fetch(`${base}v1/collect/${site}/${path}`, {
        method: "POST",
        body: `{"age_ms":${age},${json.slice(1)}`,
        credentials: "omit",
        keepalive: true,
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      const { ok, status, headers } = response;
      // A firewall or the page of a captive portal can answer in the edge's place.
      if (!headers.has("asklet") || /^(5|408|429)/.test(status)) {
        return Math.min(headers.get("retry-after") * 1000 || 0, RETRY_AFTER_LIMIT_MS);
      }
      const { code, detail } = ok || (await response.json());
      // Any other refusal would be the same next time.
      if (store.read(key) === text) store.remove(key);
      if (!ok) fault({ message: `answer refused: ${code}: ${detail}` });
      return -1;
    } catch {
      // Offline, or the server is down.
      return 0;
    } finally {
      if (sending.get(key) === text) sending.delete(key);
    }
  };

  /** Says of no display any more who answered. The token is the last that the widget writes. */
  const reset = () => {
    for (const [, key, text] of entries()) store.write(key, text.replace(/,"identity":"[^"]*"}$/, "}"));
  };

  // Back in view, or back from the browser's cache, is as good a chance as any.
  for (const event of ["online", "pagehide", "visibilitychange"]) addEventListener(event, send, { signal });
  return { put, send, reset };
}
