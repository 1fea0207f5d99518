// How often a visitor is asked: across page views, tabs and surveys.

import { DEFINITION, asked, changeStorage, expect, expectQuiet, loaded, ready, surveyIn, tell, test } from "./test.mjs";

const DAY_MS = 24 * 60 * 60 * 1000;
const ON_EVENT = [{ event: { name: "go" } }];

/** Comes back after so many days since anything was asked. */
function comeBackAfter(page, days) {
  return changeStorage(page, (ms) => {
    for (const key of Object.keys(localStorage).filter((key) => key.includes("/asked/"))) {
      const [outcome, at] = localStorage.getItem(key).split(" ");
      localStorage.setItem(key, `${outcome} ${at - ms}`);
    }
  }, days * DAY_MS);
}

function isAsked(page) {
  return surveyIn(page).dialog.waitFor();
}

async function isLeftAlone(page) {
  await page.waitForLoadState("networkidle");
  await expectQuiet(page);
}

test.describe("again after so many days by what came of it", () => {
  const frequency = { after: { ignored: 1, dismissed: 10, answered: 100 } };
  test.use({ definition: asked({ frequency }), settings: { rest_days: 0 } });

  test("nothing", async ({ page, pageUrl }) => {
    await page.goto(pageUrl("plain"));
    await expect(surveyIn(page).dialog).toBeVisible();
    await page.reload();
    await isLeftAlone(page);
    await comeBackAfter(page, 1);
    await isAsked(page);
  });

  test("a dismissal", async ({ page, pageUrl }) => {
    await page.goto(pageUrl("plain"));
    await surveyIn(page).button("Close").click();
    await comeBackAfter(page, 9);
    await isLeftAlone(page);
    await comeBackAfter(page, 1);
    await isAsked(page);
  });

  test("an answer, also if the survey was closed then", async ({ page, pageUrl }) => {
    await page.goto(pageUrl("plain"));
    await surveyIn(page).score(9).click();
    await surveyIn(page).button("Close").click();
    await expect(surveyIn(page).dialog).toBeHidden();
    await comeBackAfter(page, 99);
    await isLeftAlone(page);
    await comeBackAfter(page, 1);
    await isAsked(page);
  });
});

test.describe("put off", () => {
  test.use({ definition: asked({ later_days: 3 }) });
  test("it is asked again after the days that the survey says", async ({ page, pageUrl }) => {
    await page.goto(pageUrl("plain"));
    await surveyIn(page).button("Ask me later").click();
    await expect(surveyIn(page).dialog).toBeHidden();
    await comeBackAfter(page, 2);
    await isLeftAlone(page);
    await comeBackAfter(page, 1);
    await isAsked(page);
  });
});

test.describe("two surveys", () => {
  test.use({ definition: asked({ triggers: [{ delay: 0 }] }), settings: { rest_days: 5 } });
  test("are days apart, and never on one page view", async ({ page, live, pageUrl }) => {
    const second = await live.add(asked({ triggers: ON_EVENT, name: "Second" }));
    await page.goto(pageUrl("plain"));
    await surveyIn(page).button("Close").click();
    await tell(page, "track", "go");
    await expect(surveyIn(page).dialog).toHaveCount(0);
    await page.reload();
    await page.waitForLoadState("networkidle");
    await expectQuiet(page);
    await comeBackAfter(page, 5);
    await ready(page);
    await tell(page, "track", "go");
    await expect(surveyIn(page).dialog).toBeVisible();
    await expect.poll(second.summary).toMatchObject({ funnel: { seen: 1 } });
    expect(await live.summary()).toMatchObject({ funnel: { seen: 1 } });
  });
});

test.describe("several tabs", () => {
  test.use({ definition: asked({ triggers: ON_EVENT }) });
  test("that are triggered at once show one survey", async ({ context, live, pageUrl }) => {
    const tabs = await Promise.all([1, 2, 3].map(() => context.newPage()));
    // All count as in view, as tabs side by side are.
    for (const tab of tabs) {
      await tab.addInitScript(() => Object.defineProperty(Document.prototype, "hidden", { value: false }));
      await tab.goto(pageUrl("plain"));
      await ready(tab);
    }
    await Promise.all(tabs.map((tab) => tell(tab, "track", "go")));
    await expect.poll(live.summary).toMatchObject({ funnel: { shown: 1 } });
    const counts = await Promise.all(tabs.map((tab) => tab.locator("asklet-survey").count()));
    expect(counts.reduce((sum, count) => sum + count)).toBe(1);
  });
});

test.describe("a survey that could not be shown", () => {
  test.use({ definition: DEFINITION });
  test("counts as not asked", async ({ page, pageUrl }) => {
    await page.route("**/v1/body/**", (route) => route.abort());
    await page.goto(pageUrl("plain"));
    await expect.poll(() => loaded(page)).toContainEqual(expect.stringContaining(".wasm"));
    await expect.poll(() => page.evaluate(() => Object.keys(localStorage).filter((key) => key.includes("/asked/")))).toEqual([]);
    await page.unroute("**/v1/body/**");
    await page.reload();
    await isAsked(page);
  });
});
