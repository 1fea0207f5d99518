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
].map((name) => `${name}.spec.mjs`);

export default defineConfig({
  testDir: ".",
  testMatch: BROWSER === "chromium" || process.env.ASKLET_DEBUG ? "*.spec.mjs" : EVERYWHERE,
  outputDir: `results/${BROWSER}`,
  workers: 2,
  fullyParallel: true,
  forbidOnly: true,
  reporter: [["list"]],
  timeout: 30_000,
  use: {
    browserName: BROWSER,
    channel: BROWSER === "firefox" ? "moz-firefox" : undefined,
    screenshot: "only-on-failure",
    trace: "retain-on-failure",
  },
  projects: [
    { name: BROWSER, use: { colours: "light" } },
    { name: `${BROWSER}, dark`, testMatch: COLOURED, use: { colours: "dark" } },
    // Firefox forces its own palette, whose contrast is not ours, and WebKitGTK forces none.
    ...(BROWSER === "chromium" ? [{ name: `${BROWSER}, forced colours`, testMatch: COLOURED, use: { colours: "forced" } }] : []),
  ],
});
