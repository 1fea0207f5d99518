// What a page can tell asklet, and what asklet tells the page.

import { FAULTS } from "./network.mjs";
import { DEFINITION, asked, expect, listen, loaded, surveyIn, tell, test, waiting } from "./test.mjs";

test("tells the page what becomes of a survey", async ({ page, live, pageUrl }) => {
  const told = await listen(page);
  await page.goto(pageUrl("plain"));
  const survey = surveyIn(page);
  await survey.score(9).click();
  await survey.comment.fill("Fast.");
  await survey.button("Send").click();
  await expect(survey.thanks).toBeVisible();
  const ours = { survey: live.survey, display: expect.stringMatching(/^[0-9a-f-]{36}$/) };
  await expect.poll(told).toEqual([
    { event: "shown", ...ours, answers: {} },
    { event: "answered", ...ours, answers: { score: 9 }, question: "score", answer: 9 },
    { event: "answered", ...ours, answers: { score: 9, why: "Fast." }, question: "why", answer: "Fast." },
    { event: "completed", ...ours, answers: { score: 9, why: "Fast." } },
  ]);
});

for (const [kept, query] of [["path", ""], ["query", "&token=secret"]]) {
  test.describe(`where a site keeps the ${kept} of a page's address`, () => {
    test.use({ settings: { privacy: { page: kept } } });
    test("no more than that leaves the page", async ({ page, live, pageUrl, collected }) => {
      await page.goto(`${pageUrl("plain")}#part`);
      await surveyIn(page).score(9).click();
      await expect.poll(() => collected.at(-1)?.display.answers).toEqual({ score: 9 });
      const { origin } = new URL(page.url());
      expect(collected.at(-1).display.page).toBe(`${origin}/plain${query && `?site=${live.site}${query}`}`);
    });
  });
}

test("tells the page of a dismissal", async ({ page, live, pageUrl }) => {
  const told = await listen(page);
  await page.goto(pageUrl("plain"));
  await surveyIn(page).button("Close").click();
  await expect.poll(told).toMatchObject([{ event: "shown" }, { event: "dismissed", survey: live.survey }]);
});

test("a callback of the page that throws stops nothing", async ({ page, live, pageUrl }) => {
  await page.addInitScript(() => {
    window.asklet = function () { (window.asklet.q = window.asklet.q || []).push(arguments); };
    window.asklet("on", "answered", () => { throw new Error("the page's own"); });
  });
  await page.goto(pageUrl("plain"));
  await surveyIn(page).score(9).click();
  await expect(surveyIn(page).comment).toBeVisible();
  await expect.poll(live.summary).toMatchObject({ n: 1 });
});

test("the server's faults are told once and never thrown", async ({ page, pageUrl }) => {
  const thrown = [];
  const warnings = [];
  page.on("pageerror", (error) => thrown.push(error.message));
  page.on("console", (message) => message.type() === "warning" && warnings.push(message.text()));
  await page.route("**/v1/config/**", (route) => route.fulfill({ status: 500, body: "<html>" }));
  const told = await listen(page);
  await page.goto(pageUrl("plain"));
  await expect.poll(told).toMatchObject([{ event: "error" }]);
  expect(warnings).toHaveLength(1);
  expect(thrown).toEqual([]);
});

test("why a page has no surveys is told once, and nothing is asked there", async ({ page, pageUrl }) => {
  const warnings = [];
  page.on("console", (message) => message.type() === "warning" && warnings.push(message.text()));
  await page.route("**/v1/config/**", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { surveys: [], problem: "origin_not_allowed" } });
  });
  const told = await listen(page);
  await page.goto(pageUrl("plain"));
  await expect.poll(told).toEqual([{ event: "error", message: "origin_not_allowed" }]);
  expect(warnings).toEqual(["asklet: origin_not_allowed"]);
  expect((await loaded(page)).filter((name) => name.includes("/when-"))).toEqual([]);
});

