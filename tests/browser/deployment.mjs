// A deployment for a test: workerd on a data folder of its own, and what a team says to it.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const ROOT = join(import.meta.dirname, "../..");
export const ADMIN_TOKEN = "the admin token of the tests, which is long enough";
const SECRET = "the secret of the tests, which is long enough";

export class Deployment {
  #data = mkdtempSync(join(tmpdir(), "asklet-"));
  #process;
  #port = 0;
  #variables;

  constructor(variables) {
    this.#variables = variables;
  }

  /** Starts one with these variables besides its secrets. */
  static async start(variables = {}) {
    const deployment = new Deployment(variables);
    for (const part of ["objects", "demo"]) mkdirSync(join(deployment.#data, part));
    await deployment.run();
    return deployment;
  }

  get url() {
    return `http://localhost:${this.#port}`;
  }

  /** Starts the server on what the last one left, at the same address. */
  async run() {
    const dist = join(ROOT, "dist");
    const folder = (name, parent) => `--directory-path=${name}=${join(parent, name)}`;
    this.#process = spawn(
      workerd(),
      [
        "serve",
        join(dist, "workerd.capnp"),
        "--control-fd=1",
        `--socket-addr=http=127.0.0.1:${this.#port}`,
        folder("objects", this.#data),
        folder("demo", this.#data),
        folder("assets", dist),
      ],
      {
        env: { ...this.#variables, ASKLET_SECRET: SECRET, ASKLET_ADMIN_TOKEN: ADMIN_TOKEN },
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    for await (const line of createInterface(this.#process.stdout)) {
      const message = JSON.parse(line);
      if (message.event !== "listen") continue;
      this.#port = message.port;
      return;
    }
    throw new Error("workerd did not start; it says why above");
  }

  /** Ends the server between any two of its instructions. */
  async kill() {
    this.#process.kill("SIGKILL");
    await once(this.#process, "exit");
  }

  async remove() {
    await this.kill();
    rmSync(this.#data, { recursive: true });
  }

  /** A new site whose pages may lie anywhere, with a live survey; `add` makes another one live. */
  async survey(definition, settings) {
    const { site, key } = await this.#post("/v1/sites", ADMIN_TOKEN, { name: "Shop", origins: ["*"], ...settings });
    const add = (definition) => this.#live(site, key, definition);
    return { site, key, add, ...(await add(definition)) };
  }

  /** What leads to a preview of a draft: `query` for a page's address, and `path` of the hosted page. */
  async preview({ site, survey, key }, definition) {
    const path = `/v1/sites/${site}/surveys/${survey}`;
    await this.#send("PUT", path, key, definition);
    return this.#post(`${path}/preview`, key, {});
  }

  async #live(site, key, definition) {
    const { survey } = await this.#post(`/v1/sites/${site}/surveys`, key, definition);
    const path = `/v1/sites/${site}/surveys/${survey}`;
    await this.#post(`${path}/publish`, key, {});
    const summary = async () => {
      const answer = await fetch(`${this.url}${path}/summary`, { headers: headersFor(key) });
      return answer.json();
    };
    return { survey, summary };
  }

  #post(path, token, body) {
    return this.#send("POST", path, token, body);
  }

  async #send(method, path, token, body) {
    const answer = await fetch(this.url + path, {
      method,
      headers: headersFor(token),
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
    return answer.json();
  }
}

/** A connection that is kept for the next request may be closed by the server just as that is sent. */
function headersFor(token) {
  return { authorization: `Bearer ${token}`, connection: "close" };
}

/** The binary inside the package that npm installed for this platform. */
function workerd() {
  const scope = join(ROOT, "node_modules/@cloudflare");
  const name = readdirSync(scope).find((name) => name.startsWith("workerd-"));
  return join(scope, name, "bin/workerd");
}
