// Apps of one page, with and without the Navigation API, and pages that come back.

import { asked, expect, expectQuiet, loaded, ready, surveyIn, tell, test } from "./test.mjs";

for (const api of ["the Navigation API", "patches of the history"]) {
  test.describe(`with ${api}`, () => {
    test.beforeEach(async ({ page }) => {
      if (api.startsWith("patches")) await page.addInitScript(() => delete window.navigation);
      else test.skip(!(await page.evaluate(() => "navigation" in window)), "this browser has no Navigation API");
    });

    test.describe("a page rule", () => {
      test.use({ definition: asked({ triggers: [{ delay: 0 }], targeting: { include: [{ exact: "/app/thanks" }] } }) });
      for (const method of ["pushState", "replaceState", "popstate", "hash"]) {
        test(`holds once ${method} leads there`, async ({ page, pageUrl }) => {
          await page.goto(pageUrl("app"));
          if (api.startsWith("patches")) await ready(page);
          else await expect.poll(() => loaded(page)).toContainEqual(expect.stringContaining("/v1/config/"));
          await expectQuiet(page);
          const here = "/app/thanks";
          if (method === "popstate") {
            await page.evaluate(() => history.pushState({}, "", "/app/other"));
            await page.evaluate((here) => history.replaceState({}, "", here + location.search), here).catch(() => {});
          } else if (method === "hash") {
            await page.evaluate(() => (location.hash = "part"));
            await expectQuiet(page);
            await page.evaluate((here) => history.pushState({}, "", `${here + location.search}#part`), here);
          } else {
            await page.evaluate(([method, here]) => history[method]({}, "", here + location.search), [method, here]);
          }
          await expect(surveyIn(page).dialog).toBeVisible();
        });
      }
    });

    test.describe("triggers of a page", () => {
      test.use({ definition: asked({ triggers: [{ delay: 60_000 }] }) });
      test("begin anew with each route", async ({ page, pageUrl }) => {
        await page.clock.install();
        await page.goto(pageUrl("app"));
        await page.clock.runFor(1_000);
        await ready(page);
        await page.clock.runFor(50_000);
        await page.evaluate(() => history.pushState({}, "", `/app/2${location.search}`));
        // The same address again is no route.
        await page.clock.runFor(50_000);
        await page.evaluate(() => history.replaceState({ scroll: 1 }, ""));
        await expect(surveyIn(page).dialog).toHaveCount(0);
        await page.clock.runFor(15_000);
        await expect(surveyIn(page).dialog).toBeVisible();
      });
    });

    test("other scripts' patches keep working", async ({ page, pageUrl }) => {
      await page.goto(pageUrl("app"));
      await ready(page);
      await page.evaluate(() => {
        const { pushState } = history;
        history.pushState = function (...rest) {
          window.routes.push("after");
          return pushState.apply(this, rest);
        };
        history.pushState({ kept: 1 }, "", `/app/2${location.search}`);
        history.replaceState({ kept: 2 }, "");
      });
      expect(await page.evaluate(() => window.routes)).toEqual(["after", "pushState", "replaceState"]);
      expect(await page.evaluate(() => history.state)).toEqual({ kept: 2 });
    });

    test.describe("one survey a page view", () => {
      test.use({ definition: asked({ frequency: { every_days: 1 } }), settings: { rest_days: 0 } });
      test("counts the load and not the routes", async ({ page, live, pageUrl }) => {
        await live.add(asked({ name: "Second" }));
        await page.goto(pageUrl("app"));
        await surveyIn(page).button("Close").click();
        await page.evaluate(() => history.pushState({}, "", `/app/2${location.search}`));
        await expect(page.locator("asklet-survey")).toHaveCount(0);
        await page.reload();
        await expect(surveyIn(page).dialog).toBeVisible();
      });
    });
  });
}

test.describe("a page from the browser's cache", () => {
  test.use({ definition: asked({ triggers: [{ event: { name: "go" } }] }) });
  test("is looked at anew", async ({ page, pageUrl }) => {
    await page.goto(pageUrl("app"));
    await ready(page);
    await page.evaluate(() => dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })));
    await tell(page, "track", "go");
    await expect(surveyIn(page).dialog).toBeVisible();
  });
});
