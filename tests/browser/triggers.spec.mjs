// Each trigger asks when it should, and not before.

import { asked, expect, expectQuiet, listen, ready, settle, surveyIn, tell, test } from "./test.mjs";

const when = (...triggers) => ({ definition: asked({ triggers }) });

test.describe("delay", () => {
  test.use(when({ delay: 60_000 }));
  test("asks after so many milliseconds", async ({ page, pageUrl }) => {
    await page.clock.install();
    await page.goto(pageUrl("plain"));
    await page.clock.runFor(1_000);
    await ready(page);
    await page.clock.runFor(50_000);
    await expect(surveyIn(page).dialog).toHaveCount(0);
    await page.clock.runFor(15_000);
    await expect(surveyIn(page).dialog).toBeVisible();
  });
});

test.describe("time on page", () => {
  test.use(when({ time_on_page: 60_000 }));
  test("counts only the time in which the page was in view", async ({ page, pageUrl }) => {
    await page.addInitScript(() => {
      window.view = (isHidden) => {
        Object.defineProperty(Document.prototype, "hidden", { value: isHidden, configurable: true });
        document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
      };
    });
    await page.clock.install();
    await page.goto(pageUrl("plain"));
    await page.clock.runFor(1_000);
    await ready(page);
    await page.clock.runFor(30_000);
    await page.evaluate(() => window.view(true));
    await page.clock.runFor(90_000);
    await page.evaluate(() => window.view(false));
    await page.clock.runFor(20_000);
    await expect(surveyIn(page).dialog).toHaveCount(0);
    await page.clock.runFor(15_000);
    await expect(surveyIn(page).dialog).toBeVisible();
  });
});

test.describe("scroll depth", () => {
  test.use(when({ scroll_depth: 50 }));
  test("asks once so much of the page was scrolled", async ({ page, pageUrl }) => {
    await page.goto(pageUrl("tall"));
    await ready(page);
    await page.evaluate(() => scrollTo(0, (document.documentElement.scrollHeight - innerHeight) * 0.4));
    await expectQuiet(page);
    await page.evaluate(() => scrollTo(0, (document.documentElement.scrollHeight - innerHeight) * 0.5));
    await expect(surveyIn(page).dialog).toBeVisible();
  });
});

test.describe("exit intent", () => {
  test.use(when("exit_intent"));
  test("asks when the pointer leaves at the top, and not at a side", async ({ page, pageUrl }) => {
    await page.goto(pageUrl("plain"));
    await ready(page);
    const leave = (clientX, clientY) =>
      page.evaluate(
        (at) => document.documentElement.dispatchEvent(new MouseEvent("mouseout", { bubbles: true, ...at })),
        { clientX, clientY },
      );
    await leave(-1, 300);
    await expectQuiet(page);
    await leave(300, -1);
    await expect(surveyIn(page).dialog).toBeVisible();
  });
});

test.describe("fast scroll up", () => {
  test.use({ ...when("fast_scroll_up"), hasTouch: true, isMobile: true, viewport: { width: 400, height: 800 } });
  test("asks on a touch screen when the page is flung up", async ({ page, pageUrl }) => {
    await page.goto(pageUrl("tall"));
    await ready(page);
    await page.evaluate(() => scrollTo(0, 3000));
    await expectQuiet(page);
    const scrollUp = (step) =>
      page.evaluate(async (step) => {
        for (let moves = 0; moves < 10; moves += 1) {
          scrollBy(0, -step);
          await new Promise(requestAnimationFrame);
        }
      }, step);
    await scrollUp(10);
    await expectQuiet(page);
    await scrollUp(100);
    await expect(surveyIn(page).dialog).toBeVisible();
  });
});

test.describe("event", () => {
  const properties = { plan: { is: "pro" }, seats: { at_least: 5 }, left: { at_most: 3 }, from: { contains: "mail" }, to: { is_not: "free" } };
  test.use(when({ event: { name: "upgraded", properties } }));
  test("asks when the page tells it with what is wanted", async ({ page, pageUrl }) => {
    await page.goto(pageUrl("plain"));
    await ready(page);
    const right = { plan: "pro", seats: 5, left: 3, from: "a mail", to: "team" };
    await tell(page, "track", "other", right);
    await tell(page, "track", "upgraded");
    for (const wrong of [{ plan: "free" }, { seats: 4 }, { left: 4 }, { from: "chat" }, { to: "free" }, { to: null }]) {
      await tell(page, "track", "upgraded", { ...right, ...wrong });
    }
    await expectQuiet(page);
    await tell(page, "track", "upgraded", right);
    await expect(surveyIn(page).dialog).toBeVisible();
  });

  test("asks for an event that was told before anything was loaded", async ({ page, pageUrl }) => {
    await page.addInitScript(() => {
      window.asklet = function () { (window.asklet.q = window.asklet.q || []).push(arguments); };
      window.asklet("track", "upgraded", { plan: "pro", seats: 5, left: 3, from: "a mail", to: "team" });
    });
    await page.goto(pageUrl("plain"));
    await expect(surveyIn(page).dialog).toBeVisible();
  });
});

