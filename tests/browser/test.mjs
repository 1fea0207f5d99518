// What every browser test starts from: a deployment, a site with a live survey, and its pages.

import { expect as playwrightExpect, test as playwrightTest } from "@playwright/test";

import { Deployment } from "./deployment.mjs";
import { servePages } from "./pages.mjs";
import { startNetwork } from "./network.mjs";
import { BROWSER, launchFor } from "./playwright.config.mjs";
import { expectAnywhere } from "./webkit/expect.mjs";
import { test as webkitTest } from "./webkit/fixtures.mjs";

// Playwright drives Chromium and Firefox as distributions ship them, and no WebKit but its own.
const isWebkit = BROWSER === "webkit";
const base = isWebkit
  ? webkitTest
  : playwrightTest.extend({
      initScripts: async ({}, use) => use([]),
      wire: async ({}, use) => use({ before: (listen) => listen }),
    });
export const expect = isWebkit ? expectAnywhere : playwrightExpect;

export const DEFINITION = {
  name: "Relationship",
  questions: [
    {
      id: "score",
      text: "How likely are you to recommend us?",
      answer: { rating: { scale: "nps", low: "Not at all likely", high: "Extremely likely" } },
    },
    { id: "why", text: "What is the main reason?", answer: { text: {} } },
  ],
  primary: "score",
  thanks: { text: "Thank you for your answer!" },
};

/** The definition with something else about when it is asked. */
export function asked(changes) {
  return { ...DEFINITION, ...changes };
}

export const test = base.extend({
  /** The survey that is live; `test.use({ definition })` takes another one. */
  definition: [DEFINITION, { option: true }],

  /** The colours that the visitor prefers: `light`, `dark` or `forced`. */
  colours: ["light", { option: true, scope: "worker" }],
  launchOptions: [async ({ colours }, use) => use(launchFor(colours)), { scope: "worker" }],
  colorScheme: async ({ colours }, use) => use(colours === "dark" ? "dark" : "light"),
  forcedColors: async ({ colours }, use) => use(colours === "forced" ? "active" : "none"),

  /** Pages remember how to tell what they loaded, since a fake clock hides it. */
  context: async ({ context }, use) => {
    await context.addInitScript(() => {
      const entries = performance.getEntriesByType.bind(performance);
      window.resources = () => entries("resource").map(({ name }) => name);
    });
    await use(context);
  },

  /** What the site sets. */
  settings: [{}, { option: true }],

  /** Each test has its own, which it may kill. */
  deployment: async ({}, use) => {
    const deployment = await Deployment.start();
    await use(deployment);
    await deployment.remove();
  },

  /** A live survey: `site`, `survey` and `summary()`; `add(definition)` makes another. */
  live: async ({ deployment, definition, settings }, use) => {
    await use(await deployment.survey(definition, settings));
  },

  /** What lies between the pages and the edge: it tells what was asked, and fails when it is told to. */
  network: async ({ deployment, wire }, use) => {
    const network = await startNetwork(deployment, wire);
    await use(network);
    await network.close();
  },

  /** The address of one of the pages, with the tag of the live survey's site. */
  pageUrl: async ({ network, live, initScripts, wire }, use) => {
    const pages = await servePages(network.url, initScripts, wire);
    await use((name, query) => pages.url(name, live.site, query));
    await pages.close();
  },

  /** The states that the pages sent, each once it was answered: wait for what you expect. */
  collected: async ({ network }, use) => {
    await use(network.collected);
  },
});

/** The survey in a page. */
export function surveyIn(page) {
  const dialog = page.getByRole("dialog");
  return {
    dialog,
    score: (score) => dialog.getByRole("radio", { name: `${score}`, exact: true }),
    comment: dialog.getByRole("textbox"),
    button: (name) => dialog.getByRole("button", { name }),
    thanks: dialog.locator("p.thanks"),
  };
}

/** Gives a command to the page's asklet, once it is there. */
export async function tell(page, ...command) {
  await page.waitForFunction(() => window.asklet?.isAsklet);
  await page.evaluate((command) => window.asklet(...command), command);
}

/** Resolves once when.js runs: the page could be asked something. */
export async function ready(page) {
  await expect.poll(() => loaded(page)).toContainEqual(expect.stringContaining("/when-"));
  // It has run when the browser says that it was imported.
  await page.evaluate(async () => {
    await import(window.resources().find((name) => name.includes("/when-")));
  });
}

/** The addresses of what a page has loaded. */
export function loaded(page) {
  return page.evaluate(() => window.resources());
}

/** The keys of what waits in the outbox. */
export function waiting(page) {
  return page.evaluate(() => Object.keys(localStorage).filter((key) => key.includes("/outbox/")));
}

/** Lets the page do whatever it is about to do. */
export async function settle(page) {
  await page.evaluate(async () => {
    for (let frame = 0; frame < 30; frame += 1) await new Promise(requestAnimationFrame);
  });
}

/**
 * Leaves the page, changes what the site has stored, and comes back. The change is made on a page without
 * the tag: the page that is being left may still write, and would write over it.
 */
export async function changeStorage(page, change, argument) {
  const url = await page.evaluate(() => location.href);
  await page.goto(new URL("/blank", url).href);
  await page.evaluate(change, argument);
  await page.goto(url);
}

/** Says that the page was ready to ask and did not. */
export async function expectQuiet(page) {
  await settle(page);
  expect((await loaded(page)).filter((name) => name.includes("/widget-"))).toEqual([]);
  await expect(page.locator("asklet-survey")).toHaveCount(0);
}

/** Has the page listen to everything that asklet tells; gives what reads the list so far. */
export async function listen(page) {
  await page.addInitScript(() => {
    window.asklet = window.asklet || function () { (asklet.q = asklet.q || []).push(arguments); };
    window.told = [];
    for (const event of ["shown", "answered", "completed", "dismissed", "error"]) {
      window.asklet("on", event, (detail) => window.told.push({ event, ...detail }));
    }
  });
  return () => page.evaluate(() => window.told);
}
