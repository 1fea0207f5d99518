// What a page pays: `cargo xtask bench`. The same page alone, with nothing to ask, with something that
// could be asked, with a survey at once, and with one that an event brings, each in a browser of its own
// round after round. What does not depend on the machine has a bar; times stand beside the page alone.

import { once } from "node:events";
import { createServer } from "node:http";
import { parseArgs } from "node:util";

import { chromium } from "@playwright/test";

import { Deployment } from "../browser/deployment.mjs";
import { LAUNCH } from "../browser/playwright.config.mjs";

const { values } = parseArgs({ options: { runs: { type: "string", default: "7" } } });
const RUNS = Number(values.runs);

/** The network and the CPU of a visit: as they are, and those of a cheap phone. */
const PROFILES = {
  "as it is": undefined,
  "slow 4G, CPU 4x slower": { latency: 150, downloadThroughput: 200_000, uploadThroughput: 93_750, cpu: 4 },
};

const QUESTIONS = {
  questions: [
    {
      id: "score",
      text: "How likely are you to recommend us?",
      answer: { rating: { scale: "nps", low: "Not at all likely", high: "Extremely likely" } },
    },
    { id: "why", text: "What could we do better?", answer: { text: {} } },
  ],
  primary: "score",
  thanks: { text: "Thank you!" },
};

/** Each page, with when its survey is asked and where; without a survey it is the page alone. */
const PAGES = {
  "page alone": {},
  "nothing to ask here": { triggers: [{ delay: 0 }], targeting: { include: [{ exact: "/elsewhere" }] } },
  "could be asked": { triggers: ["manual"] },
  "NPS at once": { triggers: [{ delay: 0 }], shows: true },
  "NPS after an event": { triggers: [{ event: { name: "go" } }], shows: true, event: "go" },
};

const TEXT = "<p>Nothing on this page takes long, so that whatever does is not its own.</p>".repeat(10);

/** What the median of the rounds may not exceed, whatever machine they ran on. */
const BARS = [
  // The page alone may have one on a busy machine; it is measured in the same rounds.
  ["longTasks", (alone) => alone.longTasks, "long tasks before a survey shows"],
  ["shift", () => 0, "layout shift"],
  ["steps", () => 4, "steps in series"],
  ["heap", () => 1.3e6, "bytes of JavaScript heap"],
  ["wasm", () => 1.2e6, "bytes of WebAssembly memory"],
];

/** Runs in the page before its scripts: notes long tasks, shifts, and when a score can first be clicked. */
function watch() {
  const notes = (window.notes = { longTasks: [], shift: 0 });
  const observe = (type, note) =>
    new PerformanceObserver((list) => list.getEntries().forEach(note)).observe({ type, buffered: true });
  observe("longtask", ({ startTime, duration }) => notes.longTasks.push({ startTime, duration }));
  observe("layout-shift", ({ value, hadRecentInput }) => (notes.shift += hadRecentInput ? 0 : value));
  const isClickable = () => {
    const root = document.querySelector("asklet-survey")?.shadowRoot;
    const score = root?.querySelector("input[type=radio]")?.labels[0];
    if (!score) return false;
    const { x, y, width, height } = score.getBoundingClientRect();
    return score.contains(root.elementFromPoint(x + width / 2, y + height / 2));
  };
  const look = () => {
    if (!isClickable()) return requestAnimationFrame(look);
    notes.clickable = performance.now();
    window.tellClickable("");
  };
  requestAnimationFrame(look);
}

/** How many downloads had to wait for one another: each after the one that had ended before it began. */
function steps(downloads) {
  const depths = [];
  for (const { start, end } of downloads.toSorted((a, b) => a.start - b.start)) {
    const before = depths.filter((other) => other.end <= start).map(({ depth }) => depth);
    depths.push({ end, depth: 1 + Math.max(0, ...before) });
  }
  return Math.max(0, ...depths.map(({ depth }) => depth));
}

/** Opens a page in a browser profile of its own; its figures. */
async function visit(browser, address, page, profile) {
  const context = await browser.newContext();
  const tab = await context.newPage();
  const debug = await context.newCDPSession(tab);
  for (const domain of ["Network", "HeapProfiler", "Runtime"]) await debug.send(`${domain}.enable`);
  const downloads = new Map();
  debug.on("Network.requestWillBeSent", ({ requestId, request, timestamp }) => {
    // The page itself is not ours, and a display on its way is not what showing it takes.
    if (request.url !== address && request.method === "GET") downloads.set(requestId, { start: timestamp });
  });
  debug.on("Network.loadingFinished", ({ requestId, encodedDataLength, timestamp }) => {
    const download = downloads.get(requestId);
    if (download) Object.assign(download, { bytes: encodedDataLength, end: timestamp });
  });
  // Not by Playwright's own means: what they put into the page would count as the page's.
  await debug.send("Runtime.addBinding", { name: "tellClickable" });
  const clickable = page.shows && once(debug, "Runtime.bindingCalled");
  const inPage = async (expression) => {
    const { result } = await debug.send("Runtime.evaluate", { expression, returnByValue: true });
    return result.value;
  };
  if (profile) {
    const { cpu, ...network } = profile;
    await debug.send("Network.emulateNetworkConditions", { offline: false, ...network });
    await debug.send("Emulation.setCPUThrottlingRate", { rate: cpu });
  }
  await tab.addInitScript(watch);
  await tab.goto(address, { waitUntil: "networkidle" });
  const from = page.event ? await inPage(`asklet("track", "${page.event}"); performance.now()`) : 0;
  await clickable;
  await tab.waitForLoadState("networkidle");
  const notes = await inPage("notes");
  // The second time takes what only the first one let go.
  for (let time = 0; time < 2; time += 1) await debug.send("HeapProfiler.collectGarbage");
  const { usedSize } = await debug.send("Runtime.getHeapUsage");
  const wasm = await memories(debug);
  await context.close();
  const shown = notes.clickable ?? Infinity;
  const before = notes.longTasks.filter(({ startTime }) => startTime < shown);
  const longest = Math.max(0, ...notes.longTasks.map(({ duration }) => duration));
  const ended = [...downloads.values()].filter(({ end }) => end);
  return {
    bytes: ended.reduce((sum, { bytes }) => sum + bytes, 0),
    requests: ended.length,
    steps: steps(ended),
    clickable: page.shows ? shown - from : undefined,
    longTasks: before.length,
    longest,
    shift: notes.shift,
    heap: usedSize,
    wasm,
  };
}

