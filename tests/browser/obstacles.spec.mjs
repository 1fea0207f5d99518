// What a page can have over a survey, or around it: as long as it could not be seen and answered, it waits.

import { asked, expect, expectQuiet, listen, loaded, ready, settle, surveyIn, tell, test } from "./test.mjs";

/** Says that nothing was shown, and nothing counts as asked. */
async function expectWaiting(page, live) {
  await settle(page);
  await expect(page.locator("asklet-survey")).toHaveCount(0);
  expect(await page.evaluate(() => Object.keys(localStorage).filter((key) => key.includes("/asked/")))).toEqual([]);
  expect(await live.summary()).toMatchObject({ funnel: { shown: 0, seen: 0 } });
}

/** Triggers a survey, and keeps its body back once all else is asked for. Gives what lets the body arrive. */
async function untilItLoads(page, pageUrl) {
  let open;
  const opened = new Promise((resolve) => (open = resolve));
  await page.route("**/v1/body/**", async (route) => {
    await opened;
    await route.continue();
  });
  await page.goto(pageUrl("obstacles"));
  await ready(page);
  await tell(page, "track", "go");
  await expect.poll(() => loaded(page)).toContainEqual(expect.stringContaining(".wasm"));
  return async () => {
    const body = page.waitForResponse("**/v1/body/**");
    open();
    await (await body).finished();
  };
}

test.describe("a survey that is triggered by the page", () => {
  test.use({ definition: asked({ triggers: [{ event: { name: "go" } }] }) });

  /** Each obstacle: what makes it and what takes it away, in the page. */
  const OBSTACLES = {
    "an inert page": [() => (document.body.inert = true), () => (document.body.inert = false)],
    "an inert document": [
      () => (document.documentElement.inert = true),
      () => (document.documentElement.inert = false),
    ],
    "an inert sibling of a dialog": [
      () => (document.querySelector("main").inert = true),
      () => (document.querySelector("main").inert = false),
    ],
    "a body that is not drawn": [
      () => (document.body.style.display = "none"),
      () => (document.body.style.display = ""),
    ],
    "a document that is not drawn": [
      () => (document.documentElement.style.display = "none"),
      () => (document.documentElement.style.display = ""),
    ],
    "a body whose content is not drawn": [
      () => (document.body.style.contentVisibility = "hidden"),
      () => (document.body.style.contentVisibility = ""),
    ],
    "a body that a style sheet hides": [
      () => document.head.insertAdjacentHTML("beforeend", "<style id='hide'>body { display: none }</style>"),
      () => document.querySelector("#hide").remove(),
    ],
    "a dialog of the page's own": [
      () => {
        const dialog = Object.assign(document.createElement("div"), { textContent: "Sign in", ariaModal: "true", role: "dialog" });
        document.body.append(dialog);
      },
      () => document.querySelector("[aria-modal]:last-child").remove(),
    ],
    "a dialog that has no box of its own": [
      () => {
        const dialog = Object.assign(document.createElement("div"), { ariaModal: "true", role: "dialog" });
        dialog.style.cssText = "position: absolute; top: 9000px; width: 0; height: 0";
        dialog.append(Object.assign(document.createElement("p"), { textContent: "Sign in" }));
        dialog.firstChild.style.cssText = "position: fixed; inset: 0";
        document.body.append(dialog);
      },
      () => document.querySelector("[aria-modal]:last-child").remove(),
    ],
    "a modal dialog": [
      () => {
        document.querySelector("dialog").showModal();
      },
      () => document.querySelector("dialog").close(),
    ],
    "a preview of Turbo's": [
      () => document.documentElement.setAttribute("data-turbo-preview", ""),
      () => document.documentElement.removeAttribute("data-turbo-preview"),
    ],
  };

  for (const [what, [make, remove]] of Object.entries(OBSTACLES)) {
    test(`waits for ${what}, and what is closed or beside the page does not matter`, async ({ page, live, pageUrl }) => {
      await page.goto(pageUrl("obstacles"));
      await ready(page);
      await page.evaluate(make);
      await tell(page, "track", "go");
      await expectQuiet(page);
      await expectWaiting(page, live);
      await page.evaluate(remove);
      await surveyIn(page).score(9).click();
      await expect.poll(live.summary).toMatchObject({ n: 1, funnel: { shown: 1 } });
    });

    test(`waits for ${what} that comes while it loads`, async ({ page, live, pageUrl }) => {
      const arrive = await untilItLoads(page, pageUrl);
      await page.evaluate(make);
      await arrive();
      await expectWaiting(page, live);
      await page.evaluate(remove);
      await surveyIn(page).score(9).click();
      await expect.poll(live.summary).toMatchObject({ n: 1, funnel: { shown: 1 } });
    });
  }

  test("waits while something is in full screen, and is part of a page that is", async ({ page, live, pageUrl }) => {
    await page.goto(pageUrl("obstacles"));
    await ready(page);
    await page.getByRole("button", { name: "Full screen" }).click();
    await page.waitForFunction(() => document.fullscreenElement);
    await tell(page, "track", "go");
    await expectQuiet(page);
    await expectWaiting(page, live);
    await page.evaluate(() => document.exitFullscreen());
    await expect(surveyIn(page).dialog).toBeVisible();
    await tell(page, "close");
    await page.evaluate(() => {
      document.querySelector("button").onclick = () => document.documentElement.requestFullscreen();
    });
    await page.getByRole("button", { name: "Full screen" }).click();
    await page.waitForFunction(() => document.fullscreenElement === document.documentElement);
    await tell(page, "show", live.survey);
    await surveyIn(page).score(9).click();
    await expect.poll(live.summary).toMatchObject({ n: 1 });
  });
});

