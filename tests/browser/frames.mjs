// What shows a survey where the widget cannot.

import { BROWSER } from "./playwright.config.mjs";
import { expect } from "./test.mjs";

/** Says that the survey shows in a frame, is answered there, is closed by its button, and counts as answered. */
export async function expectFrame(page, live) {
  const frame = page.frameLocator("asklet-survey iframe");
  await expect(frame.getByRole("group", { name: "How likely are you to recommend us?" })).toBeVisible();
  await expect(page.locator("asklet-survey iframe")).toHaveAttribute("title", "Survey");
  const box = await page.locator("asklet-survey").boundingBox();
  expect(box.x + box.width / 2).toBeGreaterThan((await page.evaluate(() => innerWidth)) / 2);
  const nine = frame.getByRole("radio", { name: "9", exact: true });
  if (BROWSER === "firefox") {
    // Neither the mouse nor the keys of its driver reach a frame of another origin.
    await nine.evaluate((radio) => {
      radio.click();
      radio.form.requestSubmit();
    });
  } else {
    await nine.check();
    await frame.getByRole("button", { name: "Next" }).click();
  }
  await expect.poll(live.summary).toMatchObject({ n: 1, score: 100 });
  const asked = () =>
    page.evaluate((survey) => {
      const key = Object.keys(localStorage).find((key) => key.endsWith(`/asked/${survey}`));
      return localStorage.getItem(key);
    }, live.survey);
  // The answer is stored first; then the next page in the frame tells the surrounding page.
  await expect.poll(asked).toMatch(/^answered \d+$/);
  await page.getByRole("button", { name: "Close" }).click();
  await expect(page.locator("asklet-survey")).toHaveCount(0);
  expect(await asked()).toMatch(/^answered \d+$/);
}
