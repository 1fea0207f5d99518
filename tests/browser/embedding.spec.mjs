// Pages that forbid much.

import { expect, surveyIn, test } from "./test.mjs";

for (const name of ["strict-csp", "trusted-types"]) {
  test(`works on the page ${name} without breaking its policy`, async ({ page, live, pageUrl }) => {
    const complaints = [];
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => complaints.push(message.text()));
    await page.addInitScript(() => {
      addEventListener("securitypolicyviolation", (event) => {
        console.log(`${event.violatedDirective} forbids ${event.blockedURI} ${event.sample}`);
      });
    });
    await page.goto(pageUrl(name));
    const survey = surveyIn(page);
    await survey.score(10).click();
    await survey.button("Send").click();
    await expect(survey.thanks).toBeVisible();
    await expect.poll(live.summary).toMatchObject({ n: 1, score: 100, funnel: { completed: 1 } });
    // The browser asks for an icon by itself, and the pages have none.
    expect(complaints.filter((text) => !text.includes("404"))).toEqual([]);
    // The style sheet was adopted although the page allows no style.
    await expect(survey.dialog).toHaveCSS("background-color", "rgb(255, 255, 255)");
  });
}

test("waits while the page has a modal dialog open", async ({ page, live, pageUrl }) => {
  await page.goto(pageUrl("modal-dialog"));
  // The cookie dialog lies over everything; a survey below it could not be answered.
  await expect.poll(() => page.evaluate(() => performance.getEntriesByType("resource").map(({ name }) => name))).toContainEqual(expect.stringContaining("/when-"));
  await expect(surveyIn(page).dialog.locator("fieldset")).toHaveCount(0);
  await page.getByRole("button", { name: "Accept" }).click();
  await surveyIn(page).score(9).click();
  await expect.poll(live.summary).toMatchObject({ n: 1 });
});

test("what is typed stays out of the page's shortcuts, and an element called asklet is no instance", async ({ page, pageUrl }) => {
  await page.goto(pageUrl("shortcuts"));
  const survey = surveyIn(page);
  await survey.score(3).click();
  await survey.comment.click();
  await page.keyboard.type("good/bad");
  await expect(survey.comment).toHaveValue("good/bad");
  await expect(page.getByRole("searchbox")).toHaveValue("");
});

test("fits 320 pixels with text twice as large", async ({ page, pageUrl }) => {
  await page.setViewportSize({ width: 320, height: 640 });
  const browser = await page.context().newCDPSession(page);
  await browser.send("Page.enable");
  await browser.send("Page.setFontSizes", { fontSizes: { standard: 32, fixed: 26 } });
  await page.goto(pageUrl("plain"));
  const { dialog, score } = surveyIn(page);
  await expect(dialog).toBeVisible();
  const { scrollWidth, clientWidth } = await dialog.evaluate(({ scrollWidth, clientWidth }) => ({ scrollWidth, clientWidth }));
  expect(scrollWidth).toBe(clientWidth);
  for (const value of [0, 10]) {
    const box = await score(value).boundingBox();
    expect(box.width).toBeGreaterThanOrEqual(24);
    expect(box.height).toBeGreaterThanOrEqual(24);
    expect(box.x + box.width).toBeLessThanOrEqual(320);
  }
});
