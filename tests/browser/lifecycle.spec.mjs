// Pages that the browser keeps, or makes before they are wanted: by the browser itself.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { join } from "node:path";

import { BROWSER, LAUNCH, launchFor } from "./playwright.config.mjs";
import { asked, expect, ready, test } from "./test.mjs";

// Playwright switches Chromium's cache off, for the sake of tests that do not expect it.
test.use({
  launchOptions: {
    ...launchFor("light"),
    ignoreDefaultArgs: ["--disable-back-forward-cache"],
  },
});

test.describe("a page from the back-forward cache", () => {
  test.use({ definition: asked({ triggers: [{ event: { name: "go" } }] }) });
  test("goes on as it was, and is asked there", async ({ page, pageUrl, live }) => {
    await page.goto(pageUrl("app"));
    await ready(page);
    // A page that was loaded anew would not listen. The driver of Firefox can evaluate nothing in one that came
    // back: so the page itself tells the event, the edge says what has happened, and keys answer.
    await page.evaluate(() => addEventListener("pageshow", ({ persisted }) => persisted && window.asklet("track", "go")));
    await page.goto(pageUrl("no-language"));
    await page.evaluate(() => history.back());
    await expect.poll(live.summary).toMatchObject({ funnel: { shown: 1, seen: 1 } });
    await page.keyboard.press("Tab");
    await page.keyboard.press("Space");
    await page.keyboard.press("Enter");
    await expect.poll(live.summary).toMatchObject({ n: 1, funnel: { shown: 1, started: 1 } });
  });
});

/** Two pages: the first has the browser prerender the second, and goes there once it is told to. */
async function serveSpeculation(edge, site) {
  const first = `<!doctype html><title>First</title>
    <script type="speculationrules">{"prerender": [{"urls": ["/second"], "eagerness": "immediate"}]}</script>
    <script>fetch("/go").then(() => location.assign("/second"))</script>`;
  const second = `<!doctype html><title>Second</title>
    <script async src="${edge}/asklet.js" data-site="${site}"></script>
    <script>
      const tell = (what) => fetch(what, { method: "POST" });
      document.onprerenderingchange = () => tell("/activated");
      // Asklet begins when a page is idle; the script before this runs before the page has loaded.
      onload = () => requestIdleCallback(() => setTimeout(() => requestIdleCallback(() => tell("/idle"))));
    </script>`;
  const asked = [];
  let go;
  const gone = new Promise((resolve) => (go = resolve));
  const server = createServer(async (request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers["sec-purpose"] ?? ""}`.trim());
    response.setHeader("content-type", "text/html");
    if (request.url === "/go") await gone;
    response.end({ "/first": first, "/second": second }[request.url] ?? "");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { url: `http://127.0.0.1:${server.address().port}/first`, asked, go, close: () => server.close() };
}

// Whoever drives a browser by its debugger switches prerendering off. So nobody drives this one.
test("a prerendered page asks nothing before it is shown", async ({ network, live }, { outputDir }) => {
  test.skip(BROWSER !== "chromium", "no other browser prerenders a page");
  const pages = await serveSpeculation(network.url, live.site);
  const profile = join(outputDir, "profile");
  const browser = spawn(LAUNCH.executablePath, ["--headless", `--user-data-dir=${profile}`, ...LAUNCH.args, pages.url]);
  try {
    await expect.poll(() => pages.asked).toContain("GET /second prefetch;prerender");
    await expect.poll(() => pages.asked).toContain("POST /idle prefetch;prerender");
    expect(network.asked).toEqual(["GET /asklet.js"]);
    pages.go();
    await expect.poll(() => pages.asked).toContain("POST /activated");
    await expect.poll(live.summary).toMatchObject({ funnel: { shown: 1, seen: 1 } });
    expect(pages.asked.filter((request) => request.includes("/second"))).toHaveLength(1);
  } finally {
    browser.kill();
    await once(browser, "exit");
    pages.close();
  }
});
