// What was answered arrives, whatever happens on the way.

import { FAULTS } from "./network.mjs";
import { expect, surveyIn, test, waiting } from "./test.mjs";

test("an acknowledged answer is there after the server was killed", async ({ page, deployment, live, pageUrl, collected }) => {
  await page.goto(pageUrl("plain"));
  await surveyIn(page).score(9).click();
  await expect.poll(() => collected.at(-1)).toMatchObject({ status: 204, display: { answers: { score: 9 } } });
  await deployment.kill();
  await deployment.run();
  expect(await live.summary()).toMatchObject({ n: 1, score: 100 });
});

test("an answer that was given while the server was down leaves from the next page", async ({ page, deployment, live, pageUrl }) => {
  await page.goto(pageUrl("plain"));
  const survey = surveyIn(page);
  await expect(survey.dialog).toBeVisible();
  await deployment.kill();
  await survey.score(9).click();
  await survey.comment.fill("Sent later.");
  await survey.button("Send").click();
  await expect(survey.thanks).toBeVisible();
  // Left before the server is back: this page would send again by itself.
  await page.goto(pageUrl("blank"));
  await deployment.run();
  expect(await live.summary()).toMatchObject({ n: 0 });

  await page.goto(pageUrl("plain"));
  await expect.poll(live.summary).toMatchObject({ n: 1, score: 100, funnel: { shown: 1, completed: 1 } });
  await expect.poll(() => waiting(page)).toEqual([]);
});

test("an answer that was given offline leaves once the network is back", async ({ page, context, live, pageUrl }) => {
  await page.goto(pageUrl("plain"));
  const survey = surveyIn(page);
  await expect(survey.dialog).toBeVisible();
  await context.setOffline(true);
  await survey.score(2).click();
  await expect(survey.comment).toBeVisible();
  await expect.poll(() => waiting(page)).toHaveLength(1);
  await context.setOffline(false);
  await expect.poll(live.summary).toMatchObject({ n: 1, score: -100 });
  await expect.poll(() => waiting(page)).toEqual([]);
});

test("a display that the server refuses is not sent forever, and the console says why", async ({ page, network, live, pageUrl }) => {
  const warnings = [];
  page.on("console", (message) => message.type() === "warning" && warnings.push(message.text()));
  network.fault = FAULTS.refusal;
  await page.goto(pageUrl("plain"));
  await surveyIn(page).score(2).click();
  await expect.poll(() => network.posts).toBeGreaterThan(0);
  await expect.poll(() => waiting(page)).toEqual([]);
  expect(await live.summary()).toMatchObject({ n: 0 });
  expect(warnings).toEqual(["asklet: answer refused: score_off_scale: the score is not on the scale"]);
});

test("a config that a captive portal has answered loses nothing that waits", async ({ page, network, live, pageUrl }) => {
  network.fault = FAULTS.cut;
  await page.goto(pageUrl("plain"));
  await answer(page);
  network.configFault = FAULTS.portal;
  network.fault = undefined;
  await page.reload();
  await expect.poll(live.summary).toMatchObject(ONE_WHOLE);
  await expect.poll(() => waiting(page)).toEqual([]);
});

test("a server that asks for patience is not flooded", async ({ page, network, pageUrl }) => {
  network.fault = FAULTS.patience;
  await page.goto(pageUrl("plain"));
  const survey = surveyIn(page);
  await survey.score(2).click();
  await expect(survey.comment).toBeVisible();
  await expect.poll(() => network.posts).toBeGreaterThan(0);
  // Every frame would be time enough for a post, if nothing held them back.
  await page.evaluate(async () => {
    for (let frame = 0; frame < 60; frame += 1) await new Promise(requestAnimationFrame);
  });
  expect(network.posts).toBeLessThan(4);
  expect(await waiting(page)).toHaveLength(1);
});

const ONE_WHOLE = { n: 1, score: 100, funnel: { shown: 1, started: 1, completed: 1, dismissed: 0 } };

/** Answers everything with a nine. */
async function answer(page) {
  const survey = surveyIn(page);
  await survey.score(9).click();
  await survey.comment.fill("Whole.");
  await survey.button("Send").click();
  await expect(survey.thanks).toBeVisible();
}

for (const fault of ["cut", "unheard", "failure", "gateway", "portal", "sink", "firewall"]) {
  test(`an answer that met "${fault}" three times is sent until it is taken, and counts once`, async ({ page, network, live, pageUrl }) => {
    network.fault = FAULTS[fault];
    await page.goto(pageUrl("plain"));
    await answer(page);
    await expect.poll(() => network.posts, { timeout: 20_000 }).toBeGreaterThan(2);
    expect(await waiting(page)).toHaveLength(1);
    network.fault = undefined;
    await expect.poll(() => waiting(page), { timeout: 20_000 }).toEqual([]);
    expect(await live.summary()).toMatchObject(ONE_WHOLE);
  });
}

