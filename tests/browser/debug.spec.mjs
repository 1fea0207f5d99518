// Why a survey does not show, said on the console where the address asks for it.

import { asked, expect, loaded, surveyIn, tell, test } from "./test.mjs";

/** Reads what the console says of surveys, with their ids left out. */
function told(page) {
  const lines = [];
  page.on("console", (message) => {
    const [, line] = message.text().match(/^asklet: survey \w+: (.*)/) ?? [];
    if (line) lines.push(line);
  });
  return lines;
}

for (const [what, changes, line] of [
  ["the page", { targeting: { include: [{ exact: "/nowhere" }] } }, /^not on this page: targeting/],
  ["the device", { targeting: { devices: ["phone"] } }, /^not for this visitor: targeting.devices is \["phone"\]/],
  ["the visitor's traits", { targeting: { traits: { plan: "pro" } } }, /targeting.traits is {"plan":"pro"}/],
  ["the visits", { targeting: { visitors: "returning" } }, /targeting.visitors is "returning"/],
  ["the trigger", { triggers: [{ event: { name: "bought" } }] }, /^waits for one of its triggers: .*"bought"/],
]) {
  test.describe(`where ${what} says no`, () => {
    test.use({ definition: asked(changes) });
    test("it is named", async ({ page, pageUrl }) => {
      const lines = told(page);
      await page.goto(pageUrl("plain", "&asklet-debug=1"));
      await expect.poll(() => lines).toEqual([expect.stringMatching(line)]);
    });

    test("nothing is said, nor loaded for it, on other pages", async ({ page, pageUrl }) => {
      const lines = told(page);
      await page.goto(pageUrl("plain"));
      await expect.poll(() => loaded(page)).toContainEqual(expect.stringContaining("/v1/config/"));
      await page.waitForLoadState("networkidle");
      expect((await loaded(page)).filter((name) => name.includes("debug"))).toEqual([]);
      expect(lines).toEqual([]);
    });
  });
}

test("a survey that was asked before says when and what came of it", async ({ page, pageUrl }) => {
  await page.goto(pageUrl("plain"));
  await surveyIn(page).button("Close").click();
  await expect(page.locator("asklet-survey")).toHaveCount(0);
  const lines = told(page);
  await page.goto(pageUrl("plain", "&asklet-debug=1"));
  await expect.poll(() => lines).toEqual([expect.stringMatching(/^asked on 20\S+Z and dismissed: frequency, again after no days$/)]);
});

test("a survey that cannot be seen now says so, and what becomes of it", async ({ page, pageUrl }) => {
  const lines = told(page);
  await page.goto(pageUrl("modal-dialog", "&asklet-debug=1"));
  await expect.poll(() => lines.at(-1)).toMatch(/^waits until it can be seen and answered/);
  await page.getByRole("button", { name: "Accept" }).click();
  await surveyIn(page).dialog.waitFor();
  await expect.poll(() => lines.at(-1)).toMatch(/^asked on 20\S+Z and ignored/);
});

test.describe("what the page tells later", () => {
  test.use({ definition: asked({ triggers: ["manual"], traits: ["plan"], targeting: { traits: { plan: "pro" } } }) });
  test("is looked at again", async ({ page, pageUrl }) => {
    const lines = told(page);
    await page.goto(pageUrl("plain", "&asklet-debug=1"));
    await expect.poll(() => lines).toHaveLength(1);
    await tell(page, "traits", { plan: "pro" });
    await expect.poll(() => lines).toEqual([expect.stringContaining("targeting.traits"), expect.stringContaining("manual")]);
  });
});
