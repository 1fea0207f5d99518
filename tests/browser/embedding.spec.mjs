// Every way of embedding, and pages that forbid much.

import { expectFrame } from "./frames.mjs";
import { asked, changeStorage, DEFINITION, expect, listen, loaded, surveyIn, test } from "./test.mjs";

test.describe("embedding", () => {
  test.use({ definition: { ...DEFINITION, thanks: { text: { en: "Thank you!", de: "Danke!" } } } });

  for (const name of ["plain", "injected", "module", "stub-first", "stub-after", "twice", "nonce-csp", "patched"]) {
    test(`works on the page ${name}, in one instance and with one global`, async ({ page, live, pageUrl, collected, browserName }) => {
      test.skip(name === "patched" && browserName === "webkit", "WebKit's driver itself needs the page's JSON; named.spec.mjs answers there by keys");
      const errors = [];
      page.on("pageerror", (error) => errors.push(error.message));
      await page.goto(pageUrl(name));
      const survey = surveyIn(page);
      await survey.score(10).click();
      await survey.button("Send").click();
      await expect(survey.thanks).toBeVisible();
      await expect.poll(live.summary).toMatchObject({ n: 1, score: 100, funnel: { shown: 1, completed: 1 } });
      const language = name.startsWith("stub") ? "de" : "en";
      await expect.poll(() => collected.at(-1)?.display).toMatchObject({ language, answers: { score: 10 } });
      await expect(page.locator("asklet-survey")).toHaveCount(1);
      expect((await loaded(page)).filter((name) => name.includes("/v1/config/"))).toHaveLength(1);
      expect(errors).toEqual([]);
    });
  }

  test("adds no global but asklet", async ({ page, pageUrl }) => {
    await page.addInitScript(() => (window.before = Object.keys(window)));
    await page.goto(pageUrl("plain"));
    await expect(surveyIn(page).dialog).toBeVisible();
    const added = await page.evaluate(() => Object.keys(window).filter((name) => !window.before.includes(name)));
    // What begins with `__pw` is Playwright's own.
    expect(added.filter((name) => name !== "before" && !name.startsWith("__pw"))).toEqual(["asklet"]);
  });

  test("a second copy keeps the first one's instance", async ({ page, pageUrl }) => {
    await page.goto(pageUrl("twice"));
    await expect(surveyIn(page).dialog).toBeVisible();
    expect(await page.evaluate(() => window.first === window.asklet)).toBe(true);
  });

  test("what the page tells before the script is there is not lost", async ({ page, live, pageUrl }) => {
    await page.goto(pageUrl("stub-first"));
    await expect(surveyIn(page).dialog).toBeVisible();
    await expect(page).toHaveTitle(new RegExp(`^${live.survey} [0-9a-f-]{36}$`));
  });

  test("works inside a frame", async ({ page, live, pageUrl }) => {
    await page.goto(pageUrl("framed"));
    await surveyIn(page.frameLocator("iframe")).score(10).click();
    await expect.poll(live.summary).toMatchObject({ n: 1 });
  });

  test("does nothing before a prerendered page is shown", async ({ page, pageUrl }) => {
    await page.addInitScript(() => {
      Object.defineProperty(Document.prototype, "prerendering", { value: true, configurable: true });
    });
    await page.goto(pageUrl("plain"));
    await page.waitForFunction(() => window.asklet?.isAsklet);
    await page.waitForLoadState("networkidle");
    expect((await loaded(page)).filter((name) => name.includes("/v1/"))).toEqual([]);
    await page.evaluate(() => document.dispatchEvent(new Event("prerenderingchange")));
    await expect(surveyIn(page).dialog).toBeVisible();
  });
});

test("where the page's policy refuses WebAssembly, the hosted page is shown in a frame", async ({ page, network, live, pageUrl }) => {
  const told = await listen(page);
  await page.goto(pageUrl("no-wasm-csp"));
  await expect.poll(told).toMatchObject([{ event: "shown" }]);
  await expect(page.locator("body"), "the frame takes no focus").toBeFocused();
  await expectFrame(page, live);
  expect(network.asked).toContain(`GET /s/${live.site}/${live.survey}?lang=en&frame`);
  await expect.poll(told).toMatchObject([{ event: "shown", survey: live.survey }, { event: "dismissed" }]);
});