test("what is not understood is warned of once each and never thrown", async ({ page, pageUrl }) => {
  const warnings = [];
  page.on("console", (message) => message.type() === "warning" && warnings.push(message.text()));
  await page.goto(pageUrl("plain"));
  const wrong = [[], ["toString"], ["nothing"], ["identify"], ["traits", "pro"], ["on", "shown"], ["consent", "yes"], ["init", null]];
  for (const command of wrong.slice(0, -1)) await tell(page, ...command);
  await expect.poll(() => warnings.length).toBe(wrong.length - 1);
  await expect(surveyIn(page).dialog).toBeVisible();
});

test.describe("show", () => {
  test.use({ definition: asked({ triggers: ["manual"], targeting: { include: [{ exact: "/nowhere" }] } }) });

  test("asks at once, whatever the rules say, and one survey at a time", async ({ page, live, pageUrl }) => {
    await page.goto(pageUrl("plain"));
    await tell(page, "show", live.survey);
    await expect(surveyIn(page).dialog).toBeVisible();
    await tell(page, "show", live.survey);
    await expect(page.locator("asklet-survey")).toHaveCount(1);

    await tell(page, "close");
    await expect(page.locator("asklet-survey")).toHaveCount(0);
    await expect.poll(live.summary).toMatchObject({ funnel: { shown: 1, dismissed: 0 } });
    await tell(page, "show", live.survey);
    await expect(surveyIn(page).dialog).toBeVisible();
    await expect.poll(live.summary).toMatchObject({ funnel: { shown: 2, dismissed: 0 } });
  });

  test("works before anything is loaded", async ({ page, live, pageUrl }) => {
    await page.addInitScript((survey) => {
      window.asklet = function () { (window.asklet.q = window.asklet.q || []).push(arguments); };
      window.asklet("show", survey);
    }, live.survey);
    await page.goto(pageUrl("plain"));
    await expect(surveyIn(page).dialog).toBeVisible();
  });

  test("of a survey that is not live is an error", async ({ page, pageUrl }) => {
    const told = await listen(page);
    await page.goto(pageUrl("plain"));
    await tell(page, "show", "another");
    await expect.poll(told).toMatchObject([{ event: "error", survey: "another" }]);
  });
});

test.describe("who answers", () => {
  test.use({ definition: asked({ traits: ["plan"] }) });

  test("travels with the answer", async ({ page, pageUrl, collected }) => {
    await page.addInitScript(() => {
      window.asklet = function () { (window.asklet.q = window.asklet.q || []).push(arguments); };
      window.asklet("identify", "a.token.here");
      window.asklet("traits", { plan: "pro", none: null });
    });
    await page.goto(pageUrl("plain"));
    await expect.poll(() => collected[0]?.display).toMatchObject({ identity: "a.token.here", traits: { plan: "pro" } });
  });

  for (const signal of ["globalPrivacyControl", "doNotTrack"]) {
    test(`stays here where the browser says ${signal}`, async ({ page, pageUrl, collected }) => {
      await page.addInitScript((signal) => {
        Object.defineProperty(navigator, signal, { value: signal === "doNotTrack" ? "1" : true });
        window.asklet = function () { (window.asklet.q = window.asklet.q || []).push(arguments); };
        window.asklet("identify", "a.token.here");
        window.asklet("traits", { plan: "pro" });
      }, signal);
      await page.goto(pageUrl("plain"));
      await surveyIn(page).score(9).click();
      await expect.poll(() => collected.at(-1)?.display.answers).toEqual({ score: 9 });
      for (const { display } of collected) {
        expect(display).not.toHaveProperty("identity");
        expect(display).not.toHaveProperty("traits");
        expect(display).not.toHaveProperty("page");
      }
    });
  }
});

test("reset forgets the visitor and keeps unsent answers", async ({ page, context, pageUrl }) => {
  await page.goto(pageUrl("plain"));
  await surveyIn(page).dialog.waitFor();
  await page.route("**/v1/collect/**", (route) => route.abort());
  await surveyIn(page).score(9).click();
  await expect(surveyIn(page).comment).toBeVisible();
  await tell(page, "reset");
  await expect(page.locator("asklet-survey")).toHaveCount(0);
  const kept = await page.evaluate(() => Object.keys(localStorage).map((key) => key.split("/")[2]));
  expect(kept).toEqual(["outbox"]);
});

