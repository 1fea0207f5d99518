// Every kind by the keyboard alone, and what it is to those who cannot see it.

import { KINDS, notice, survey } from "./kinds.mjs";
import { expect, listen, surveyIn, test } from "./test.mjs";

/** Says that a score with the focus has a ring around its text, and no other. */
async function expectOneRing(score) {
  const outlines = (radio) => [radio, radio.nextElementSibling].map((element) => getComputedStyle(element).outlineStyle);
  await expect.poll(() => score.evaluate(outlines)).toEqual(["none", "solid"]);
}

for (const [scale, shownAs, values] of KINDS) {
  test.describe(`${scale} as ${shownAs}`, () => {
    test.use({ definition: survey("en", scale, shownAs), settings: { notice: notice("en") } });

    test("is answered by keyboard alone, and named for who cannot see it", async ({ page, live, pageUrl, collected }) => {
      const lowest = scale === "nps" ? 0 : 1;
      const press = (key) => page.keyboard.press(key);
      await page.goto(pageUrl("plain"));
      const { dialog, score, comment, button } = surveyIn(page);
      const radios = Array.from({ length: values }, (_, at) => `    - radio "${lowest + at}"`);
      await expect(dialog).toMatchAriaSnapshot(`
- dialog "How was it?":
  - group "How was it?":
${radios.join("\n")}
  - button "Ask me later"
  - text: 1 of 2
  - button "Next" [disabled]
  - link "Privacy"
  - button "Close": ×
  - status: How was it?
`);
      await press("Tab");
      await expect(page.getByRole("link", { name: "Cart" })).toBeFocused();
      await press("Tab");
      await expect(score(lowest)).toBeFocused();
      await expectOneRing(score(lowest));
      await expect(score(lowest), "nothing is chosen beforehand").not.toBeChecked();
      await press("ArrowRight");
      await expect(score(lowest + 1)).toBeChecked();
      await expectOneRing(score(lowest + 1));
      await expect(comment, "arrow keys choose and never submit").toHaveCount(0);
      await press("Tab");
      await expect(button("Ask me later")).toBeFocused();
      await press("Tab");
      await expect(button("Next")).toBeFocused();
      await press("Enter");
      await expect(comment).toBeFocused();
      await expect(dialog).toMatchAriaSnapshot(`
- dialog "What is the main reason? (Optional)":
  - text: What is the main reason? (Optional)
  - textbox "What is the main reason? (Optional)"
  - button "Back"
  - text: 2 of 2
  - button "Send"
  - button "Close": ×
  - status: What is the main reason?
`);
      await page.keyboard.type("Short ways.");
      await press("Tab");
      await expect(button("Back")).toBeFocused();
      await press("Enter");
      await expect(score(lowest + 1)).toBeFocused();
      await press("Enter");
      await expect(comment).toBeFocused();
      await expect(comment).toHaveValue("Short ways.");
      await press("Tab");
      await press("Tab");
      await press("Enter");
      await expect(dialog).toMatchAriaSnapshot(`
- dialog "Thank you for your answer!":
  - paragraph: Thank you for your answer!
  - link "Tell others"
  - button "Close": ×
  - status: Thank you for your answer!
`);
      await expect(button("Close")).toBeFocused();
      await press("Escape");
      await expect(dialog).toHaveCount(0);
      await expect(page.getByRole("link", { name: "Cart" })).toBeFocused();
      await expect.poll(live.summary).toMatchObject({ n: 1, funnel: { shown: 1, completed: 1, dismissed: 0 } });
      const answers = () => collected.at(-1).display.answers;
      await expect.poll(answers).toEqual({ score: lowest + 1, why: "Short ways." });
    });
  });
}

