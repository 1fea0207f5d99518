// What the page has to do with how a survey looks: nothing, but its direction and its language.

import { KINDS, notice, survey } from "./kinds.mjs";
import { expect, surveyIn, test } from "./test.mjs";

for (const [scale, shownAs] of [["nps", "numbers"], ["csat_5", "stars"], ["csat_5", "faces"]]) {
  test.describe(`${scale} as ${shownAs}`, () => {
    test.use({
      reducedMotion: "reduce",
      definition: survey("en", scale, shownAs),
      settings: { notice: notice("en") },
    });

    test("looks the same on a page with rules for everything", async ({ browser, pageUrl }) => {
      const seen = [];
      for (const name of ["plain", "hostile-css"]) {
        // Each is a new visitor.
        const context = await browser.newContext({ reducedMotion: "reduce" });
        const page = await context.newPage();
        await page.goto(pageUrl(name));
        await expect(surveyIn(page).dialog.locator(".submit")).toBeVisible();
        seen.push(await page.evaluate(looks));
        await context.close();
      }
      const [plain, hostile] = seen;
      expect(plain.length).toBeGreaterThan(20);
      expect(hostile).toEqual(plain);
    });
  });
}

test.describe("in Arabic", () => {
  test.use({ definition: survey("ar", "nps", "numbers"), settings: { language: "ar" } });

  test("stands at the end of the lines, and its values run with them", async ({ page, pageUrl }) => {
    await page.goto(pageUrl("right-to-left"));
    const { dialog, score } = surveyIn(page);
    await expect(dialog).toHaveCSS("direction", "rtl");
    const [panel, first, last] = [await dialog.boundingBox(), await score(0).boundingBox(), await score(10).boundingBox()];
    expect(panel.x + panel.width / 2).toBeLessThan((await page.evaluate(() => innerWidth)) / 2);
    expect(first.x).toBeGreaterThan(last.x);
  });
});

for (const [scale, shownAs] of KINDS) {
  test.describe(`${scale} as ${shownAs}`, () => {
    test.use({ definition: survey("en", scale, shownAs), settings: { notice: notice("en") } });

    test("nothing hangs over the panel, which would scroll then", async ({ page, pageUrl }) => {
      await page.goto(pageUrl("plain"));
      const { score, button, comment, thanks } = surveyIn(page);
      await score(3).waitFor();
      expect(await page.evaluate(outside)).toEqual([]);
      await score(3).click();
      await comment.waitFor();
      expect(await page.evaluate(outside)).toEqual([]);
      await button("Send").click();
      await thanks.waitFor();
      expect(await page.evaluate(outside)).toEqual([]);
    });

    test("fits 320 pixels", async ({ page, pageUrl }) => {
      await page.goto(pageUrl("narrow"));
      const { dialog } = surveyIn(page.frameLocator("iframe"));
      const radios = dialog.getByRole("radio");
      await expect(radios.last()).toBeVisible();
      expect(await dialog.evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)).toBe(0);
      for (const radio of [radios.first(), radios.last()]) {
        const { left, right, width, height } = await radio.evaluate((element) => element.getBoundingClientRect().toJSON());
        expect(Math.min(width, height)).toBeGreaterThanOrEqual(24);
        expect(left).toBeGreaterThanOrEqual(0);
        expect(right).toBeLessThanOrEqual(320);
      }
    });
  });
}

/** A word that has no place to break, as links and names of products have. */
const LONG = `https://shop.example/${"averylongword".repeat(5)}`;