for (const [name, open] of [["bootstrap", () => window.modal.show()], ["focus-trap", () => {}]]) {
  test.describe(`a dialog of the package ${name}`, () => {
    test.use({ definition: asked({ triggers: [{ event: { name: "go" } }] }) });
    test("is waited for", async ({ page, live, pageUrl }) => {
      await page.goto(pageUrl(name));
      await ready(page);
      await page.evaluate(open);
      await expect(page.getByRole("textbox", { name: "Mail" })).toBeVisible();
      await tell(page, "track", "go");
      await expectQuiet(page);
      await expectWaiting(page, live);
      await page.getByRole("button", { name: "No, thanks" }).click();
      await surveyIn(page).score(9).click();
      await expect.poll(live.summary).toMatchObject({ n: 1 });
    });
  });
}

test("a modal that opens over a survey does not take its focus", async ({ page, pageUrl }) => {
  await page.goto(pageUrl("bootstrap"));
  const survey = surveyIn(page);
  await survey.score(9).click();
  await expect(survey.comment).toBeVisible();
  await page.evaluate(() => window.modal.show());
  await expect(page.getByRole("textbox", { name: "Mail" })).toBeVisible();
  await page.waitForFunction(() => document.activeElement.closest(".modal"));
  const comment = page.locator("asklet-survey").getByRole("textbox");
  await comment.click();
  await page.keyboard.type("It is fast.");
  await expect(comment).toHaveValue("It is fast.");
  await expect(page.getByRole("textbox", { name: "Mail" })).toHaveValue("");
});

test("what is typed, pasted and focused in a survey the page does not hear of", async ({ page, pageUrl }) => {
  await page.addInitScript(() => {
    window.heard = [];
    for (const name of ["keydown", "keyup", "keypress", "input", "copy", "cut", "paste", "focusin", "focusout"]) {
      document.addEventListener(name, () => window.heard.push(name));
    }
  });
  await page.goto(pageUrl("plain"));
  const survey = surveyIn(page);
  await survey.score(9).click();
  await survey.comment.click();
  await page.evaluate(() => (window.heard = []));
  await page.keyboard.type("It is fast.");
  for (const key of ["ControlOrMeta+a", "ControlOrMeta+c", "ControlOrMeta+x", "ControlOrMeta+v", "Tab"]) await page.keyboard.press(key);
  await expect(survey.button("Back")).toBeFocused();
  expect(await page.evaluate(() => window.heard)).toEqual([]);
});