test.describe("a score that the arrow keys have moved to", () => {
  /** Moves to the score 1, as one does who looks at what there is. */
  const browse = async (page, pageUrl) => {
    await page.goto(pageUrl("plain"));
    const survey = surveyIn(page);
    await survey.score(0).focus();
    await page.keyboard.press("ArrowRight");
    await expect(survey.score(1)).toBeChecked();
    return survey;
  };

  test("is no answer where the survey is closed then", async ({ page, live, pageUrl, collected }) => {
    const told = await listen(page);
    const { dialog } = await browse(page, pageUrl);
    await page.keyboard.press("Escape");
    await expect(dialog).toHaveCount(0);
    await expect.poll(live.summary).toMatchObject({ n: 0, score: null, funnel: { started: 0, dismissed: 1 } });
    expect(collected.filter(({ display }) => "score" in display.answers)).toEqual([]);
    expect((await told()).map(({ event }) => event)).toEqual(["shown", "dismissed"]);
    expect(await page.evaluate(() => Object.values(localStorage).filter((text) => text.startsWith("answered")))).toEqual([]);
  });

  test("is no answer where a pointer closes the survey then", async ({ page, live, pageUrl }) => {
    const { dialog, button } = await browse(page, pageUrl);
    await button("Close").click();
    await expect(dialog).toHaveCount(0);
    await expect.poll(live.summary).toMatchObject({ n: 0, funnel: { dismissed: 1 } });
  });

  const confirmations = {
    Enter: ({ page }) => page.keyboard.press("Enter"),
    Space: ({ page }) => page.keyboard.press("Space"),
    "leaving by Tab": ({ page }) => page.keyboard.press("Tab"),
    "leaving for the page": ({ page }) => page.getByRole("link", { name: "Cart" }).focus(),
    Next: ({ survey }) => survey.button("Next").click(),
    "a click on it": ({ survey }) => survey.score(1).click(),
  };
  for (const [what, confirm] of Object.entries(confirmations)) {
    test(`is an answer by ${what}`, async ({ page, live, pageUrl }) => {
      const survey = await browse(page, pageUrl);
      await page.keyboard.press("ArrowLeft");
      await page.keyboard.press("ArrowRight");
      expect(await live.summary()).toMatchObject({ n: 0 });
      await confirm({ page, survey });
      await expect.poll(live.summary).toMatchObject({ n: 1, score: -100 });
      await expect(survey.comment).toHaveCount(["Enter", "Next", "a click on it"].includes(what) ? 1 : 0);
    });
  }

  test("is told to the page once it is confirmed, and the others never", async ({ page, pageUrl }) => {
    const told = await listen(page);
    const survey = await browse(page, pageUrl);
    for (let moves = 0; moves < 5; moves += 1) await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Enter");
    await expect(survey.comment).toBeFocused();
    await expect.poll(told).toMatchObject([{ event: "shown" }, { event: "answered", answer: 6 }]);
  });
});

test("a score that was chosen before is chosen again by a click", async ({ page, pageUrl }) => {
  await page.goto(pageUrl("plain"));
  const { score, comment, button } = surveyIn(page);
  await score(9).click();
  await button("Back").click();
  await expect(score(9)).toBeChecked();
  await score(9).click();
  await expect(comment).toBeVisible();
});

test("Escape while a text is being written keeps the text and throws nothing", async ({ page, live, pageUrl, collected }) => {
  const faults = [];
  page.on("pageerror", (error) => faults.push(error.message));
  await page.goto(pageUrl("plain"));
  const { dialog, score, comment } = surveyIn(page);
  await score(9).click();
  await comment.click();
  await page.keyboard.type("Almost done");
  await page.keyboard.press("Escape");
  await expect(dialog).toHaveCount(0);
  await expect.poll(() => collected.at(-1)?.display).toMatchObject({ dismissed: true, answers: { score: 9, why: "Almost done" } });
  await expect.poll(live.summary).toMatchObject({ n: 1, funnel: { dismissed: 1 } });
  expect(faults).toEqual([]);
});

test("the second click of two answers nothing", async ({ page, pageUrl, collected }) => {
  await page.goto(pageUrl("plain"));
  const { score, comment } = surveyIn(page);
  await score(9).dblclick();
  await expect(comment).toBeVisible();
  await expect.poll(() => collected.at(-1)?.display.answers).toEqual({ score: 9 });
});