test.describe("long words", () => {
  const rating = { scale: "nps", low: LONG, high: "Extremely likely" };
  test.use({
    definition: {
      name: "Long",
      questions: [
        { id: "score", text: LONG, answer: { rating } },
        { id: "why", text: LONG, answer: { text: {} } },
      ],
      primary: "score",
      thanks: { text: LONG, link: { url: "https://shop.example", text: LONG } },
    },
    settings: { notice: { why: LONG } },
  });

  for (const width of [320, 390]) {
    test(`stay within the card at ${width} px, and short ones stay whole`, async ({ page, pageUrl }) => {
      await page.setViewportSize({ width, height: 900 });
      await page.goto(pageUrl("tall"));
      const { dialog, score, button, thanks } = surveyIn(page);
      await dialog.locator("summary").click();
      expect(await page.evaluate(outside)).toEqual([]);
      const lines = await dialog.getByText("Extremely likely").evaluate((element) => {
        const range = document.createRange();
        range.selectNodeContents(element);
        return range.getClientRects().length;
      });
      expect(lines, "no more than one a word").toBeLessThanOrEqual(2);
      await score(9).click();
      await dialog.getByRole("textbox").waitFor();
      expect(await page.evaluate(outside)).toEqual([]);
      await button("Send").click();
      await thanks.waitFor();
      expect(await page.evaluate(outside)).toEqual([]);
    });

    test(`stay within the hosted page at ${width} px`, async ({ page, deployment, live }) => {
      await page.setViewportSize({ width, height: 900 });
      await page.goto(`${deployment.url}/s/${live.site}/${live.survey}`);
      const widths = () => page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      const expectWithin = async () => {
        const [content, view] = await widths();
        expect(content).toBeLessThanOrEqual(view);
      };
      await page.locator("summary").click();
      await expectWithin();
      await page.getByRole("radio").last().check();
      await page.getByRole("button", { name: "Next" }).click();
      await page.getByRole("textbox").waitFor();
      await expectWithin();
      await page.getByRole("button", { name: "Send" }).click();
      await page.locator(".thanks").waitFor();
      await expectWithin();
    });
  }
});

test("nothing of a survey is on paper", async ({ page, pageUrl, browserName }) => {
  test.skip(browserName !== "chromium", "only Chromium's debugger can show a page as it would be printed");
  await page.goto(pageUrl("plain"));
  await expect(surveyIn(page).dialog).toBeVisible();
  await page.emulateMedia({ media: "print" });
  await expect(page.locator("asklet-survey")).toHaveCSS("display", "none");
  await page.emulateMedia({ media: "screen" });
  await expect(surveyIn(page).dialog).toBeVisible();
});

test("nothing of a survey's frame is on paper", async ({ page, pageUrl, browserName }) => {
  test.skip(browserName !== "chromium", "WebKit's driver prints nothing, and Firefox's cannot close this page once it was printed");
  await page.goto(pageUrl("no-wasm-csp"));
  const element = page.locator("asklet-survey");
  await expect(element).toBeVisible();
  await page.evaluate(() => {
    addEventListener("beforeprint", () => (window.printed = getComputedStyle(document.querySelector("asklet-survey")).display));
  });
  await page.pdf();
  expect(await page.evaluate(() => window.printed)).toBe("none");
  await expect(element).toBeVisible();
});

/** The parts of the survey in the page that lie outside of its panel, and the panel if it scrolls. */
function outside() {
  const panel = document.querySelector("asklet-survey").shadowRoot.querySelector(".panel");
  const bounds = panel.getBoundingClientRect();
  const found = [...panel.querySelectorAll("*")].filter((element) => {
    const { left, right, top, bottom, width } = element.getBoundingClientRect();
    return width && (left < bounds.left || right > bounds.right || top < bounds.top || bottom > bounds.bottom);
  });
  if (panel.scrollHeight > panel.clientHeight || panel.scrollWidth > panel.clientWidth) found.push(panel);
  return found.map((element) => `${element.localName}.${element.className}`);
}

/** The boxes and the computed styles of everything that belongs to the survey, in the page. */
function looks() {
  // A page that is too long gets a scroll bar, which takes room in some browsers.
  document.documentElement.style.setProperty("overflow", "hidden", "important");
  const host = document.querySelector("asklet-survey");
  const all = [host, ...host.shadowRoot.querySelectorAll("*")];
  return all.map((element) => {
    const { x, y, width, height } = element.getBoundingClientRect();
    const styles = [null, "::before", "::after"].map((part) => {
      const style = getComputedStyle(element, part);
      // Custom properties of the page reach everything, and nothing here reads them.
      return [...style].filter((name) => !name.startsWith("--")).map((name) => `${name}: ${style[name]}`);
    });
    return { name: `${element.localName}.${element.className}`, box: [x, y, width, height], styles };
  });
}
