// The API by its own document: docs/openapi.json is valid, and schemathesis, which makes requests of it,
// good ones and bad ones, finds no 5xx and no answer that the document does not describe.
// `cargo xtask proof` runs it, and names schemathesis and the validator.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, request } from "node:http";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { ADMIN_TOKEN, Deployment } from "../browser/deployment.mjs";

const { SCHEMATHESIS, VALIDATOR } = process.env;
const DOCUMENT = join(import.meta.dirname, "../../docs/openapi.json");

/** How many requests each operation gets of each kind. */
const EXAMPLES = process.argv[2] ?? "100";

/** What is looked at. That a rule refuses what the document's types allow is none of it. */
const CHECKS = [
  "not_a_server_error",
  "status_code_conformance",
  "content_type_conformance",
  "response_headers_conformance",
  "response_schema_conformance",
  "ignored_auth",
  "unsupported_method",
];

/** What would take away the site and the survey that the others are tried on. */
const SPARED = ["deleteSite", "deleteSurvey"];

const DEFINITION = {
  name: "Fuzzed",
  questions: [
    { id: "score", text: "How likely?", answer: { rating: { scale: "nps", low: "Not at all", high: "Extremely" } } },
    { id: "why", text: "Why?", answer: { text: {} } },
    { id: "what", text: "What?", answer: { choice: { options: [{ id: "a", text: "A" }, { id: "b", text: "B" }] } } },
  ],
  primary: "score",
  thanks: { text: "Thank you!" },
};

const DISPLAY = {
  id: "019a3cb6-bc00-7cc3-98c4-dc0c0c07398f",
  revision: 1,
  version: 1,
  stage: "completed",
  answers: { score: 9, why: "It is fast." },
};

/** In which header the deployment is told who asks. */
const ADDRESS_HEADER = "x-forwarded-for";

/**
 * Stands before a deployment as a proxy of the operator's, and gives each request an address of its own: that many
 * wrong keys from one address are answered with 429 is looked at elsewhere.
 */
async function startProxy(deployment) {
  let asked = 0;
  const server = createServer((incoming, outgoing) => {
    asked += 1;
    const address = [10, asked >> 16, asked >> 8, asked].map((part) => part & 255).join(".");
    const { method, url, headers } = incoming;
    const forwarded = request(deployment.url + url, { method, headers: { ...headers, [ADDRESS_HEADER]: address } });
    forwarded.on("response", (answer) => {
      outgoing.writeHead(answer.statusCode, answer.headers);
      answer.pipe(outgoing);
    });
    forwarded.on("error", () => outgoing.destroy());
    incoming.pipe(forwarded);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

execFileSync(VALIDATOR, [DOCUMENT], { stdio: "inherit" });
const deployment = await Deployment.start({ ASKLET_ADDRESS_HEADER: ADDRESS_HEADER });
const proxy = await startProxy(deployment);
const url = `http://127.0.0.1:${proxy.address().port}`;
const folder = mkdtempSync(join(tmpdir(), "asklet-openapi-"));
try {
  const { site, key, survey } = await deployment.survey(DEFINITION);
  const taken = await fetch(`${deployment.url}/v1/collect/${site}/${survey}/0`, {
    method: "POST",
    body: JSON.stringify(DISPLAY),
  });
  if (taken.status !== 204) throw new Error(`a display was refused: ${await taken.text()}`);
  const parameters = { site, survey, display: DISPLAY.id, shard: "0" };
  const lines = Object.entries(parameters).map(([name, value]) => `"path.${name}" = "${value}"`);
  writeFileSync(join(folder, "schemathesis.toml"), `[parameters]\n${lines.join("\n")}\n`);
  for (const [who, token] of Object.entries({ "a team": key, "the operator": ADMIN_TOKEN })) {
    console.log(`\nas ${who}`);
    const command = ["run", DOCUMENT, "--url", url, "-H", `Authorization: Bearer ${token}`];
    const which = SPARED.flatMap((id) => ["--exclude-operation-id", id]);
    const how = ["--phases", "examples,coverage,fuzzing", "--checks", CHECKS.join(), "--max-examples", EXAMPLES];
    const all = [...command, ...which, ...how, "--suppress-health-check", "all", "--no-color"];
    const [status] = await once(spawn(SCHEMATHESIS, all, { cwd: folder, stdio: "inherit" }), "exit");
    if (status !== 0) throw new Error(`schemathesis ended with ${status}`);
  }
} finally {
  proxy.close();
  proxy.closeAllConnections();
  await deployment.remove();
  rmSync(folder, { recursive: true });
}
