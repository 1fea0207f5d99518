// A browser without WebAssembly, as in Lockdown Mode. Chromium has it no more without its compilers; its
// switch for WebAssembly alone does nothing since that is set up later.

import { expectFrame } from "./frames.mjs";
import { LAUNCH } from "./playwright.config.mjs";
import { expect, loaded, test } from "./test.mjs";

test.use({ launchOptions: { ...LAUNCH, args: [...LAUNCH.args, "--js-flags=--jitless"] } });

test("without WebAssembly the hosted page is shown in a frame, and no widget is loaded", async ({ page, live, pageUrl }) => {
  await page.goto(pageUrl("plain"));
  expect(await page.evaluate(() => typeof WebAssembly)).toBe("undefined");
  await expectFrame(page, live);
  expect((await loaded(page)).filter((name) => name.includes("/widget-"))).toEqual([]);
});