test("reset takes the token from answers that wait, and nothing else", async ({ page, network, pageUrl, collected }) => {
  network.fault = FAULTS.cut;
  await page.addInitScript(() => {
    window.asklet = function () { (window.asklet.q = window.asklet.q || []).push(arguments); };
    window.asklet("identify", "a.token.here");
  });
  await page.goto(pageUrl("plain"));
  await surveyIn(page).score(9).click();
  await surveyIn(page).comment.fill('Not "identity":"a.token.here"}');
  await surveyIn(page).button("Send").click();
  await expect(surveyIn(page).thanks).toBeVisible();
  const waiting = () =>
    page.evaluate(() => {
      const key = Object.keys(localStorage).find((key) => key.includes("/outbox/"));
      return key && JSON.parse(localStorage.getItem(key).split("\n")[1]);
    });
  const before = await waiting();
  expect(before.identity).toBe("a.token.here");
  await tell(page, "reset");
  const { identity, ...rest } = before;
  expect(await waiting()).toEqual(rest);

  network.fault = undefined;
  await page.evaluate(() => dispatchEvent(new Event("online")));
  await expect.poll(() => collected.at(-1)?.display.stage).toBe("completed");
  for (const { display } of collected) expect(display).not.toHaveProperty("identity");
});

test("on gives back what takes the callback away", async ({ page, pageUrl }) => {
  await page.goto(pageUrl("consent"));
  await page.waitForFunction(() => window.asklet?.isAsklet);
  await page.evaluate(() => {
    window.heard = [];
    const hear = (name) => window.asklet("on", "shown", () => window.heard.push(name));
    hear("kept");
    const remove = hear("removed");
    remove();
    remove();
    window.asklet("consent", true);
  });
  await expect.poll(() => page.evaluate(() => window.heard)).toEqual(["kept"]);
});

test("a tag without a site says so, once", async ({ page, pageUrl }) => {
  const warnings = [];
  page.on("console", (message) => message.type() === "warning" && warnings.push(message.text()));
  await page.goto(pageUrl("no-site"));
  await page.waitForFunction(() => window.asklet?.isAsklet);
  expect(warnings).toEqual(["asklet: no data-site"]);
  // It can still be told.
  await page.evaluate(() => window.asklet("init", { site: new URLSearchParams(location.search).get("site") }));
  await expect(surveyIn(page).dialog).toBeVisible();
});

test.describe("language", () => {
  test.use({
    definition: asked({ thanks: { text: { en: "Thank you!", de: "Danke!" } } }),
  });
  test("of the page's choice comes before the page's own", async ({ page, pageUrl, collected }) => {
    await page.goto(pageUrl("stub-first"));
    await expect.poll(() => collected.at(-1)?.display.language).toBe("de");
  });
});

test.describe("the nearest language", () => {
  const thanks = { en: "Thank you!", "zh-Hant": "謝謝！", "zh-Hans": "谢谢！", nb: "Takk!", he: "תודה!", "de-AT": "Danke!", de: "Danke!" };
  test.use({ definition: asked({ triggers: ["manual"], thanks: { text: thanks } }) });
  test("is found by its likely script and today's code", async ({ page, live, pageUrl, collected }) => {
    await page.goto(pageUrl("plain"));
    for (const [told, language] of [
      ["zh-TW", "zh-Hant"],
      ["zh-HK", "zh-Hant"],
      ["zh-SG", "zh-Hans"],
      ["zh", "zh-Hans"],
      ["no", "nb"],
      ["iw-IL", "he"],
      ["de-CH", "de"],
      ["DE-at", "de-AT"],
      ["no tag_at all", "en"],
    ]) {
      collected.length = 0;
      await tell(page, "language", told);
      await tell(page, "show", live.survey);
      await expect.poll(() => collected.at(-1)?.display.language, told).toBe(language);
      await tell(page, "close");
      await expect(page.locator("asklet-survey")).toHaveCount(0);
    }
  });
});

