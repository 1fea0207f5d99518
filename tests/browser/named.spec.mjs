// What scripts read from a page can be something else there: an element that is named like it, or a patch.

import { expect, surveyIn, test } from "./test.mjs";

/** Keys answer, and the edge says what has happened: what drives a page reads the same names as its scripts. */
async function expectAnswers(page, live) {
  await expect.poll(live.summary).toMatchObject({ funnel: { shown: 1, seen: 1 } });
  await page.keyboard.press("Tab");
  await page.keyboard.press("Space");
  await page.keyboard.press("Enter");
  await expect.poll(live.summary).toMatchObject({ n: 1, score: -100 });
}

test("no name of an element keeps a survey from being shown and answered", async ({ page, live, pageUrl }) => {
  const thrown = [];
  page.on("pageerror", (error) => thrown.push(error.message));
  await page.goto(pageUrl("named"));
  await expectAnswers(page, live);
  expect(thrown).toEqual([]);
});

test("no patch of what belongs to everybody keeps it from that either", async ({ page, live, pageUrl }) => {
  await page.goto(pageUrl("patched"));
  await expectAnswers(page, live);
});

for (const name of ["decoys", "decoys-module"]) {
  test(`only the script itself says on the page ${name} where everything else lies`, async ({ page, network, live, pageUrl }) => {
    await page.goto(pageUrl(name));
    await surveyIn(page).score(9).click();
    await expect.poll(live.summary).toMatchObject({ n: 1 });
    // The image itself is loaded, and nothing else.
    expect(network.asked.filter((request) => request.includes("/decoy/"))).toEqual(["GET /decoy/asklet.js"]);
  });
}