test.describe("click", () => {
  test.use(when({ click: "button.buy" }));
  test("asks when something in the element is clicked, even if the page hides the click", async ({ page, pageUrl }) => {
    await page.goto(pageUrl("tall"));
    await ready(page);
    await page.evaluate(() => {
      document.querySelector("b").addEventListener("click", (event) => event.stopImmediatePropagation());
    });
    await page.getByRole("heading").click();
    await expectQuiet(page);
    await page.getByText("Buy").click();
    await expect(surveyIn(page).dialog).toBeVisible();
  });
});

test.describe("a selector that the browser refuses", () => {
  test.use(when({ click: "button:::" }, { event: { name: "go" } }));
  test("is told as an error and stops no other trigger", async ({ page, live, pageUrl }) => {
    const errors = [];
    page.on("pageerror", (error) => errors.push(error.message));
    const told = await listen(page);
    await page.goto(pageUrl("plain"));
    await expect.poll(told).toMatchObject([{ event: "error", survey: live.survey }]);
    await tell(page, "track", "go");
    await expect(surveyIn(page).dialog).toBeVisible();
    expect(errors).toEqual([]);
  });
});

test.describe("manual", () => {
  test.use(when("manual"));
  test("never asks by itself, and asks when the page shows it", async ({ page, live, pageUrl }) => {
    await page.goto(pageUrl("plain"));
    await ready(page);
    await expectQuiet(page);
    await tell(page, "show", live.survey);
    await expect(surveyIn(page).dialog).toBeVisible();
  });
});

test.describe("wait", () => {
  test.use({ definition: asked({ triggers: [{ event: { name: "go" } }], wait: { ms: 60_000, cancelled_by: ["stop"] } }) });
  test("asks only after it, is cancelled by an event, and may begin again", async ({ page, pageUrl }) => {
    await page.clock.install();
    await page.goto(pageUrl("plain"));
    await page.clock.runFor(1_000);
    await ready(page);
    await tell(page, "track", "go");
    await page.clock.runFor(50_000);
    await tell(page, "track", "stop");
    await page.clock.runFor(60_000);
    await settle(page);
    await expect(surveyIn(page).dialog).toHaveCount(0);

    await tell(page, "track", "go");
    await page.clock.runFor(50_000);
    await expect(surveyIn(page).dialog).toHaveCount(0);
    await page.clock.runFor(15_000);
    await expect(surveyIn(page).dialog).toBeVisible();
  });
});

test.describe("wait on some pages", () => {
  test.use({
    definition: asked({
      triggers: [{ event: { name: "go" } }],
      wait: { ms: 60_000 },
      targeting: { include: [{ prefix: "/app/cart" }] },
    }),
  });
  test("is cancelled when the visitor leaves them", async ({ page, pageUrl }) => {
    await page.clock.install();
    await page.goto(pageUrl("app/cart"));
    await page.clock.runFor(1_000);
    await ready(page);
    const go = (path) => page.evaluate((path) => history.pushState({}, "", path + location.search), path);
    await tell(page, "track", "go");
    await go("/app/home");
    await go("/app/cart");
    await page.clock.runFor(90_000);
    await expect(surveyIn(page).dialog).toHaveCount(0);

    await tell(page, "track", "go");
    await go("/app/cart/2");
    await page.clock.runFor(90_000);
    await expect(surveyIn(page).dialog).toBeVisible();
  });
});

test("asks nobody while the page is hidden", async ({ page, pageUrl }) => {
  await page.addInitScript(() => {
    Object.defineProperty(Document.prototype, "hidden", { value: true, configurable: true });
  });
  await page.goto(pageUrl("plain"));
  await ready(page);
  await expectQuiet(page);
  await page.evaluate(() => {
    Object.defineProperty(Document.prototype, "hidden", { value: false });
    document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
  });
  await expect(surveyIn(page).dialog).toBeVisible();
});