test("where the page forbids frames too, nothing is shown and the page is told which directive it was", async ({ page, live, pageUrl }) => {
  const told = await listen(page);
  await page.goto(pageUrl("no-frame-csp"));
  await expect.poll(told).toMatchObject([{ event: "error", survey: live.survey, directive: "frame-src" }]);
  await expect(page.locator("asklet-survey")).toHaveCount(0);
  const asked = () => Object.keys(localStorage).filter((key) => key.includes("/asked/"));
  await expect.poll(() => page.evaluate(asked), "it counts as not asked").toEqual([]);
});

for (const [name, directives] of [
  ["plain", []],
  ["no-wasm-csp", ["script-src"]],
  ["no-frame-csp", ["frame-src", "script-src"]],
]) {
  test(`the team is told once what stands in the way of the tag on the page ${name}`, async ({ page, network, deployment, live, pageUrl }) => {
    const installs = async () => {
      const headers = { authorization: `Bearer ${live.key}` };
      const answer = await fetch(`${deployment.url}/v1/sites/${live.site}/installs`, { headers });
      const { installs } = await answer.json();
      return installs.map(({ origin, problems }) => [origin, problems.map(({ directive }) => directive).sort()]);
    };
    await page.goto(pageUrl(name));
    await expect.poll(installs).toEqual([[new URL(page.url()).origin, directives]]);
    await changeStorage(page, (survey) => {
      const key = Object.keys(localStorage).find((key) => key.endsWith(`/asked/${survey}`));
      if (key) localStorage.removeItem(key);
    }, live.survey);
    await page.waitForLoadState("networkidle");
    expect(network.asked.filter((request) => request.includes("/v1/installs/"))).toHaveLength(directives.length);
  });
}

const askedBefore = (page) => page.evaluate(() => Object.keys(localStorage).filter((key) => key.includes("/asked/")));

/** What can keep the hosted page out of a frame, of which a frame does not tell. */
const REFUSALS = {
  "cannot be reached": (route) => route.abort(),
  "is of a survey that was closed meanwhile": (route) => route.fulfill({ status: 410, contentType: "text/html", body: "Closed." }),
  "does not let itself be framed, as where the page itself is framed by another origin": async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, headers: { ...response.headers(), "content-security-policy": "frame-ancestors 'none'" } });
  },
};
for (const [why, refuse] of Object.entries(REFUSALS)) {
  test(`where the hosted page ${why}, nothing is shown, and it counts as not asked`, async ({ page, live, pageUrl, browserName }) => {
    await page.route("**/s/**", refuse);
    const told = await listen(page);
    // Frames of Firefox's and WebKit's do not tell that they loaded what the browser says of what cannot be
    // reached, so that only time tells.
    const isSilent = browserName !== "chromium" && why === "cannot be reached";
    if (isSilent) await page.clock.install();
    await page.goto(pageUrl("no-wasm-csp"));
    if (isSilent) {
      await expect(page.locator("asklet-survey iframe")).toHaveCount(1);
      await page.clock.runFor(30_000);
    }
    const message = "the survey's page could not be shown in a frame";
    await expect.poll(told, { timeout: 15_000 }).toEqual([{ event: "error", survey: live.survey, message }]);
    await expect(page.locator("asklet-survey")).toHaveCount(0);
    expect(await askedBefore(page)).toEqual([]);
  });
}

for (const [what, name] of [
  ["is isolated from other origins", "isolated"],
  ["gives other origins no credentials", "credentialless"],
  ["would have frames reported and not refused", "reporting"],
]) {
  test(`on a page that ${what} the frame shows too`, async ({ page, live, pageUrl }) => {
    await page.goto(pageUrl(`${name}-no-wasm-csp`));
    await expectFrame(page, live);
  });
}