test.describe("consent", () => {
  test("before it nothing is fetched, stored or sent", async ({ page, network, live, pageUrl }) => {
    const requests = () => network.asked.filter((request) => request.includes("/v1/"));
    await page.goto(pageUrl("consent"));
    await tell(page, "track", "early");
    await page.waitForLoadState("networkidle");
    expect(requests()).toEqual([]);
    expect(await page.evaluate(() => [Object.keys(localStorage), document.cookie])).toEqual([[], ""]);

    await tell(page, "consent", true);
    await surveyIn(page).score(9).click();
    await expect.poll(live.summary).toMatchObject({ n: 1 });

    // It is the page's to remember. A page that is left sends what it still has.
    await expect.poll(() => waiting(page)).toEqual([]);
    const before = requests();
    await page.reload();
    await page.waitForLoadState("networkidle");
    expect(requests()).toEqual(before);
  });

  test("taken back closes the survey and forgets everything, unsent answers too", async ({ page, live, pageUrl }) => {
    await page.route("**/v1/collect/**", (route) => route.abort());
    await page.goto(pageUrl("plain"));
    await surveyIn(page).score(9).click();
    await expect(surveyIn(page).comment).toBeVisible();
    await tell(page, "consent", false);
    await expect(page.locator("asklet-survey")).toHaveCount(0);
    expect(await page.evaluate(() => Object.keys(localStorage))).toEqual([]);
    await page.unroute("**/v1/collect/**");
    await page.evaluate(() => dispatchEvent(new Event("pagehide")));
    await page.reload();
    await surveyIn(page).dialog.waitFor();
    await expect.poll(live.summary).toMatchObject({ n: 0, funnel: { shown: 1 } });
  });

  test("given again, the page begins anew", async ({ page, live, pageUrl }) => {
    await page.goto(pageUrl("consent"));
    await tell(page, "consent", true);
    await surveyIn(page).dialog.waitFor();
    await tell(page, "consent", false);
    await tell(page, "consent", true);
    await expect.poll(async () => (await loaded(page)).filter((name) => name.includes("/v1/config/")).length).toBe(2);
    // One survey a page view: only the page itself can have another shown.
    await expectShown(page, live.survey);
  });
});

async function expectShown(page, survey) {
  await expect(page.locator("asklet-survey")).toHaveCount(0);
  await tell(page, "show", survey);
  await expect(surveyIn(page).dialog).toBeVisible();
}

test.describe("a page rule that the browser refuses", () => {
  test("is told as an error, and other surveys are asked", async ({ page, live, pageUrl }) => {
    await page.route("**/v1/config/**", async (route) => {
      const response = await route.fetch();
      const config = await response.json();
      const [survey] = config.surveys;
      config.surveys.unshift({ ...survey, id: "refused", audience: { pages: "(" } });
      await route.fulfill({ response, json: config });
    });
    const told = await listen(page);
    await page.goto(pageUrl("plain"));
    await expect(surveyIn(page).dialog).toBeVisible();
    expect(await told()).toContainEqual(expect.objectContaining({ event: "error", survey: "refused" }));
  });
});

test.describe("a preview", () => {
  test("shows a draft at once, and nothing of it is stored or sent", async ({ page, live, deployment, pageUrl, collected }) => {
    const [question, ...others] = DEFINITION.questions;
    const draft = asked({ triggers: ["manual"], questions: [{ ...question, text: "What will it be?" }, ...others] });
    const { query } = await deployment.preview(live, draft);
    await page.goto(pageUrl("plain", `&${query}`));
    await expect(surveyIn(page).dialog.getByRole("group", { name: "What will it be?" })).toBeVisible();
    await surveyIn(page).score(9).click();
    await surveyIn(page).button("Send").click();
    await expect(surveyIn(page).thanks).toBeVisible();
    expect(await page.evaluate(() => Object.keys(localStorage))).toEqual([]);
    expect(collected).toEqual([]);
  });
});
