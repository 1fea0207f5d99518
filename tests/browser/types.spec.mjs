// The declarations that pages in TypeScript take.

import { execFileSync } from "node:child_process";
import { join } from "node:path";

import { expect, test } from "@playwright/test";

test("every command is declared as it is documented, and nothing else", () => {
  const tsc = join(import.meta.dirname, "../../node_modules/typescript/bin/tsc");
  const options = ["--noEmit", "--strict", "--target", "es2022", "--module", "es2022", "--moduleResolution", "bundler"];
  const check = () => execFileSync(process.execPath, [tsc, ...options, join(import.meta.dirname, "types/page.ts")]);
  expect(check).not.toThrow();
});