/** What a survey can fail of, and what the page and its owner are told. */
const FAILURES = {
  "its body is refused": [(route) => route.fulfill({ status: 503 }), "the survey's body could not be fetched: 503"],
  "its body cannot be reached": [(route) => route.abort(), "the survey's body could not be fetched: no answer"],
  "its body is of another release": [(route) => route.fulfill({ body: "garbage" }), "the survey's body is in another release's format"],
  "its body is damaged": [
    async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: (await response.body()).subarray(0, 40) });
    },
    "the survey's body is damaged",
  ],
};
for (const [what, [refuse, message]] of Object.entries(FAILURES)) {
  test(`where ${what}, the page and its console are told so, and it counts as not asked`, async ({ page, live, pageUrl }) => {
    const warnings = [];
    page.on("console", (line) => line.type() === "warning" && warnings.push(line.text()));
    await page.route("**/v1/body/**", refuse);
    const told = await listen(page);
    await page.goto(pageUrl("plain"));
    await expect.poll(told).toEqual([{ event: "error", survey: live.survey, message }]);
    expect(warnings).toEqual([`asklet: ${message}`]);
    expect(await askedBefore(page)).toEqual([]);
  });
}

test("a page of frames has no place for a survey, and says so", async ({ page, live, pageUrl }) => {
  const told = await listen(page);
  await page.goto(pageUrl("frameset"));
  await expect.poll(told).toMatchObject([{ event: "error", survey: live.survey, message: "the page has no element body" }]);
});

test("where a tool runs the tag in a worker, the console says that it cannot run there", async ({ page, pageUrl, browserName }) => {
  test.skip(browserName === "webkit", "WebDriver does not tell what a worker writes");
  const warnings = [];
  page.on("console", (line) => warnings.push(line.text()));
  await page.goto(pageUrl("partytown"));
  // What it reads of the page goes through a service worker, piece by piece.
  const told = expect.stringContaining("asklet: it cannot run in a worker");
  await expect.poll(() => warnings, { timeout: 20_000 }).toContainEqual(told);
});

test("a page of XHTML without a head is asked", async ({ page, live, pageUrl }) => {
  await page.goto(pageUrl("xhtml"));
  await surveyIn(page).score(9).click();
  await expect(surveyIn(page).comment).toBeVisible();
  await expect.poll(live.summary).toMatchObject({ n: 1 });
});

test("a survey leaves nothing behind in the page", async ({ page, pageUrl }) => {
  await page.goto(pageUrl("plain"));
  await surveyIn(page).button("Close").click();
  await expect(page.locator("asklet-survey")).toHaveCount(0);
  expect(await page.evaluate(() => document.head.querySelectorAll("link").length)).toBe(0);
});

test.describe("a page that the browser translates", () => {
  test.use({ definition: asked({ later_days: 3 }) });

  /** Wraps each text in elements, as browsers' translators do. */
  const translate = (page) =>
    page.evaluate(() => {
      const root = document.querySelector("asklet-survey").shadowRoot;
      const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
      const texts = [];
      while (walker.nextNode()) texts.push(walker.currentNode);
      for (const text of texts) {
        const [outer, inner] = [document.createElement("font"), document.createElement("font")];
        text.replaceWith(outer);
        outer.append(inner);
        inner.append(text);
      }
    });

  test("leads on, back and away", async ({ page, live, pageUrl }) => {
    await page.goto(pageUrl("plain"));
    const { dialog, score, comment, button } = surveyIn(page);
    await score(9).waitFor();
    await translate(page);
    await score(9).click();
    await comment.waitFor();
    await translate(page);
    await button("Back").click();
    await expect(score(9)).toBeChecked();
    await translate(page);
    await button("Close").click();
    await expect(dialog).toHaveCount(0);
    await expect.poll(live.summary).toMatchObject({ n: 1, funnel: { dismissed: 1 } });
  });

  test("can be put off", async ({ page, pageUrl }) => {
    await page.goto(pageUrl("plain"));
    await surveyIn(page).score(9).waitFor();
    await translate(page);
    await surveyIn(page).button("Ask me later").click();
    await expect(surveyIn(page).dialog).toHaveCount(0);
    expect(await page.evaluate(() => Object.values(localStorage).filter((text) => text.startsWith("later")))).toHaveLength(1);
  });
});

test.describe("a page in another language", () => {
  test.use({ definition: asked({ language: "de" }) });
  test("gets a frame whose close button speaks it", async ({ page, pageUrl }) => {
    await page.goto(pageUrl("no-wasm-csp"));
    await expect(page.getByRole("button", { name: "Schließen" })).toHaveAttribute("lang", "de");
  });
});

