// The API by the clients that generators make of its document: the document is one that linters take, and a
// client in Python and one in TypeScript are made of it and call a real deployment.
// `cargo xtask proof` runs it, and names the generator and the Python that has what its client needs.

import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Deployment } from "../browser/deployment.mjs";

const { GENERATOR, PYTHON } = process.env;
const ROOT = join(import.meta.dirname, "../..");
const DOCUMENT = join(ROOT, "docs/openapi.json");
const CLIENTS = join(import.meta.dirname, "clients");

const DEFINITION = {
  name: "Generated",
  questions: [
    { id: "score", text: "How likely?", answer: { rating: { scale: "nps", low: "Not at all", high: "Extremely" } } },
    { id: "why", text: { en: "Why?", de: "Warum?" }, answer: { text: {} } },
  ],
  primary: "score",
  thanks: { text: "Thank you!" },
};

/** Runs a package's own script with this Node. */
function node(script, ...options) {
  return execFileSync(process.execPath, [join(ROOT, "node_modules", script), ...options], { stdio: "inherit" });
}

/** Makes the client and returns what the generator could not make. */
function generate(folder) {
  const options = ["generate", "--path", DOCUMENT, "--output-path", join(folder, "asklet"), "--meta", "none"];
  const made = spawnSync(GENERATOR, options, { encoding: "utf8" });
  if (made.status !== 0) throw new Error(made.stdout + made.stderr);
  return [...(made.stdout + made.stderr).matchAll(/WARNING parsing (\S+ \S+) within/g)].map((match) => match[1]);
}

node("@redocly/cli/bin/cli.js", "lint", DOCUMENT);
node("@stoplight/spectral-cli/dist/index.js", "lint", DOCUMENT, "--ruleset", join(CLIENTS, "spectral.yaml"));

const deployment = await Deployment.start();
const folder = mkdtempSync(join(tmpdir(), "asklet-clients-"));
try {
  const env = async () => {
    const { site, survey, key } = await deployment.survey(DEFINITION);
    return { ...process.env, ASKLET_URL: deployment.url, SITE: site, SURVEY: survey, KEY: key };
  };

  // What comes as lines of JSON is left to the caller, who gets it as bytes.
  const left = generate(folder);
  if (left.join() !== "GET /v1/sites/{site}/bundle") throw new Error(`the Python client lacks ${left.join()}`);
  cpSync(join(CLIENTS, "python.py"), join(folder, "python.py"));
  execFileSync(PYTHON, [join(folder, "python.py")], { stdio: "inherit", env: await env() });

  node("openapi-typescript/bin/cli.js", DOCUMENT, "--output", join(folder, "schema.d.ts"));
  cpSync(join(CLIENTS, "typescript.ts"), join(folder, "typescript.ts"));
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  const strict = ["--strict", "--noEmit", "--target", "es2022", "--module", "es2022", "--moduleResolution", "bundler"];
  node("typescript/bin/tsc", ...strict, "--lib", "es2022,dom", "--skipLibCheck", join(folder, "typescript.ts"));
  const script = join(folder, "typescript.mjs");
  const bundle = ["--bundle", "--format=esm", "--platform=node", "--log-level=warning", `--outfile=${script}`];
  execFileSync(join(ROOT, "node_modules/.bin/esbuild"), [join(folder, "typescript.ts"), ...bundle], { stdio: "inherit" });
  execFileSync(process.execPath, [script], { stdio: "inherit", env: await env() });
} finally {
  await deployment.remove();
  rmSync(folder, { recursive: true });
}
