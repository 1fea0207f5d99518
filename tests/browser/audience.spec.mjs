// Each rule about the audience lets in whom it should, and nobody else.

import { asked, changeStorage, expect, expectQuiet, loaded, ready, surveyIn, tell, test } from "./test.mjs";

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
      // Where the browser tells of no routes, a script that watches them is what the page costs.
      const tellsRoutes = await page.evaluate(() => "navigation" in window);
      const watching = async () => (await loaded(page)).filter((name) => name.includes("/when-"));
      await expect.poll(watching).toHaveLength(tellsRoutes ? 0 : 1);
      // The app leads to a page where it is asked.
      await page.evaluate(() => history.pushState({}, "", `/app/ca${location.search}`));
      await go(page);
      await expect(surveyIn(page).dialog).toBeVisible();
    });
  }
});

test.describe("the address", () => {
  audience({ include: [{ contains: "early" }, { contains: "late" }] });
  for (const [where, isAsked] of [["early", true], ["late", false]]) {
    test(`is looked at up to 2,000 characters, so ${where} in it ${isAsked ? "counts" : "does not"}`, async ({ page, pageUrl }) => {
      const address = pageUrl("app/x/");
      const path = where === "early" ? `early/${"x".repeat(2_000)}` : `${"x".repeat(2_000)}/late`;
      await page.goto(address.replace("app/x/", `app/x/${path}`));
      if (isAsked) {
        await go(page);
        await expect(surveyIn(page).dialog).toBeVisible();
      } else {
        await expect.poll(() => loaded(page)).toContainEqual(expect.stringContaining("/v1/config/"));
        await expectQuiet(page);
      }
    });
  }
});

test.describe("a survey for everybody", () => {
  audience({});
  test("draws no lot", async ({ page, pageUrl }) => {
    await page.goto(pageUrl("plain"));
    await go(page);
    await expect(surveyIn(page).dialog).toBeVisible();
    const keys = await page.evaluate(() => Object.keys(localStorage).map((key) => key.split("/")[2]));
    expect(keys).not.toContain("seed");
  });
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
  audience({ languages: ["de", "fr-CA", "zh-Hant", "no", "iw", "sr-Latn"] });
  for (const [locale, isAsked] of [
    ["de-AT", true],
    ["fr-CA", true],
    ["fr-FR", false],
    ["den-CA", false],
    ["zh-TW", true],
    ["zh-HK", true],
    ["zh-CN", false],
    ["nb-NO", true],
    ["he", true],
    ["sr-Latn-RS", true],
    ["sr-RS", false],
  ]) {
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

/** Comes back after half an hour without a page view. */
async function comeBack(page) {
  await changeStorage(page, () => {
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
    await comeBack(page);
    await go(page);
    await expectQuiet(page);
    await changeStorage(page, () => localStorage.clear());
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
      await comeBack(page);
      await ready(page);
    }
    await expect(surveyIn(page).dialog).toBeVisible();
  });
});

test.describe("a referrer and UTM parameters", () => {
  audience({ referrer: "localhost", utm: { utm_source: "mail" } });

  /** Follows a link on a page of another origin, which answers at the same port. */
  async function follow(page, url) {
    await page.goto(Object.assign(new URL("/blank", url), { hostname: "localhost" }).href);
    // The driver hears back before the page is left.
    await page.evaluate((url) => void setTimeout(() => location.assign(url)), url);
    await page.waitForFunction(() => location.pathname === "/plain");
  }

  test("are those with which the visit began", async ({ page, pageUrl }) => {
    await follow(page, pageUrl("plain", "&utm_source=mail&utm_campaign=x"));
    await ready(page);
    await page.goto(pageUrl("plain"));
    await go(page);
    await expect(surveyIn(page).dialog).toBeVisible();
  });
  test("of another origin do not count", async ({ page, pageUrl }) => {
    await follow(page, pageUrl("plain", "&utm_source=ad"));
    await go(page);
    await expectQuiet(page);
  });
});

test.describe("a sample", () => {
  audience({ sample_percent: 50 });
  test("is drawn once for a visitor, and not of all", async ({ page, live, pageUrl }) => {
    // Who is not in the sample is asked this one, so that there is something to wait for either way.
    await live.add(asked({ name: "Other", triggers: [{ event: { name: "other" } }] }));
    const askedHere = () => page.evaluate(() => Object.keys(localStorage).filter((key) => key.includes("/asked/")));
    const drawn = new Set();
    await page.goto(pageUrl("plain"));
    for (let seed = 0; seed < 12 && drawn.size < 2; seed += 1) {
      const draws = [];
      for (const _ of [1, 2]) {
        await changeStorage(
          page,
          ([site, seed]) => {
            localStorage.clear();
            localStorage.setItem(`asklet/${site}/seed`, seed);
          },
          [live.site, `0.${seed}`],
        );
        await go(page);
        await tell(page, "track", "other");
        await expect.poll(askedHere).toHaveLength(1);
        draws.push((await askedHere())[0].endsWith(live.survey));
      }
      expect(draws[0]).toBe(draws[1]);
      drawn.add(draws[0]);
    }
    expect(drawn).toEqual(new Set([true, false]));
  });
});
