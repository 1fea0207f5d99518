// Frameworks that put the next page's body in the place of this one's without a load, and keep copies of
// pages: a survey goes on through it, and a copy of one is none.

import { asked, expect, expectQuiet, listen, ready, surveyIn, tell, test } from "./test.mjs";

const FRAMEWORKS = ["turbo", "turbolinks", "htmx", "htmx4", "unpoly", "swup"];

/** Follows a link of the framework's. */
async function follow(page, to) {
  await page.evaluate(() => (window.sameLoad = true));
  await page.getByRole("link", { name: `To ${to}` }).click();
  await expect(page.getByRole("heading")).toHaveText(`Page ${to}`);
  expect(await page.evaluate(() => window.sameLoad), "the framework did not load anew").toBe(true);
}

for (const framework of FRAMEWORKS) {
  test.describe(`in ${framework}`, () => {
    test("an open survey goes on, and counts once", async ({ page, live, pageUrl, collected }) => {
      await page.goto(pageUrl(`${framework}/a`));
      const survey = surveyIn(page);
      await survey.score(9).click();
      await survey.comment.fill("Almost");
      await follow(page, "b");
      await expect(survey.comment).toHaveValue("Almost");
      await follow(page, "a");
      await page.goBack();
      await expect(page.getByRole("heading")).toHaveText("Page b");
      await expect(page.locator("asklet-survey")).toHaveCount(1);
      expect(await page.evaluate(() => document.querySelector("asklet-survey").matches(":popover-open"))).toBe(true);
      await survey.button("Send").click();
      await expect(survey.thanks).toBeVisible();
      await expect.poll(live.summary).toMatchObject({ n: 1, funnel: { shown: 1, completed: 1 } });
      expect(new Set(collected.map(({ display }) => display.id)).size).toBe(1);
    });

    test.describe("after going back", () => {
      test.use({ definition: asked({ triggers: ["manual"] }) });
      for (const isOpen of [true, false]) {
        test(`a survey shows where one was ${isOpen ? "left open" : "closed"}`, async ({ page, live, pageUrl }) => {
          await page.goto(pageUrl(`${framework}/a`));
          await tell(page, "show", live.survey);
          await surveyIn(page).dialog.waitFor();
          await follow(page, "b");
          if (!isOpen) await tell(page, "close");
          await page.goBack();
          await expect(page.getByRole("heading")).toHaveText("Page a");
          if (isOpen) await tell(page, "close");
          await expect(surveyIn(page).dialog).toHaveCount(0);
          await tell(page, "show", live.survey);
          await surveyIn(page).score(9).click();
          await expect(surveyIn(page).comment).toBeVisible();
          await expect(page.locator("asklet-survey")).toHaveCount(1);
          await expect.poll(live.summary).toMatchObject({ n: 1, funnel: { shown: 2 } });
        });
      }
    });

    test.describe("in an element that only one page has", () => {
      test.use({ definition: asked({ triggers: [{ delay: 0 }], appearance: { position: { inline: "#b" } } }) });
      test("a survey shows there, and each time that it comes back, as one", async ({ page, live, pageUrl, collected }) => {
        const told = await listen(page);
        const region = page.locator("#b").getByRole("region");
        await page.goto(pageUrl(`${framework}/a`));
        await ready(page);
        await expectQuiet(page);
        await follow(page, "b");
        await region.getByRole("radio", { name: "9", exact: true }).click();
        await region.getByRole("textbox").fill("Almost");
        await follow(page, "a");
        const gone = { event: "error", survey: live.survey, message: "the page took the survey away" };
        await expect.poll(told).toContainEqual(gone);
        await expect(page.locator("asklet-survey")).toHaveCount(0);
        await follow(page, "b");
        await expect(region.getByRole("textbox")).toHaveValue("Almost");
        await region.getByRole("button", { name: "Send" }).click();
        await expect.poll(live.summary).toMatchObject({ n: 1, funnel: { shown: 1, completed: 1 } });
        expect(new Set(collected.map(({ display }) => display.id)).size).toBe(1);
      });
    });
  });
}

