// A page of WebKit: the part of Playwright's pages that the tests use, over WebDriver.

import { writeFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";

import { expect, test } from "@playwright/test";

import { installClock } from "./clock.mjs";
import { toWire } from "./driver.mjs";
import { Locator, PATIENCE } from "./locator.mjs";

/** Keys by what WebDriver calls them. */
const KEYS = {
  Backspace: "\uE003",
  Tab: "\uE004",
  Enter: "\uE007",
  Shift: "\uE008",
  Escape: "\uE00C",
  ControlOrMeta: "\uE009",
  Space: " ",
  End: "\uE010",
  Home: "\uE011",
  ArrowLeft: "\uE012",
  ArrowUp: "\uE013",
  ArrowRight: "\uE014",
  ArrowDown: "\uE015",
};

/** The tabs of one visitor. */
export class Context {
  #session;
  #initScripts;
  #queue = Promise.resolve();
  isClosed = false;
  #current;

  /**
   * `initScripts` is the list of what the server of the pages puts at the start of each, and `wire` what lies between
   * the tabs and the servers.
   */
  constructor(session, initScripts, wire) {
    this.#session = session;
    this.#initScripts = initScripts;
    this.wire = wire;
  }

  /** The tab that the session began with. */
  async firstPage() {
    return new Page(this, await this.#session.command("GET", "/window"));
  }

  async newPage() {
    const { handle } = await this.run(() => this.#session.command("POST", "/window/new", { type: "window" }));
    return new Page(this, handle);
  }

  addInitScript(run, argument) {
    this.#initScripts.push(`(${run})(${JSON.stringify(argument) ?? ""});`);
  }

  /** Runs commands that nothing else may come between: which tab and frame they are for is a state of the driver. */
  run(work) {
    const outcome = this.#queue.then(work);
    this.#queue = outcome.catch(() => {});
    return outcome;
  }

  /** The same in a tab, outside of its frames. */
  runIn(handle, work) {
    return this.run(async () => {
      if (this.#current !== handle) await this.#session.command("POST", "/window", { handle });
      this.#current = handle;
      return work(this.#session);
    });
  }

  /** Closes a tab. Another one stays, since the session ends with the last. */
  closeIn(handle) {
    return this.runIn(handle, async (session) => {
      const { handle: other } = await session.command("POST", "/window/new", { type: "window" });
      await session.command("DELETE", "/window");
      await session.command("POST", "/window", { handle: other });
      this.#current = other;
    });
  }

  on(event, tell) {
    if (event !== "request" && event !== "response") missing(`${event} to tell of`);
    this.wire.on(event, tell);
  }

  setOffline(isOffline) {
    this.wire.isCut = isOffline;
  }

  /** A picture of the tab that was last used. */
  async screenshot(path) {
    await writeFile(path, Buffer.from(await this.#session.command("GET", "/screenshot"), "base64"));
  }

  /** Ends the visit, and forgets everything of it. */
  async close() {
    this.isClosed = true;
    await this.run(() => this.#session.stop());
  }
}

/** Leaves out a test that needs what WebDriver has no command for. */
function missing(what) {
  test.skip(true, `WebDriver has no ${what}`);
}

export class Page {
  #context;
  #handle;
  #url = "about:blank";
  #listeners = [];

  constructor(context, handle) {
    this.#context = context;
    this.#handle = handle;
    this.keyboard = {
      press: (keys) => this.#press([keys.split("+").map((key) => KEYS[key] ?? key)]),
      type: (text) => this.#press([...text].map((key) => [key])),
    };
  }

  context() {
    return this.#context;
  }

  url() {
    return this.#url;
  }

  addInitScript(run, argument) {
    return this.#context.addInitScript(run, argument);
  }

  /** Gives a function the commands for this tab, and leaves any frame that it entered. */
  exclusively(work) {
    return this.#context.runIn(this.#handle, async (session) => {
      let isInFrame;
      const enterFrame = (element) => {
        isInFrame = true;
        return session.command("POST", "/frame", { id: toWire(element) });
      };
      try {
        return await work({
          command: (...rest) => session.command(...rest),
          execute: (...rest) => session.execute(...rest),
          runScript: (script) => session.runScript(script),
          enterFrame,
        });
      } finally {
        if (isInFrame) await session.command("POST", "/frame", { id: null });
        if (this.#listeners.length) this.#tellNews(await session.execute(takeNews));
      }
    });
  }

  #tellNews(news) {
    for (const { event, text, type } of news) {
      const detail = { message: text, text: () => text, type: () => type };
      for (const listener of this.#listeners) if (listener.event === event) listener.tell(detail);
    }
  }

  async goto(url, options) {
    if (options?.referer) missing("referrer to give");
    await this.exclusively(async (page) => {
      await page.command("POST", "/url", { url });
      this.#url = await page.command("GET", "/url");
    });
  }

  reload() {
    return this.exclusively((page) => page.command("POST", "/refresh", {}));
  }

  goBack() {
    return this.exclusively((page) => page.command("POST", "/back", {}));
  }

  close() {
    return this.#context.closeIn(this.#handle);
  }

  get clock() {
    return {
      install: async () => {
        // The driver would measure its own patience by the page's timers.
        await this.exclusively((page) => page.command("POST", "/timeouts", { script: null }));
        this.addInitScript(installClock);
      },
      runFor: (ms) => this.evaluate((ms) => window.putForward(ms), ms),
    };
  }

  route(glob, handle) {
    this.#context.wire.route(glob, handle);
  }

  unroute(glob) {
    this.#context.wire.unroute(glob);
  }

  emulateMedia() {
    missing("media to emulate");
  }

  waitForResponse(glob) {
    return this.#context.wire.next("response", glob);
  }

  /** Goes on in a window without a toolbar, which can be narrower than a toolbar is. */
  async setViewportSize({ width, height }) {
    await this.exclusively(async (page) => {
      const before = await page.command("GET", "/window/handles");
      await page.runScript(`open("about:blank", "", "popup, width=${width}, height=${height}")`);
      await expect(async () => {
        const added = (await page.command("GET", "/window/handles")).filter((handle) => !before.includes(handle));
        expect(added).toHaveLength(1);
        [this.#handle] = added;
      }).toPass(PATIENCE);
    });
    await expect.poll(() => this.evaluate(() => innerWidth), PATIENCE).toBe(width);
  }

  /** Calls back with what the page throws or writes on its console. */
  on(event, tell) {
    if (event !== "pageerror" && event !== "console") return this.#context.on(event, tell);
    if (!this.#listeners.length) {
      this.addInitScript(keepNews);
      this.#askForNews();
    }
    this.#listeners.push({ event, tell });
  }

  /** Asks again and again until the visit ends: the driver tells of nothing by itself. */
  async #askForNews() {
    while (!this.#context.isClosed) {
      await pause(100);
      // The page may just be changing.
      await this.exclusively(() => {}).catch(() => {});
    }
  }

  bringToFront() {
    return this.exclusively(() => {});
  }

  evaluate(run, argument) {
    return this.exclusively((page) => (typeof run === "string" ? page.runScript(run) : page.execute(run, argument)));
  }

  async waitForFunction(run, argument) {
    await expect(async () => expect(await this.evaluate(run, argument)).toBeTruthy()).toPass(PATIENCE);
  }

  /** Half a second in which the page asks for nothing. */
  async waitForLoadState() {
    await this.evaluate(async () => {
      const count = () => performance.getEntriesByType("resource").length;
      for (let before = -1; before !== count(); ) {
        before = count();
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
    });
  }

  screenshot({ path }) {
    return this.exclusively(() => this.#context.screenshot(path));
  }

  locator(css) {
    return new Locator(this, []).locator(css);
  }

  getByRole(...rest) {
    return new Locator(this, []).getByRole(...rest);
  }

  getByText(text) {
    return new Locator(this, []).getByText(text);
  }

  frameLocator(css) {
    return new Locator(this, []).frameLocator(css);
  }

  /** Presses keys one after another, where each may be several that are held together. */
  #press(chords) {
    const actions = chords.flatMap((keys) => [
      ...keys.map((value) => ({ type: "keyDown", value })),
      ...keys.toReversed().map((value) => ({ type: "keyUp", value })),
    ]);
    return this.exclusively((page) => page.command("POST", "/actions", { actions: [{ type: "key", id: "keys", actions }] }));
  }
}

/** Runs first in a page: keeps what is thrown and what is written on the console, until the driver takes it. */
function keepNews() {
  const news = (window.newsOfThisPage = []);
  addEventListener("error", ({ message }) => message && news.push({ event: "pageerror", text: message }));
  addEventListener("unhandledrejection", ({ reason }) => news.push({ event: "pageerror", text: String(reason?.message ?? reason) }));
  for (const [name, type] of [["log", "log"], ["info", "info"], ["warn", "warning"], ["error", "error"]]) {
    const write = console[name];
    console[name] = (...rest) => {
      news.push({ event: "console", type, text: rest.join(" ") });
      write.apply(console, rest);
    };
  }
}

/** Runs in the page. */
function takeNews() {
  return window.newsOfThisPage?.splice(0) ?? [];
}
