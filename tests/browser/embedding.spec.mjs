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
