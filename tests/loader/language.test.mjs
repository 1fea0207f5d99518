import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { isPreferred, nearest } from "../../widget/loader/when/language.js";
import { withGlobal } from "./globals.mjs";

// The server finds the same, by the same table: shared/src/definition/language.rs.
const CASES = JSON.parse(readFileSync(new URL("nearest.json", import.meta.url), "utf8"));

test("the nearest language is found, or else the survey's own, which comes first", () => {
  for (const { wanted, spoken, nearest: found } of CASES) {
    const pairs = spoken.map((language) => [language]);
    assert.deepEqual(nearest(pairs, wanted), [found ?? spoken[0]], `${wanted} of ${spoken}`);
  }
});

test("the first wanted language that has a body counts", () => {
  const pairs = ["en", "de", "zh"].map((language) => [language, `in ${language}`]);
  assert.deepEqual(nearest(pairs, "fr", "de-CH", "zh"), ["de", "in de"]);
  assert.deepEqual(nearest(pairs), ["en", "in en"]);
});

test("a language is preferred with all languages within it", (t) => {
  const prefers = (languages, wanted) => {
    withGlobal(t, "navigator", () => ({ languages }));
    return isPreferred(wanted);
  };
  assert.equal(prefers(["fr", "de-AT"], "de"), true);
  assert.equal(prefers(["de"], "de-AT"), false);
  assert.equal(prefers(["zh-TW"], "zh-Hant"), true);
  assert.equal(prefers(["zh-CN"], "zh-Hant"), false);
  assert.equal(prefers(["nb"], "no"), true);
  assert.equal(prefers([], "de"), false);
});