/** The bytes of all memories of WebAssembly in a page. */
async function memories(debug) {
  const { result } = await debug.send("Runtime.evaluate", { expression: "WebAssembly.Memory.prototype" });
  const { objects } = await debug.send("Runtime.queryObjects", { prototypeObjectId: result.objectId });
  const sum = await debug.send("Runtime.callFunctionOn", {
    objectId: objects.objectId,
    functionDeclaration: "function () { return this.reduce((sum, { buffer }) => sum + buffer.byteLength, 0) }",
    returnByValue: true,
  });
  return sum.result.value;
}

const deployment = await Deployment.start();
const server = createServer((request, response) => {
  const [, name, site] = request.url.split("/").map(decodeURIComponent);
  const tag = site ? `<script async src="${deployment.url}/asklet.js" data-site="${site}"></script>` : "";
  response.setHeader("content-type", "text/html");
  response.end(`<!doctype html><html lang="en"><title>${name}</title><link rel="icon" href="data:,">${tag}${TEXT}`);
}).listen(0, "127.0.0.1");
await once(server, "listening");
const browser = await chromium.launch(LAUNCH);

const rounds = {};
try {
  const addresses = {};
  for (const [name, { triggers, targeting }] of Object.entries(PAGES)) {
    const { site = "" } = triggers ? await deployment.survey({ name, ...QUESTIONS, triggers, targeting }) : {};
    addresses[name] = `http://127.0.0.1:${server.address().port}/${encodeURIComponent(name)}/${site}`;
  }
  for (let run = 0; run < RUNS; run += 1) {
    for (const [profile, conditions] of Object.entries(PROFILES)) {
      for (const [name, page] of Object.entries(PAGES)) {
        const figures = await visit(browser, addresses[name], page, conditions);
        ((rounds[profile] ??= {})[name] ??= []).push(figures);
      }
    }
  }
} finally {
  await browser.close();
  server.close();
  await deployment.remove();
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const medians = (figures) =>
  Object.fromEntries(Object.keys(figures[0]).map((key) => [key, median(figures.map((round) => round[key]))]));
const spread = (figures, key, show = (value) => value.toLocaleString("en-US")) => {
  const values = figures.map((round) => round[key]);
  if (values[0] === undefined) return "";
  const [middle, low, high] = [median(values), Math.min(...values), Math.max(...values)].map(show);
  return low === high ? middle : `${middle} (${low}–${high})`;
};
const whole = (value) => Math.round(value).toLocaleString("en-US");
const mega = (value) => (value / 1e6).toFixed(2);

const missed = [];
for (const [profile, pages] of Object.entries(rounds)) {
  console.log(`\n### ${profile}: medians of ${RUNS} (least–most)\n`);
  console.log(
    "| page | bytes | requests | steps in series | first button, ms | long tasks before | longest, ms | shift | heap, MB | wasm, MB |",
  );
  console.log(`|---|${"---:|".repeat(9)}`);
  for (const [name, figures] of Object.entries(pages)) {
    const cells = [
      spread(figures, "bytes"),
      spread(figures, "requests"),
      spread(figures, "steps"),
      spread(figures, "clickable", whole),
      spread(figures, "longTasks"),
      spread(figures, "longest", whole),
      spread(figures, "shift", (value) => value.toFixed(4)),
      spread(figures, "heap", mega),
      spread(figures, "wasm", mega),
    ];
    console.log(`| ${name} | ${cells.join(" | ")} |`);
    for (const [key, bar, what] of BARS) {
      const most = bar(medians(pages["page alone"]));
      const found = medians(figures)[key];
      if (found > most) missed.push(`${profile}, ${name}: ${found} ${what}, more than ${most}`);
    }
  }
}
console.log(`\n"First button" counts from navigation, and after an event from the event.\n\n${JSON.stringify(rounds)}`);
for (const bar of missed) console.error(`error: ${bar}`);
process.exitCode = missed.length ? 1 : 0;
