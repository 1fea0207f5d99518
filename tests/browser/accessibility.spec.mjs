// Every state of every kind, in each direction and each set of colours, in the page and on the hosted
// page: no violation of WCAG 2.2 AA that a program can find, and targets that can be hit.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import { KINDS, LANGUAGES, notice, survey } from "./kinds.mjs";
import { BROWSER } from "./playwright.config.mjs";
import { expect, test } from "./test.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

for (const [index, [scale, shownAs, values]] of KINDS.entries()) {
  // Elsewhere than in Chromium the kinds take the languages in turn, for the sake of time.
  const languages = BROWSER === "chromium" ? LANGUAGES : [LANGUAGES[index % LANGUAGES.length]];
  for (const language of languages) {
    test.describe(`${scale} as ${shownAs} in ${language}`, () => {
      test.use({
        reducedMotion: "reduce",
        definition: survey(language, scale, shownAs),
        settings: { language, notice: notice(language) },
      });

      test("the widget", async ({ page, pageUrl, colours }) => {
        await page.goto(pageUrl("plain"));
        const panel = page.getByRole("dialog");
        await walk(page, colours, panel, values, "asklet-survey");
        await panel.locator(".close").click();
        await expect(panel).toHaveCount(0);
      });

      test("the hosted page", async ({ page, deployment, live, colours }) => {
        await page.goto(`${deployment.url}/s/${live.site}/${live.survey}?lang=${language}`);
        await walk(page, colours, page.locator(".panel"), values);
      });
    });
  }
}

/** Walks through a survey and looks at each of its states. */
async function walk(page, colours, panel, values, within) {
  const isDark = await page.evaluate(() => matchMedia("(prefers-color-scheme: dark)").matches);
  expect(isDark, "the browser was told which colours are preferred").toBe(colours === "dark");
  const radios = panel.getByRole("radio");
  await expect(radios).toHaveCount(values);
  await expectTargets(radios);
  await expectTargets(panel.getByRole("button"));
  await expectNoViolation(page, within);
  await panel.locator("summary").click();
  await radios.last().focus();
  await page.keyboard.press("Space");
  await expect(radios.last()).toBeChecked();
  await expectNoViolation(page, within);
  await panel.locator(".submit").click();
  await expect(panel.getByRole("textbox")).toBeVisible();
  await expectNoViolation(page, within);
  await panel.locator(".back").click();
  await expect(radios.last()).toBeChecked();
  await panel.locator(".submit").click();
  await panel.getByRole("textbox").fill("…");
  await panel.locator(".submit").click();
  await expect(panel.locator(".thanks")).toBeVisible();
  await expectNoViolation(page, within);
}

/** WCAG 2.2, success criterion 2.5.8. */
async function expectTargets(found) {
  const sizes = await found.evaluateAll((elements) =>
    elements.map((element) => element.getBoundingClientRect()).map(({ width, height }) => Math.min(width, height)),
  );
  expect(sizes.filter((size) => size < 24)).toEqual([]);
}

async function expectNoViolation(page, within) {
  // The page keeps axe; sending it again takes longer than running it.
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(AXE);
  const violations = await page.evaluate(
    async ([within, values]) => {
      const { violations } = await axe.run(within ?? document, {
        runOnly: { type: "tag", values },
        resultTypes: ["violations"],
      });
      return violations.map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html, failureSummary }) => [html, failureSummary]) }));
    },
    [within, TAGS],
  );
  expect(violations).toEqual([]);
}
