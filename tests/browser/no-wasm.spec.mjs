// A browser without WebAssembly, such as one in Lockdown Mode.

import config from "./playwright.config.mjs";
import { expectFrame } from "./frames.mjs";
import { expect, loaded, test } from "./test.mjs";

const { launchOptions } = config.use;
const args = [...launchOptions.args, "--js-flags=--noexpose_wasm"];
test.use({ launchOptions: { ...launchOptions, args } });

test("without WebAssembly the hosted page is shown in a frame, and no widget is loaded", async ({ page, live, pageUrl }) => {
  await page.goto(pageUrl("plain"));
  expect(await page.evaluate(() => typeof WebAssembly)).toBe("undefined");
  await expectFrame(page, live);
  expect((await loaded(page)).filter((name) => name.includes("/widget-"))).toEqual([]);
});
