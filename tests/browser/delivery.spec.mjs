// What was answered arrives, whatever happens on the way.

import { expect, surveyIn, test } from "./test.mjs";

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
  await deployment.run();
  expect(await live.summary()).toMatchObject({ n: 0 });

  await page.reload();
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

test("a display that the server refuses is not sent forever", async ({ page, live, pageUrl }) => {
  let refusals = 0;
  await page.route("**/v1/collect/**", (route) => {
    refusals += 1;
    return route.fulfill({ status: 422, headers: { "access-control-allow-origin": "*" } });
  });
  await page.goto(pageUrl("plain"));
  await surveyIn(page).score(2).click();
  await expect.poll(() => refusals).toBeGreaterThan(0);
  await expect.poll(() => waiting(page)).toEqual([]);
  expect(await live.summary()).toMatchObject({ n: 0 });
});

test("a server that asks for patience is not flooded", async ({ page, pageUrl }) => {
  let posts = 0;
  await page.route("**/v1/collect/**", (route) => {
    posts += 1;
    // A month is more milliseconds than a timer can count.
    const headers = {
      "access-control-allow-origin": "*",
      "access-control-expose-headers": "retry-after",
      "retry-after": "2592000",
    };
    return route.fulfill({ status: 503, headers });
  });
  await page.goto(pageUrl("plain"));
  const survey = surveyIn(page);
  await survey.score(2).click();
  await expect(survey.comment).toBeVisible();
  await expect.poll(() => posts).toBeGreaterThan(0);
  // Every frame would be time enough for a post, if nothing held them back.
  await page.evaluate(async () => {
    for (let frame = 0; frame < 60; frame += 1) await new Promise(requestAnimationFrame);
  });
  expect(posts).toBeLessThan(4);
  expect(await waiting(page)).toHaveLength(1);
});

/** The keys of what waits in the outbox. */
function waiting(page) {
  return page.evaluate(() => Object.keys(localStorage).filter((key) => key.includes("/outbox/")));
}
