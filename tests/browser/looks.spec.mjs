// What the page has to do with how a survey looks: nothing, but its direction and its language.

import { notice, survey } from "./kinds.mjs";
import { expect, surveyIn, test } from "./test.mjs";

for (const [scale, shownAs] of [["nps", "numbers"], ["csat_5", "stars"], ["csat_5", "faces"]]) {
  test.describe(`${scale} as ${shownAs}`, () => {
    test.use({
      reducedMotion: "reduce",
      definition: survey("en", scale, shownAs),
      settings: { notice: notice("en") },
    });

    test("looks the same on a page with rules for everything", async ({ browser, pageUrl }) => {
      const seen = [];
      for (const name of ["plain", "hostile-css"]) {
        // Each is a new visitor.
        const context = await browser.newContext({ reducedMotion: "reduce" });
        const page = await context.newPage();
        await page.goto(pageUrl(name));
        await expect(surveyIn(page).dialog.locator(".submit")).toBeVisible();
        seen.push(await page.evaluate(looks));
        await context.close();
      }
      const [plain, hostile] = seen;
      expect(plain.length).toBeGreaterThan(20);
      expect(hostile).toEqual(plain);
    });
  });
}

test.describe("in Arabic", () => {
  test.use({ definition: survey("ar", "nps", "numbers"), settings: { language: "ar" } });

  test("stands at the end of the lines, and its values run with them", async ({ page, pageUrl }) => {
    await page.goto(pageUrl("right-to-left"));
    const { dialog, score } = surveyIn(page);
    await expect(dialog).toHaveCSS("direction", "rtl");
    const [panel, first, last] = [await dialog.boundingBox(), await score(0).boundingBox(), await score(10).boundingBox()];
    expect(panel.x + panel.width / 2).toBeLessThan(page.viewportSize().width / 2);
    expect(first.x).toBeGreaterThan(last.x);
  });
});

/** The boxes and the computed styles of everything that belongs to the survey, in the page. */
function looks() {
  const host = document.querySelector("asklet-survey");
  const all = [host, ...host.shadowRoot.querySelectorAll("*")];
  return all.map((element) => {
    const { x, y, width, height } = element.getBoundingClientRect();
    const styles = [null, "::before", "::after"].map((part) => {
      const style = getComputedStyle(element, part);
      // Custom properties of the page reach everything, and nothing here reads them.
      return [...style].filter((name) => !name.startsWith("--")).map((name) => `${name}: ${style[name]}`);
    });
    return { name: `${element.localName}.${element.className}`, box: [x, y, width, height], styles };
  });
}
