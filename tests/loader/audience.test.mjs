import assert from "node:assert/strict";
import { test } from "node:test";

import { failedRule } from "../../widget/loader/when/audience.js";
import { withGlobal } from "./globals.mjs";

/** The first rule of an audience that a visitor fails, who has these texts in the store. */
function failed(audience, { kept = {}, traits = {}, id = "survey" } = {}) {
  const store = {
    read: (key) => kept[key],
    write: (key, text) => {
      kept[key] = text;
    },
  };
  return failedRule({ id, audience }, { store }, { traits });
}

test("without rules a survey is for everybody", () => {
  assert.equal(failed({}), undefined);
  assert.equal(failedRule({ id: "survey" }, { store: { read() {} } }, { traits: {} }), undefined);
});

// The edge tells devices by the same table: edge/src/objects/survey/headers.rs.
for (const [agent, device] of [
  ["Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0 Safari/537.36", "desktop"],
  ["Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) Version/18.0 Mobile/15E148", "phone"],
  ["Mozilla/5.0 (Linux; Android 15; Pixel 9) Chrome/140.0 Mobile Safari", "phone"],
  ["Mozilla/5.0 (Linux; Android 15; SM-X910) Chrome/140.0 Safari", "tablet"],
  ["Mozilla/5.0 (iPad; CPU OS 18_0) Version/18.0 Mobile/15E148", "tablet"],
  ["Mozilla/5.0 (Android 15; Tablet; rv:140.0) Firefox/140.0", "tablet"],
]) {
  test(`${agent} is a ${device}`, (t) => {
    withGlobal(t, "navigator", () => ({ userAgent: agent }));
    for (const kind of ["desktop", "phone", "tablet"]) {
      assert.equal(failed({ devices: [kind] }), kind === device ? undefined : "devices", kind);
    }
  });
}

test("visits are counted from 1, and a first one is a new visitor's", () => {
  const on = (visit, audience) => failed(audience, { kept: { visit: `${visit} 1700000000000` } });
  assert.equal(on(1, { visitors: "new" }), undefined);
  assert.equal(on(2, { visitors: "new" }), "visitors");
  assert.equal(on(1, { visitors: "returning" }), "visitors");
  assert.equal(on(2, { visitors: "returning" }), undefined);
  assert.equal(on(2, { min_visits: 3 }), "min_visits");
  assert.equal(on(3, { min_visits: 3 }), undefined);
  assert.equal(on(10, { min_visits: 3 }), undefined);
});

test("where a visit came from is its first page's", () => {
  const kept = { visit: "1 1700000000000 utm_source=news&utm_medium=e%20mail https://search.example/?q=x" };
  assert.equal(failed({ referrer: "search.example" }, { kept }), undefined);
  assert.equal(failed({ referrer: "other.example" }, { kept }), "referrer");
  assert.equal(failed({ utm: { utm_source: "news", utm_medium: "e mail" } }, { kept }), undefined);
  assert.equal(failed({ utm: { utm_source: "news", utm_campaign: "may" } }, { kept }), "utm");
});

test("traits are compared as texts, and all of them must hold", () => {
  const traits = { plan: "pro", seats: 5, trial: false };
  assert.equal(failed({ traits: { plan: "pro", seats: "5", trial: "false" } }, { traits }), undefined);
  assert.equal(failed({ traits: { plan: "pro", seats: "6" } }, { traits }), "traits");
  assert.equal(failed({ traits: { unknown: "x" } }, { traits }), "traits");
});

test("the first rule that fails is named", () => {
  assert.equal(failed({ traits: { plan: "pro" }, referrer: "x" }), "traits");
});

// The test vectors of the FNV reference code for FNV-1a with 32 bits, modulo 100.
for (const [id, seed, drawn] of [
  ["foo", "bar", 0xbf9cf968 % 100],
  ["b", "", 0xe70c2de5 % 100],
]) {
  test(`the draw of ${id} with the seed "${seed}" is ${drawn}`, () => {
    const inSample = (sample_percent) => failed({ sample_percent }, { id, kept: { seed } }) === undefined;
    assert.equal(inSample(drawn), false);
    assert.equal(inSample(drawn + 1), true);
  });
}

test("a visitor keeps the seed, and so the draw", () => {
  const kept = {};
  failed({ sample_percent: 50 }, { kept });
  const { seed } = kept;
  assert.ok(seed > 0 && seed < 1, seed);
  failed({ sample_percent: 50 }, { kept });
  assert.equal(kept.seed, seed);
});

test("a sample is its share of the visitors, and surveys draw apart", () => {
  const drawn = (id) =>
    Array.from({ length: 10_000 }, (_, at) => !failed({ sample_percent: 30 }, { id, kept: { seed: `0.${at}7` } }));
  const [first, second] = [drawn("first"), drawn("second")];
  const share = (hits) => hits.filter(Boolean).length / hits.length;
  // Four standard errors of 30 % of 10,000 are 1.8 percentage points, and of 9 % 1.1.
  assert.ok(Math.abs(share(first) - 0.3) < 0.018, `${share(first)}`);
  const both = share(first.map((isIn, at) => isIn && second[at]));
  assert.ok(Math.abs(both - 0.09) < 0.011, `${both}`);
});
