// Presence: what runs on every page view. It fetches the config once the page is idle, loads the
// moment (when.js) if a survey could be asked, and keeps the outbox: an unsent display must leave
// from the next page too, where no widget loads.

/** How many unsent displays are kept, and for how long. */
const OUTBOX_LIMIT = 50;
const OUTBOX_MS = 30 * 24 * 60 * 60 * 1000;

/** How long a burst of states is collected before it is sent; each is kept at once. */
const SEND_DELAY_MS = 200;

/** The wait after a first failure; it doubles up to the longest that we choose ourselves. */
const RETRY_MS = 2_000;
const RETRY_LIMIT_MS = 5 * 60 * 1000;

/** The longest wait that a server can ask for: a later page view tries again anyway. */
const RETRY_AFTER_LIMIT_MS = 60 * 60 * 1000;

const { currentScript } = document;
const site = currentScript?.dataset.site;

// The tag pasted twice is one instance. An element with this id would be a global of this name too.
if (site && !window.asklet?.site) {
  window.asklet = { site };
  const base = new URL(".", currentScript.src).href;
  const store = makeStore(`asklet/${site}/`);
  const outbox = makeOutbox(base, site, store);
  const whenIdle = window.requestIdleCallback ?? ((work) => setTimeout(work, SEND_DELAY_MS));
  whenIdle(() => {
    outbox.send();
    arrive(base, site, store, outbox).catch((error) => console.warn(`asklet: ${error.message}`));
  });
}

/** Asks which surveys are live and loads what could ask one. */
async function arrive(base, site, store, outbox) {
  const response = await fetch(`${base}v1/config/${site}`, { credentials: "omit" });
  const config = await response.json();
  if (!response.ok) throw new Error(config.detail);
  // Rules that this release does not act on would be broken by asking.
  const surveys = config.surveys.filter(
    ({ id, wait, audience, again }) => !wait && !audience && !again && store.read(`asked/${id}`) === null,
  );
  if (surveys.length === 0) return;
  const { watch } = await import(base + config.files.when);
  watch({ base, site, files: config.files, surveys, store, outbox });
}

/**
 * Texts by key in localStorage, or in memory where that is forbidden or full. One key a text, so
 * that tabs do not overwrite each other's.
 */
function makeStore(prefix) {
  const memory = new Map();
  // Even naming localStorage throws where it is forbidden.
  const attempt = (work) => {
    try {
      return work(localStorage);
    } catch {
      return undefined;
    }
  };
  return {
    read: (key) => attempt((kept) => kept.getItem(prefix + key)) ?? memory.get(key) ?? null,
    write: (key, text) => {
      const kept = attempt((storage) => {
        storage.setItem(prefix + key, text);
        return true;
      });
      if (kept) memory.delete(key);
      else memory.set(key, text);
    },
    remove: (key) => {
      attempt((kept) => kept.removeItem(prefix + key));
      memory.delete(key);
    },
    keys: (start) => {
      const kept = attempt((storage) => Object.keys(storage)) ?? [];
      const ours = kept.filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length));
      return [...new Set([...ours, ...memory.keys()])].filter((key) => key.startsWith(start));
    },
  };
}

/**
 * Displays on their way. An entry is `SHOWN_AT SURVEY/SHARD` on one line and the display's JSON on
 * the next: no object passes through a `JSON` that the page may have patched.
 */
function makeOutbox(base, site, store) {
  const sending = new Map();
  let timer;
  let dueAt = 0;
  let failures = 0;

  /** Keeps a display's newest state, and sends it soon. */
  const put = (id, shownAt, path, json) => {
    store.write(`outbox/${id}`, `${shownAt} ${path}\n${json}`);
    const oldest = entries().slice(0, -OUTBOX_LIMIT);
    for (const { key } of oldest) store.remove(key);
    schedule(SEND_DELAY_MS);
  };

  /** What waits, oldest first; what has waited too long is forgotten. */
  const entries = () => {
    const found = [];
    for (const key of store.keys("outbox/")) {
      const text = store.read(key);
      const [, shownAt, path, json] = text?.match(/^(\d+) (\S+)\n(\{.*)$/s) ?? [];
      if (json && Date.now() - shownAt < OUTBOX_MS) found.push({ key, text, shownAt: +shownAt, path, json });
      else store.remove(key);
    }
    return found.sort((a, b) => a.shownAt - b.shownAt);
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
    const due = entries().filter(({ key, text }) => sending.get(key) !== text);
    const waits = await Promise.all(due.map(deliver));
    const retryAfter = Math.max(...waits.filter((wait) => wait !== undefined));
    if (retryAfter >= 0) {
      const backoff = Math.min(RETRY_MS * 2 ** failures++, RETRY_LIMIT_MS);
      schedule(Math.max(retryAfter, backoff * (0.5 + Math.random() / 2)));
    } else if (due.length > 0) {
      failures = 0;
    }
  };

  /** Posts a display; resolves to the milliseconds that the server wants to wait, if it failed. */
  const deliver = async ({ key, text, shownAt, path, json }) => {
    sending.set(key, text);
    const age = Math.max(0, Date.now() - shownAt);
    try {
      const response = await fetch(`${base}v1/collect/${site}/${path}`, {
        method: "POST",
        body: `{"age_ms":${age},${json.slice(1)}`,
        credentials: "omit",
        keepalive: true,
      });
      const { ok, status, headers } = response;
      if (status >= 500 || [408, 425, 429].includes(status)) {
        return Math.min(headers.get("retry-after") * 1000 || 0, RETRY_AFTER_LIMIT_MS);
      }
      // Any other refusal would be the same next time.
      if (store.read(key) === text) store.remove(key);
      if (!ok) console.warn(`asklet: an answer was refused (${status})`);
    } catch {
      // Offline, or the server is down.
      return 0;
    } finally {
      if (sending.get(key) === text) sending.delete(key);
    }
  };

  addEventListener("online", send);
  addEventListener("pagehide", send);
  addEventListener("visibilitychange", () => document.hidden && send());
  return { put, send };
}
