// Each rule about the audience lets in whom it should, and nobody else.

import { asked, expect, expectQuiet, loaded, ready, surveyIn, tell, test } from "./test.mjs";

const ON_EVENT = [{ event: { name: "go" } }];

/** The survey is asked on an event, so that a test says when. */
function audience(targeting, use = {}) {
  test.use({ definition: asked({ triggers: ON_EVENT, targeting }), ...use });
}

async function go(page) {
  await ready(page);
  await tell(page, "track", "go");
}

test.describe("pages", () => {
  audience({ include: [{ glob: "/app/*/cart" }, { regex: "^(/app/c[ab]|/app/x)" }, { regex: "^\\/app\\/y$" }], exclude: [{ contains: "/secret" }] });
  for (const [path, isAsked] of [
    ["app/shop/cart", true],
    ["app/ca", true],
    ["app/x", true],
    ["app/shop", false],
    ["app/ca/secret", false],
  ]) {
    test(`${isAsked ? "are asked on" : "are left alone on"} /${path}`, async ({ page, live, pageUrl }) => {
      await page.goto(pageUrl(path));
      if (isAsked) {
        await go(page);
        await expect(surveyIn(page).dialog).toBeVisible();
        return;
      }
      const config = `/v1/config/${live.site}`;
      await expect.poll(() => loaded(page)).toContainEqual(expect.stringContaining(config));
      await expectQuiet(page);
      expect((await loaded(page)).filter((name) => name.includes("/when-"))).toEqual([]);
      // The app leads to a page where it is asked.
      await page.evaluate(() => history.pushState({}, "", `/app/ca${location.search}`));
      await go(page);
      await expect(surveyIn(page).dialog).toBeVisible();
    });
  }
});

test.describe("devices", () => {
  audience({ devices: ["tablet"] });
  for (const [userAgent, isAsked] of [
    ["Mozilla/5.0 (Linux; Android 15; SM-X910) Chrome/140.0 Safari", true],
    ["Mozilla/5.0 (iPad; CPU OS 18_0) Version/18.0 Mobile/15E148", true],
    ["Mozilla/5.0 (Linux; Android 15; Pixel 9) Chrome/140.0 Mobile Safari", false],
    ["Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0 Safari/537.36", false],
  ]) {
    test.describe(userAgent, () => {
      test.use({ userAgent });
      test(isAsked ? "is a tablet" : "is none", async ({ page, pageUrl }) => {
        await page.goto(pageUrl("plain"));
        await go(page);
        if (isAsked) await expect(surveyIn(page).dialog).toBeVisible();
        else await expectQuiet(page);
      });
    });
  }
});

test.describe("languages", () => {
  audience({ languages: ["de", "fr-CA"] });
  for (const [locale, isAsked] of [["de-AT", true], ["fr-CA", true], ["fr-FR", false], ["den-CA", false]]) {
    test.describe(locale, () => {
      test.use({ locale });
      test(isAsked ? "is one of them" : "is none of them", async ({ page, pageUrl }) => {
        await page.goto(pageUrl("plain"));
        await go(page);
        if (isAsked) await expect(surveyIn(page).dialog).toBeVisible();
        else await expectQuiet(page);
      });
    });
  }
});

test.describe("traits", () => {
  test.use({ definition: asked({ traits: ["plan", "seats"], targeting: { traits: { plan: "pro", seats: "5" } } }) });
  test("must be told, and can be told after the trigger", async ({ page, pageUrl, collected }) => {
    await page.goto(pageUrl("plain"));
    await ready(page);
    await tell(page, "traits", { plan: "pro" });
    await expectQuiet(page);
    await tell(page, "traits", { seats: 5 });
    await surveyIn(page).score(9).click();
    await expect.poll(() => collected.at(-1)?.display.traits).toEqual({ plan: "pro", seats: "5" });
  });
});

/** Half an hour passes without a page view. */
async function leave(page) {
  await page.evaluate(() => {
    const key = Object.keys(localStorage).find((key) => key.endsWith("/visit"));
    const [count, seenAt, ...origin] = localStorage.getItem(key).split(" ");
    localStorage.setItem(key, [count, seenAt - 31 * 60_000, ...origin].join(" "));
  });
}

test.describe("new visitors", () => {
  audience({ visitors: "new" });
  test("are those of a first visit, on all of its pages", async ({ page, pageUrl }) => {
    await page.goto(pageUrl("plain"));
    await ready(page);
    await page.reload();
    await ready(page);
    await leave(page);
    await page.reload();
    await go(page);
    await expectQuiet(page);
    await page.evaluate(() => localStorage.clear());
    await page.reload();
    await go(page);
    await expect(surveyIn(page).dialog).toBeVisible();
  });
});

test.describe("returning visitors", () => {
  audience({ visitors: "returning", min_visits: 3 });
  test("are counted by visits and not by page views", async ({ page, pageUrl }) => {
    await page.goto(pageUrl("plain"));
    for (const visit of [1, 2, 3]) {
      await page.reload();
      await go(page);
      if (visit === 3) break;
      await expectQuiet(page);
      await leave(page);
      await page.reload();
      await ready(page);
    }
    await expect(surveyIn(page).dialog).toBeVisible();
  });
});

test.describe("a referrer and UTM parameters", () => {
  audience({ referrer: "news.example", utm: { utm_source: "mail" } });
  test("are those with which the visit began", async ({ page, pageUrl }) => {
    await page.goto(pageUrl("plain", "&utm_source=mail&utm_campaign=x"), { referer: "https://news.example/" });
    await ready(page);
    await page.goto(pageUrl("plain"));
    await go(page);
    await expect(surveyIn(page).dialog).toBeVisible();
  });
  test("of another origin do not count", async ({ page, pageUrl }) => {
    await page.goto(pageUrl("plain", "&utm_source=ad"), { referer: "https://news.example/" });
    await go(page);
    await expectQuiet(page);
  });
});

test.describe("a sample", () => {
  audience({ sample_percent: 50 });
  test("is drawn once for a visitor, and not of all", async ({ page, live, pageUrl }) => {
    const drawn = [];
    await page.goto(pageUrl("plain"));
    for (let seed = 0; seed < 12 && new Set(drawn).size < 2; seed += 1) {
      const asks = [];
      for (const _ of [1, 2]) {
        await page.evaluate(
          ([site, seed]) => {
            localStorage.clear();
            localStorage.setItem(`asklet/${site}/seed`, seed);
          },
          [live.site, `0.${seed}`],
        );
        await page.reload();
        await go(page);
        // The claim is there before anything is shown.
        await page.evaluate(async () => {
          for (let frame = 0; frame < 10; frame += 1) await new Promise(requestAnimationFrame);
        });
        asks.push(await page.evaluate(() => Object.keys(localStorage).some((key) => key.includes("/asked/"))));
      }
      expect(asks[0]).toBe(asks[1]);
      drawn.push(asks[0]);
    }
    expect(new Set(drawn)).toEqual(new Set([true, false]));
  });
});
