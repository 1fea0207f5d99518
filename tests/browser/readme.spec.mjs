// The README, walked as a new user would.

import { execSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { expect, surveyIn, test } from "./test.mjs";

const ROOT = join(import.meta.dirname, "../..");

test("the README's demo leads from a command to a score of 100", async ({ page }) => {
  test.setTimeout(120_000);
  const readme = readFileSync(join(ROOT, "README.md"), "utf8");
  const command = readme.match(/^cargo xtask serve --demo$/m)?.[0];
  expect(command, "the README names the command").toBeDefined();

  // On a free port and in a folder of its own, so that the test leaves nothing.
  const parent = mkdtempSync(join(tmpdir(), "asklet-readme-"));
  const serve = () => {
    const line = `${command} --port 0 --data ${parent}/data`;
    return spawn("sh", ["-c", `exec ${line}`], { cwd: ROOT, stdio: ["ignore", "pipe", "inherit"], detached: true });
  };
  const server = serve();
  const said = await until(server, "Ctrl-C stops it.");
  const address = said.match(/page +(\S+)/)[1];
  const curl = said.match(/(curl .*)/)[1];

  await page.goto(address);
  await surveyIn(page).score(9).click();
  await expect(surveyIn(page).comment).toBeVisible();
  const summary = () => JSON.parse(execSync(curl, { encoding: "utf8" }));
  await expect.poll(summary).toMatchObject({ score: 100, n: 1 });

  // As Ctrl-C does: the signal goes to everything that the command started.
  process.kill(-server.pid, "SIGINT");
  const status = await new Promise((resolve) => server.on("exit", resolve));
  expect(status).toBe(0);
  await expect(fetch(address)).rejects.toThrow();

  // Started again, it is the same demo with the same answer.
  const again = serve();
  const saidAgain = await until(again, "Ctrl-C stops it.");
  expect(saidAgain.match(/key +(\S+)/)[1]).toBe(said.match(/key +(\S+)/)[1]);
  const summaryAgain = saidAgain.match(/(curl .*)/)[1];
  expect(JSON.parse(execSync(summaryAgain, { encoding: "utf8" }))).toMatchObject({ score: 100, n: 1 });
  process.kill(-again.pid, "SIGINT");
  await new Promise((resolve) => again.on("exit", resolve));
  rmSync(parent, { recursive: true });
});

/** What a process has said up to a line. */
async function until(started, last) {
  let said = "";
  for await (const line of createInterface(started.stdout)) {
    said += `${line}\n`;
    if (line === last) return said;
  }
  throw new Error(`it ended before it said ${JSON.stringify(last)}: ${said}`);
}
