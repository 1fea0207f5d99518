// What every browser test starts from: a deployment, a site with a live survey, and its pages.

import { expect, test as base } from "@playwright/test";

import { Deployment } from "./deployment.mjs";
import { servePages } from "./pages.mjs";

export { expect };

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

export const test = base.extend({
  /** The survey that is live; `test.use({ definition })` takes another one. */
  definition: [DEFINITION, { option: true }],

  /** Each test has its own, which it may kill. */
  deployment: async ({}, use) => {
    const deployment = await Deployment.start();
    await use(deployment);
    await deployment.remove();
  },

  /** A live survey: `site`, `survey` and `summary()`. */
  live: async ({ deployment, definition }, use) => {
    await use(await deployment.survey(definition));
  },

  /** The address of one of the pages, with the tag of the live survey's site. */
  pageUrl: async ({ deployment, live }, use) => {
    const pages = await servePages(deployment.url);
    await use((name) => pages.url(name, live.site));
    await pages.close();
  },

  /** The states that the page sent, each once its answer is known here: wait for what you expect. */
  collected: async ({ page }, use) => {
    const collected = [];
    page.on("requestfinished", async (request) => {
      if (!request.url().includes("/v1/collect/")) return;
      const display = JSON.parse(request.postData());
      collected.push({ display, status: (await request.response()).status() });
    });
    await use(collected);
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
