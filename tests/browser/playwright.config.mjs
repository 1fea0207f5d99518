import { defineConfig } from "@playwright/test";

/** The browser that the tests run in: `chromium`, `firefox` or `webkit`, as Debian ships them. */
export const BROWSER = process.env.ASKLET_BROWSER ?? "chromium";

/** How Chromium starts. */
export const LAUNCH = {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  // Nothing but the test's own servers is to be reached.
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
};

/** How Firefox starts. WebDriver BiDi cannot yet choose what a visitor has set, so its own preferences do. */
function firefox(colours) {
  return {
    executablePath: process.env.FIREFOX ?? "/usr/bin/firefox-esr",
    firefoxUserPrefs: {
      "layout.css.prefers-color-scheme.content-override": colours === "dark" ? 0 : 1,
      "ui.prefersReducedMotion": 1,
      // Coarse, fine and hovering: there is a touch screen beside the mouse.
      "ui.allPointerCapabilities": 7,
      // It asks for an icon by itself, which is against the policy of many a page, and would ask a visitor
      // before a form is sent again, which the driver cannot answer.
      "browser.chrome.site_icons": false,
      "dom.confirm_repost.testing.always_accept": true,
    },
  };
}

/** How the browser starts for a visitor who prefers `light`, `dark` or `forced` colours. */
export const launchFor = (colours) => (BROWSER === "firefox" ? firefox(colours) : LAUNCH);

/** The specs that are run for each preference: what they hold depends on colours. */
const COLOURED = "accessibility.spec.mjs";

/** The specs that run in each browser. Others need what Chromium alone has, or are about no browser. */
const EVERYWHERE = [
  "accessibility",
  "answering",
  "audience",
  "commands",
  "debug",
  "delivery",
  "embedding",
  "frequency",
  "hosted",
  "keyboard",
  "looks",
  "named",
  "obstacles",
  "paths",
  "routes",
  "swaps",
  "triggers",
  // These set what their browser is to have: a cache of pages, and no WebAssembly.
  ...(BROWSER === "firefox" ? ["lifecycle", "lockdown"] : []),
].map((name) => `${name}.spec.mjs`);

export default defineConfig({
  testDir: ".",
  testMatch: BROWSER === "chromium" || process.env.ASKLET_DEBUG ? "*.spec.mjs" : EVERYWHERE,
  outputDir: `results/${BROWSER}`,
  // Firefox's driver waits more than it works.
  workers: BROWSER === "firefox" ? 3 : 2,
  fullyParallel: true,
  forbidOnly: true,
  reporter: [["list"]],
  timeout: 30_000,
  use: {
    browserName: BROWSER,
    channel: BROWSER === "firefox" ? "moz-firefox" : undefined,
    screenshot: "only-on-failure",
    // A trace of each test takes a third of the time of all; CONTRIBUTING.md says when to ask for one.
    trace: process.env.ASKLET_TRACE ? "retain-on-failure" : "off",
  },
  projects: [
    { name: BROWSER, use: { colours: "light" } },
    { name: `${BROWSER}, dark`, testMatch: COLOURED, use: { colours: "dark" } },
    // Firefox forces its own palette, whose contrast is not ours, and WebKitGTK forces none.
    ...(BROWSER === "chromium" ? [{ name: `${BROWSER}, forced colours`, testMatch: COLOURED, use: { colours: "forced" } }] : []),
  ],
});