test.describe("a survey in an element of the page", () => {
  test.use({ definition: asked({ triggers: [{ delay: 0 }], appearance: { position: { inline: "#slot" } } }) });

  test("waits for it to come and to be seen, and the owner is told that it is missing", async ({ page, live, pageUrl }) => {
    const told = await listen(page);
    await page.goto(pageUrl("plain"));
    await ready(page);
    await expect.poll(told).toEqual([{ event: "error", survey: live.survey, message: "the page has no element #slot" }]);
    await page.evaluate(() => {
      const slot = Object.assign(document.createElement("div"), { id: "slot", hidden: true });
      document.body.append(slot);
    });
    await expectQuiet(page);
    await expectWaiting(page, live);
    await page.evaluate(() => (document.querySelector("#slot").hidden = false));
    await page.getByRole("region").getByRole("radio", { name: "9", exact: true }).click();
    await expect.poll(live.summary).toMatchObject({ n: 1, funnel: { shown: 1 } });
  });

  for (const isNative of [true, false]) {
    test(`shows within a ${isNative ? "modal dialog" : "dialog of the page's own"}`, async ({ page, live, pageUrl }) => {
      await page.goto(pageUrl("plain"));
      await page.evaluate((isNative) => {
        const dialog = Object.assign(document.createElement(isNative ? "dialog" : "div"), { ariaModal: "true", id: "slot" });
        document.body.append(dialog);
        if (isNative) dialog.showModal();
      }, isNative);
      await page.getByRole("region").getByRole("radio", { name: "9", exact: true }).click();
      await expect.poll(live.summary).toMatchObject({ n: 1 });
    });
  }
});

test.describe("a survey of one route that can be cancelled", () => {
  const definition = {
    triggers: [{ event: { name: "go" } }],
    wait: { ms: 0, cancelled_by: ["bought"] },
    targeting: { exclude: [{ contains: "/checkout" }] },
  };
  test.use({ definition: asked(definition) });

  const ENDS = {
    "its page is gone": () => history.pushState({}, "", "/checkout"),
    "an event cancels it": () => window.asklet("track", "bought"),
    "the visitor logs out": () => window.asklet("reset"),
  };
  for (const [what, end] of Object.entries(ENDS)) {
    test(`is not shown where ${what} while it loads`, async ({ page, live, pageUrl }) => {
      const arrive = await untilItLoads(page, pageUrl);
      await page.evaluate(end);
      await arrive();
      await expectWaiting(page, live);
    });
  }
});

test.describe("a survey that the page shows", () => {
  test.use({ definition: asked({ triggers: ["manual"] }) });

  test("is shown where styles alone say what is hidden, as in Safari before 17.4", async ({ page, live, pageUrl }) => {
    await page.addInitScript(() => delete Element.prototype.checkVisibility);
    await page.goto(pageUrl("obstacles"));
    await page.evaluate(() => {
      const faded = Object.assign(document.createElement("div"), { ariaModal: "true", innerHTML: "<p>A faded layer</p>" });
      faded.style.cssText = "position: fixed; inset: 0; opacity: 0; pointer-events: none";
      document.body.append(faded);
    });
    await tell(page, "show", live.survey);
    await surveyIn(page).score(9).click();
    await expect.poll(live.summary).toMatchObject({ n: 1 });
  });

  for (const command of ["close", "reset"]) {
    test(`is not shown any more where the page says ${command} while it waits`, async ({ page, live, pageUrl }) => {
      await page.goto(pageUrl("obstacles"));
      await ready(page);
      await page.evaluate(() => (document.body.inert = true));
      await tell(page, "show", live.survey);
      await tell(page, "show", live.survey);
      await settle(page);
      await tell(page, command);
      await page.evaluate(() => (document.body.inert = false));
      await expectWaiting(page, live);
      await tell(page, "show", live.survey);
      await surveyIn(page).dialog.waitFor();
      await expect.poll(live.summary).toMatchObject({ funnel: { shown: 1 } });
    });
  }
});
