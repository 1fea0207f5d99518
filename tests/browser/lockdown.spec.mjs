// A browser without WebAssembly, as in Lockdown Mode. Firefox has a preference for it. Chromium has it no
// more without its compilers; its switch for WebAssembly alone does nothing since that is set up later.

import { expectFrame } from "./frames.mjs";
import { BROWSER, launchFor } from "./playwright.config.mjs";
import { expect, loaded, test } from "./test.mjs";

const launch = launchFor("light");
const without =
  BROWSER === "firefox"
    ? { firefoxUserPrefs: { ...launch.firefoxUserPrefs, "javascript.options.wasm": false } }
    : { args: [...launch.args, "--js-flags=--jitless"] };
test.use({ launchOptions: { ...launch, ...without } });

test("without WebAssembly the hosted page is shown in a frame, and no widget is loaded", async ({ page, live, pageUrl }) => {
  await page.goto(pageUrl("plain"));
  expect(await page.evaluate(() => typeof WebAssembly)).toBe("undefined");
  await expectFrame(page, live);
  expect((await loaded(page)).filter((name) => name.includes("/widget-"))).toEqual([]);
});