test.describe("a slow page", () => {
  test.use({ definition: asked({ triggers: [{ delay: 0 }], targeting: { include: [{ contains: "/turbo/a" }] } }) });
  test("is not asked in the copy that Turbo shows meanwhile", async ({ page, live, pageUrl }) => {
    await page.goto(pageUrl("turbo/b"));
    await follow(page, "a");
    await surveyIn(page).dialog.waitFor();
    await tell(page, "reset");
    await expect(page.locator("asklet-survey")).toHaveCount(0);
    await follow(page, "b");
    let arrive;
    const arrived = new Promise((resolve) => (arrive = resolve));
    await page.route("**/turbo/a?*", async (route) => {
      await arrived;
      await route.continue();
    });
    await page.getByRole("link", { name: "To a" }).click();
    await page.waitForFunction(() => document.documentElement.hasAttribute("data-turbo-preview"));
    await tell(page, "show", live.survey);
    await expectQuiet(page).catch(() => {});
    await expect(page.locator("asklet-survey")).toHaveCount(0);
    expect(await live.summary()).toMatchObject({ funnel: { shown: 1 } });
    arrive();
    await surveyIn(page).score(9).click();
    await expect.poll(live.summary).toMatchObject({ n: 1, funnel: { shown: 2 } });
  });
});

test.describe("a tag in the body, which runs again with each page, and a refresh by morphing", () => {
  test.use({ definition: asked({ triggers: ["manual"] }) });
  test("leave one instance and the survey that is open", async ({ page, live, pageUrl, collected }) => {
    await page.goto(pageUrl("turbo-body/a"));
    await tell(page, "show", live.survey);
    await surveyIn(page).score(9).click();
    await surveyIn(page).comment.fill("Almost");
    const refresh = async () => {
      await page.evaluate(async () => {
        const rendered = new Promise((resolve) => addEventListener("turbo:render", resolve, { once: true }));
        window.Turbo.visit(location.href, { action: "replace" });
        await rendered;
      });
      await expect(surveyIn(page).comment).toHaveValue("Almost");
    };
    await refresh();
    await follow(page, "b");
    await refresh();
    await page.goBack();
    await expect(page.getByRole("heading")).toHaveText("Page a");
    await expect(surveyIn(page).comment).toHaveValue("Almost");
    expect(await page.evaluate(() => window.asklet.isAsklet)).toBe(true);
    await tell(page, "close");
    await expect(page.locator("asklet-survey")).toHaveCount(0);
    await tell(page, "show", live.survey);
    await surveyIn(page).score(9).click();
    await expect.poll(live.summary).toMatchObject({ n: 2, funnel: { shown: 2 } });
    expect(new Set(collected.map(({ display }) => display.id)).size).toBe(2);
  });
});

test("an open survey goes on where React renders the whole document anew", async ({ page, live, pageUrl, collected }) => {
  await page.goto(pageUrl("react"));
  const survey = surveyIn(page);
  await survey.score(9).click();
  await survey.comment.fill("Almost");
  await page.evaluate(() => void window.hydrate());
  await expect(page.getByRole("heading")).toHaveText("From the browser");
  await expect(survey.comment).toHaveValue("Almost");
  await survey.button("Send").click();
  await expect.poll(live.summary).toMatchObject({ n: 1, funnel: { shown: 1, completed: 1 } });
  expect(new Set(collected.map(({ display }) => display.id)).size).toBe(1);
});

test("a page that is served with a copy of a survey is asked", async ({ page, live, pageUrl }) => {
  await page.goto(pageUrl("copy"));
  await surveyIn(page).score(9).click();
  await expect(page.locator("asklet-survey")).toHaveCount(1);
  await expect.poll(live.summary).toMatchObject({ n: 1, funnel: { shown: 1 } });
});

test("a page that moves the survey has it above itself again, and one that will not have it is left without", async ({ page, pageUrl }) => {
  await page.goto(pageUrl("plain"));
  await expect(surveyIn(page).dialog).toBeVisible();
  await page.evaluate(() => document.body.prepend(document.querySelector("asklet-survey")));
  await page.waitForFunction(() => document.querySelector("asklet-survey").matches(":popover-open"));
  await page.evaluate(() => {
    const remove = () => document.querySelector("asklet-survey")?.remove();
    new MutationObserver(remove).observe(document.body, { childList: true });
    remove();
  });
  await expect(page.locator("asklet-survey")).toHaveCount(0);
});