test.describe("a survey that stands in the page", () => {
  test.use({ definition: asked({ appearance: { position: { inline: "#below" } } }) });
  test("is seen once it was scrolled to, and not before", async ({ page, live, pageUrl }) => {
    await page.goto(pageUrl("tall"));
    const region = page.locator("#below").getByRole("region");
    await expect(region).toBeVisible();
    await expect.poll(live.summary).toMatchObject({ funnel: { shown: 1, seen: 0 } });
    await region.scrollIntoViewIfNeeded();
    await expect.poll(live.summary).toMatchObject({ funnel: { shown: 1, seen: 1, started: 0 } });
    await region.getByRole("radio", { name: "9", exact: true }).click();
    await expect.poll(live.summary).toMatchObject({ n: 1, funnel: { shown: 1, seen: 1, started: 1 } });
  });
});

for (const name of ["strict-csp", "trusted-types"]) {
  test(`works on the page ${name} without breaking its policy`, async ({ page, live, pageUrl }) => {
    const complaints = [];
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => complaints.push(message.text()));
    await page.addInitScript(() => {
      addEventListener("securitypolicyviolation", (event) => {
        console.log(`${event.violatedDirective} forbids ${event.blockedURI} ${event.sample}`);
      });
    });
    await page.goto(pageUrl(name));
    const survey = surveyIn(page);
    await survey.score(10).click();
    await survey.button("Send").click();
    await expect(survey.thanks).toBeVisible();
    await expect.poll(live.summary).toMatchObject({ n: 1, score: 100, funnel: { completed: 1 } });
    // The browser asks for an icon by itself, and the pages neither have nor allow one.
    expect(complaints.filter((text) => !text.includes("404") && !text.includes("favicon.ico"))).toEqual([]);
    // The style sheet was adopted although the page allows no style.
    await expect(survey.dialog).toHaveCSS("background-color", "rgb(255, 255, 255)");
  });
}

test("waits while the page has a modal dialog open", async ({ page, live, pageUrl }) => {
  await page.goto(pageUrl("modal-dialog"));
  // The cookie dialog lies over everything; a survey below it could not be answered.
  await expect.poll(() => loaded(page)).toContainEqual(expect.stringContaining("/when-"));
  await expect(surveyIn(page).dialog.locator("fieldset")).toHaveCount(0);
  await page.getByRole("button", { name: "Accept" }).click();
  await surveyIn(page).score(9).click();
  await expect.poll(live.summary).toMatchObject({ n: 1 });
});

test("what is typed stays out of the page's shortcuts, and an element called asklet is no instance", async ({ page, pageUrl }) => {
  await page.goto(pageUrl("shortcuts"));
  const survey = surveyIn(page);
  await survey.score(3).click();
  await survey.comment.click();
  await page.keyboard.type("good/bad");
  await expect(survey.comment).toHaveValue("good/bad");
  await expect(page.getByRole("searchbox")).toHaveValue("");
});

test("fits 320 pixels with text twice as large", async ({ page, pageUrl, browserName }) => {
  test.skip(browserName !== "chromium", "only Chromium's debugger can say how large text is");
  await page.setViewportSize({ width: 320, height: 640 });
  const browser = await page.context().newCDPSession(page);
  await browser.send("Page.enable");
  await browser.send("Page.setFontSizes", { fontSizes: { standard: 32, fixed: 26 } });
  await page.goto(pageUrl("plain"));
  const { dialog, score } = surveyIn(page);
  await expect(dialog).toBeVisible();
  const { scrollWidth, clientWidth } = await dialog.evaluate(({ scrollWidth, clientWidth }) => ({ scrollWidth, clientWidth }));
  expect(scrollWidth).toBe(clientWidth);
  for (const value of [0, 10]) {
    const box = await score(value).boundingBox();
    expect(box.width).toBeGreaterThanOrEqual(24);
    expect(box.height).toBeGreaterThanOrEqual(24);
    expect(box.x + box.width).toBeLessThanOrEqual(320);
  }
});