test("an answer on which the server falls silent is given up, repeated and counted once", async ({ page, network, live, pageUrl }) => {
  test.setTimeout(90_000);
  await page.goto(pageUrl("plain"));
  await surveyIn(page).dialog.waitFor();
  network.fault = FAULTS.silent;
  await answer(page);
  await expect.poll(live.summary).toMatchObject(ONE_WHOLE);
  const posts = network.posts;
  network.fault = undefined;
  // The edge has it, and the page does not know: it waits for 30 seconds.
  await expect.poll(() => waiting(page), { timeout: 60_000 }).toEqual([]);
  expect(network.posts).toBeGreaterThan(posts);
  expect(await live.summary()).toMatchObject(ONE_WHOLE);
});

test("an answer whose tab was closed leaves from another tab", async ({ context, page, network, live, pageUrl }) => {
  network.fault = FAULTS.cut;
  await page.goto(pageUrl("plain"));
  await answer(page);
  await page.close();
  network.fault = undefined;
  const next = await context.newPage();
  await next.goto(pageUrl("plain"));
  await expect.poll(live.summary).toMatchObject(ONE_WHOLE);
  await expect.poll(() => waiting(next)).toEqual([]);
});

test("an answer whose tab is closed at once arrives", async ({ page, live, pageUrl }) => {
  await page.goto(pageUrl("plain"));
  await surveyIn(page).score(9).click();
  await page.close();
  await expect.poll(live.summary).toMatchObject({ n: 1, score: 100 });
});

test("three tabs that send the same answer at once lose and double nothing", async ({ context, page, network, live, pageUrl }) => {
  network.fault = FAULTS.cut;
  await page.goto(pageUrl("plain"));
  await surveyIn(page).dialog.waitFor();
  const tabs = [page, await context.newPage(), await context.newPage()];
  for (const tab of tabs.slice(1)) await tab.goto(pageUrl("plain"));
  await page.bringToFront();
  await answer(page);
  const statuses = [];
  context.on("response", (response) => response.url().includes("/v1/collect/") && statuses.push(response.status()));
  network.fault = undefined;
  await Promise.all(tabs.map((tab) => tab.evaluate(() => dispatchEvent(new Event("online")))));
  await expect.poll(live.summary).toMatchObject(ONE_WHOLE);
  for (const tab of tabs) await expect.poll(() => waiting(tab)).toEqual([]);
  expect(new Set(statuses)).toEqual(new Set([204]));
});

for (const state of ["forbidden", "full"]) {
  test(`an answer arrives from a page whose storage is ${state}`, async ({ page, network, live, pageUrl }) => {
    const thrown = [];
    page.on("pageerror", (error) => thrown.push(error.message));
    await page.addInitScript((state) => {
      if (state === "forbidden") {
        Object.defineProperty(window, "localStorage", { get: () => { throw new DOMException("no", "SecurityError"); } });
        return;
      }
      // As large a text as still fits, and then what is left.
      for (let size = 1 << 24; size >= 1; size >>= 1) {
        try {
          localStorage.setItem("page", (localStorage.getItem("page") ?? "") + "x".repeat(size));
        } catch {
          // It does not.
        }
      }
    }, state);
    network.fault = FAULTS.cut;
    await page.goto(pageUrl("plain"));
    await answer(page);
    network.fault = undefined;
    await page.evaluate(() => dispatchEvent(new Event("online")));
    await expect.poll(live.summary).toMatchObject(ONE_WHOLE);
    expect(thrown).toEqual([]);
  });
}

test("the outbox keeps the newest fifty displays of thirty days", async ({ page, network, live, pageUrl }) => {
  network.fault = FAULTS.cut;
  await page.goto(pageUrl("plain"));
  await surveyIn(page).dialog.waitFor();
  await page.evaluate(({ site, survey }) => {
    const day = 24 * 60 * 60 * 1000;
    for (let age = 1; age < 80; age += 1) {
      const text = `${Date.now() - (age * day) / 2} ${survey}/0\n{"id":"${age}"}`;
      localStorage.setItem(`asklet/${site}/outbox/${age}`, text);
    }
  }, { site: live.site, survey: live.survey });
  await surveyIn(page).score(9).click();
  await expect.poll(() => waiting(page)).toHaveLength(50);
  expect(await waiting(page)).not.toContain(`asklet/${live.site}/outbox/60`);
});
