// What shows a survey where the widget cannot.

import { expect } from "./test.mjs";

/** Answers for the hosted page, as far as a frame needs it; gives the addresses that were asked for. */
export async function host(page) {
  const requests = [];
  await page.route("**/s/**", (route) => {
    requests.push(route.request().url());
    return route.fulfill({ contentType: "text/html", body: "<!doctype html><p>How likely are you to recommend us?" });
  });
  return requests;
}

/** Says that the survey shows in a frame, is closed there by its button, and counts as asked. */
export async function expectFrame(page, live) {
  const frame = page.frameLocator("asklet-survey iframe");
  await expect(frame.getByText("How likely are you to recommend us?")).toBeVisible();
  await expect(page.locator("asklet-survey iframe")).toHaveAttribute("title", "Survey");
  await expect(page.locator("body"), "the frame takes no focus").toBeFocused();
  const box = await page.locator("asklet-survey").boundingBox();
  expect(box.x + box.width / 2).toBeGreaterThan(page.viewportSize().width / 2);
  await page.getByRole("button", { name: "Close" }).click();
  await expect(page.locator("asklet-survey")).toHaveCount(0);
  const asked = await page.evaluate((survey) => {
    const key = Object.keys(localStorage).find((key) => key.endsWith(`/asked/${survey}`));
    return localStorage.getItem(key);
  }, live.survey);
  expect(asked).toMatch(/^dismissed \d+$/);
}
