// A visitor answers.

import { expect, loaded, surveyIn, test, waiting } from "./test.mjs";

test("answers by mouse: a click on a score leads on, and the comment follows", async ({ page, live, pageUrl, collected }) => {
  await page.goto(pageUrl("plain"));
  const survey = surveyIn(page);
  await survey.score(9).click();
  await expect(survey.comment).toBeVisible();
  await expect.poll(live.summary).toMatchObject({ n: 1, score: 100, funnel: { started: 1, completed: 0 } });

  await survey.comment.fill("It is fast.");
  await survey.button("Send").click();
  await expect(survey.thanks).toHaveText("Thank you for your answer!");
  await expect.poll(live.summary).toMatchObject({ n: 1, funnel: { shown: 1, completed: 1, dismissed: 0 } });

  await expect.poll(() => collected.at(-1)?.display.answers).toEqual({ score: 9, why: "It is fast." });
  expect(collected.at(-1).display.page).not.toContain("secret");
  await survey.button("Close").click();
  await expect(survey.dialog).toBeHidden();
});

test("a click that a script makes leads on once", async ({ page, live, pageUrl, collected }) => {
  await page.goto(pageUrl("plain"));
  const survey = surveyIn(page);
  await survey.score(9).evaluate((radio) => {
    radio.dispatchEvent(new PointerEvent("pointerdown", { bubbles: true, composed: true }));
    radio.click();
  });
  await survey.comment.fill("It is fast.");
  await survey.button("Send").click();
  await expect(survey.thanks).toBeVisible();
  await expect.poll(live.summary).toMatchObject({ n: 1, score: 100, funnel: { completed: 1 } });
  await expect.poll(() => collected.at(-1)?.display.answers).toEqual({ score: 9, why: "It is fast." });
});

test("answers by keyboard alone, and the focus returns to where it was", async ({ page, live, pageUrl }) => {
  await page.goto(pageUrl("plain"));
  const survey = surveyIn(page);
  await expect(survey.dialog).toBeVisible();
  await expect(page.locator("body"), "the survey takes no focus").toBeFocused();

  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Cart" })).toBeFocused();
  await page.keyboard.press("Tab");
  await expect(survey.score(0)).toBeFocused();
  await expect(survey.score(0), "nothing is chosen beforehand").not.toBeChecked();
  await expect(survey.button("Next")).toBeDisabled();
  // WebKit does not go around from the first to the last.
  for (let steps = 0; steps < 9; steps += 1) await page.keyboard.press("ArrowRight");
  await expect(survey.score(9)).toBeChecked();
  await expect(survey.comment, "arrow keys choose and never submit").toBeHidden();
  await page.keyboard.press("Enter");

  await expect(survey.comment).toBeFocused();
  await page.keyboard.type("Short ways.");
  await page.keyboard.press("Tab");
  await expect(survey.button("Back")).toBeFocused();
  await page.keyboard.press("Tab");
  await expect(survey.button("Send")).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(survey.thanks).toBeVisible();
  await expect(survey.button("Close")).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(survey.dialog).toBeHidden();
  await expect(page.getByRole("link", { name: "Cart" })).toBeFocused();
  await expect.poll(live.summary).toMatchObject({ n: 1, score: 100, funnel: { shown: 1, completed: 1, dismissed: 0 } });
});

test("Escape closes the survey only while the focus is inside", async ({ page, live, pageUrl }) => {
  await page.goto(pageUrl("plain"));
  const survey = surveyIn(page);
  await expect(survey.dialog).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(survey.dialog).toBeVisible();
  await survey.score(0).focus();
  await page.keyboard.press("Escape");
  await expect(survey.dialog).toBeHidden();
  await expect.poll(live.summary).toMatchObject({ n: 0, score: null, funnel: { seen: 1, dismissed: 1 } });
});

test("the score and the comment are revisions of one display", async ({ page, live, pageUrl, collected }) => {
  await page.goto(pageUrl("plain"));
  const survey = surveyIn(page);
  await survey.score(3).click();
  await expect.poll(live.summary).toMatchObject({ n: 1, counts: { detractor: 1 } });
  await survey.comment.fill("Too slow.");
  await survey.button("Send").click();
  await expect.poll(live.summary).toMatchObject({ n: 1, counts: { detractor: 1 }, funnel: { completed: 1 } });

  await expect.poll(() => collected.at(-1)?.display.stage).toBe("completed");
  expect(collected.every(({ status }) => status === 204)).toBe(true);
  expect(new Set(collected.map(({ display }) => display.id)).size).toBe(1);
  const answered = collected.filter(({ display }) => "score" in display.answers);
  expect(answered.map(({ display }) => "why" in display.answers)).toEqual([false, true]);
  expect(answered[0].display.revision).toBeLessThan(answered[1].display.revision);
});

test("a comment that is left empty is no answer", async ({ page, live, pageUrl, collected }) => {
  await page.goto(pageUrl("plain"));
  const survey = surveyIn(page);
  await survey.score(7).click();
  await survey.comment.fill("   ");
  await survey.button("Send").click();
  await expect.poll(live.summary).toMatchObject({ score: 0, counts: { passive: 1 }, funnel: { completed: 1 } });
  await expect.poll(() => collected.at(-1)?.display).toMatchObject({ stage: "completed", answers: { score: 7 } });
});

test("a visitor who was asked is not asked again", async ({ page, network, live, pageUrl }) => {
  await page.goto(pageUrl("plain"));
  await surveyIn(page).score(9).click();
  await expect.poll(live.summary).toMatchObject({ n: 1 });
  await expect.poll(() => waiting(page)).toEqual([]);

  await page.reload();
  const config = `${network.url}/v1/config/${live.site}`;
  await expect.poll(() => loaded(page)).toContain(config);
  await page.waitForLoadState("networkidle");
  await expect(surveyIn(page).dialog).toBeHidden();
  // A page on which nothing can be asked costs two requests of ours.
  const ours = (await loaded(page)).filter((address) => address.startsWith(network.url));
  expect(ours.sort()).toEqual([`${network.url}/asklet.js`, config]);
});
