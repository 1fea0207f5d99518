// The fixtures of Playwright's that WebKit has: one visitor a test, and the visitor's first tab.

import { test as base } from "@playwright/test";

import { Display, Session } from "./driver.mjs";
import { Context } from "./page.mjs";
import { Wire } from "./wire.mjs";

export const test = base.extend({
  display: [
    async ({}, use) => {
      const display = await Display.start();
      await use(display);
      await display.stop();
    },
    { scope: "worker" },
  ],

  /** Begins other visits than the test's own, each with its own storage. */
  browser: [
    async ({ display }, use) => {
      await use({
        newContext: async (options) => new Context(await Session.start(display, options), [], new Wire()),
      });
    },
    { scope: "worker" },
  ],

  /** What the server of the tests' pages puts at the start of each: WebDriver cannot. */
  initScripts: async ({}, use) => {
    await use([]);
  },

  /** What happens to requests on their way to the tests' servers. */
  wire: async ({}, use) => {
    await use(new Wire());
  },

  /** What a test can say about the visitor. */
  visitor: async ({ colorScheme, reducedMotion, locale, userAgent, javaScriptEnabled, isMobile }, use) => {
    base.skip(isMobile, "MiniBrowser has no touch screen");
    await use({ colorScheme, reducedMotion, locale, userAgent, javaScriptEnabled });
  },

  context: async ({ display, visitor, initScripts, wire }, use, info) => {
    const session = await Session.start(display, visitor);
    const context = new Context(session, initScripts, wire);
    await use(context);
    try {
      if (info.status !== info.expectedStatus) await context.screenshot(info.outputPath("failed.png"));
    } finally {
      await context.close();
    }
  },

  page: async ({ context }, use) => {
    await use(await context.firstPage());
  },
});
