// WebKitGTK's MiniBrowser, driven over WebDriver on a display of its own.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const MINI_BROWSER = process.env.MINI_BROWSER ?? "/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser";

/** How long a browser may take to start, which it does in a second or two; and how often one is started. */
const START_MS = 9_000;
const STARTS = 3;

/** How WebDriver marks a reference to an element. */
const ELEMENT = "element-6066-11e4-a52e-4f735466cecf";

/** An error of the driver, with its code: `no such element`, `stale element reference` and others. */
export class DriverError extends Error {
  constructor({ error, message }, path) {
    super(`${path}: ${error}${message && `: ${message}`}`);
    this.code = error;
  }
}

/** A virtual display; all tests of a worker share it. */
export class Display {
  static async start() {
    const display = new Display();
    const options = ["-displayfd", "1", "-screen", "0", "1280x1024x24", "-nolisten", "tcp"];
    display.process = spawn("Xvfb", options, { stdio: ["ignore", "pipe", "ignore"] });
    const [number] = await once(display.process.stdout, "data");
    display.name = `:${`${number}`.trim()}`;
    return display;
  }

  stop() {
    return end(this.process);
  }
}

/** One browser with one visitor, whose storage is gone with it. */
export class Session {
  #folder = mkdtempSync(join(tmpdir(), "asklet-webkit-"));
  #driver;
  #origin;
  #path;

  /**
   * Starts with what a visitor can have set, named as in Playwright. Now and then the driver waits for its
   * browser without end; then both are given up, and others are started.
   */
  static async start(display, visitor) {
    for (let starts = 1; ; starts++) {
      const session = new Session();
      try {
        await session.#start(display, visitor);
        return session;
      } catch (error) {
        await session.#end();
        if (error.name !== "TimeoutError" || starts === STARTS) throw error;
        console.warn(`MiniBrowser did not start within ${START_MS} ms; it is started again`);
      }
    }
  }

  async #start(display, { colorScheme, reducedMotion, userAgent, locale = "C", javaScriptEnabled = true }) {
    const settings = `[Settings]\ngtk-enable-animations=${reducedMotion === "reduce" ? 0 : 1}\n`;
    mkdirSync(join(this.#folder, "gtk-3.0"));
    writeFileSync(join(this.#folder, "gtk-3.0/settings.ini"), settings);
    // The field of MiniBrowser's search bar, though hidden, keeps a window wider than a small phone.
    writeFileSync(join(this.#folder, "gtk-3.0/gtk.css"), "entry { min-width: 0; padding: 0; }");
    // WebKit speaks the language that the locale is named for. No such locale needs to be installed.
    const locales = join(this.#folder, "locales");
    const lang = locale.replaceAll("-", "_");
    mkdirSync(locales);
    symlinkSync("/usr/lib/locale/C.utf8", join(locales, lang));
    const args = ["--automation", "--javascript-can-open-windows-automatically=true"];
    if (userAgent) args.push(`--user-agent=${userAgent}`);
    // The driver's own scripts still run.
    if (!javaScriptEnabled) args.push("--enable-javascript-markup=false");
    const port = await freePort();
    this.#origin = `http://127.0.0.1:${port}`;
    this.#driver = spawn("WebKitWebDriver", [`--port=${port}`, "--host=127.0.0.1"], {
      env: {
        ...process.env,
        DISPLAY: display.name,
        XDG_CONFIG_HOME: this.#folder,
        GTK_THEME: colorScheme === "dark" ? "Adwaita:dark" : "Adwaita",
        LOCPATH: locales,
        LC_ALL: lang,
        // Root, as in most containers, may not use WebKit's sandbox.
        WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: "1",
      },
      stdio: "ignore",
    });
    await this.#untilReady();
    const alwaysMatch = {
      browserName: "MiniBrowser",
      "webkitgtk:browserOptions": { binary: MINI_BROWSER, args },
    };
    const { sessionId, capabilities } = await this.#send(
      "POST",
      "/session",
      { capabilities: { alwaysMatch } },
      AbortSignal.timeout(START_MS),
    );
    this.#path = `/session/${sessionId}`;
    this.version = capabilities.browserVersion;
  }

  /** The driver says nothing when it listens. */
  async #untilReady() {
    for (;;) {
      try {
        return await this.#send("GET", "/status");
      } catch (error) {
        if (this.#driver.exitCode !== null) throw error;
        await pause(10);
      }
    }
  }

  async #send(method, path, body, signal) {
    const answer = await fetch(this.#origin + path, { method, body: body && JSON.stringify(body), signal });
    const { value } = await answer.json();
    if (!answer.ok) throw new DriverError(value, path);
    return value;
  }

  /** A command of this session. */
  command(method, path, body) {
    return this.#send(method, this.#path + path, body);
  }

  /**
   * Runs a function in the page, and resolves to what it resolves to. `Element`s go in as arguments of their own, and
   * come out.
   */
  async execute(run, ...args) {
    const script = `
      // The driver would make null of what is undefined.
      const defined = (value) => {
        if (Array.isArray(value)) return value.map(defined);
        if (value?.constructor !== Object) return value;
        const known = Object.entries(value).filter(([, part]) => part !== undefined);
        return Object.fromEntries(known.map(([name, part]) => [name, defined(part)]));
      };
      const done = arguments[arguments.length - 1];
      const fail = (error) => done({ error: String(error?.message ?? error) });
      try {
        Promise.resolve((${run})(...[...arguments].slice(0, -1))).then((value) => done({ value: defined(value) }), fail);
      } catch (error) {
        fail(error);
      }`;
    const { value, error } = await this.command("POST", "/execute/async", { script, args: args.map(toWire) });
    if (error !== undefined) throw new Error(error);
    return fromWire(value);
  }

  /** Runs a script in the page. */
  runScript(script) {
    return this.command("POST", "/execute/sync", { script, args: [] });
  }

  async stop() {
    try {
      await this.command("DELETE", "");
    } finally {
      await this.#end();
    }
  }

  async #end() {
    // It has not begun where no port was free.
    if (this.#driver) await end(this.#driver);
    rmSync(this.#folder, { recursive: true });
  }
}

/** An element of a page, by the driver's name for it. */
export class Element {
  constructor(id) {
    this.id = id;
  }
}

/** A value as commands take it. */
export function toWire(value) {
  if (value instanceof Element) return { [ELEMENT]: value.id };
  return value === undefined ? null : value;
}

function fromWire(value) {
  if (Array.isArray(value)) return value.map(fromWire);
  return value?.[ELEMENT] ? new Element(value[ELEMENT]) : value;
}

/** A port that nobody listens on. */
async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

async function end(process) {
  if (process.exitCode !== null || process.signalCode !== null) return;
  process.kill();
  await once(process, "exit");
}
