import assert from "node:assert/strict";
import { test } from "node:test";

import { makeStore } from "../../widget/loader/store.js";
import { forbidden, withGlobal } from "./globals.mjs";

test("texts are kept under the prefix, and another tab reads them", (t) => {
  const kept = { "page/own": "the page's" };
  withGlobal(t, "localStorage", () => kept);
  makeStore("asklet/s/").write("seed", "1");
  const other = makeStore("asklet/s/");
  assert.deepEqual(kept, { "page/own": "the page's", "asklet/s/seed": "1" });
  assert.equal(other.read("seed"), "1");
  assert.deepEqual(other.keys(""), ["seed"]);
  other.forget(() => true);
  assert.deepEqual(kept, { "page/own": "the page's" });
});

test("where storage is forbidden the page remembers", (t) => {
  withGlobal(t, "localStorage", forbidden);
  const store = makeStore("asklet/s/");
  store.write("seed", "1");
  store.write("visit", "2");
  assert.equal(store.read("seed"), "1");
  assert.deepEqual(store.keys("").sort(), ["seed", "visit"]);
  store.remove("seed");
  assert.deepEqual(store.keys(""), ["visit"]);
});

test("where storage is full the page remembers what no longer fits", (t) => {
  const kept = new Proxy(
    {},
    {
      set(object, key, text) {
        if (text.length > 10) throw new DOMException("full", "QuotaExceededError");
        return Reflect.set(object, key, text);
      },
    },
  );
  withGlobal(t, "localStorage", () => kept);
  const store = makeStore("asklet/s/");
  store.write("seed", "short");
  store.write("visit", "longer than ten letters");
  assert.deepEqual(Object.keys(kept), ["asklet/s/seed"]);
  assert.equal(store.read("visit"), "longer than ten letters");
});

test("what is still to be sent outlives its removal by another tab", (t) => {
  const kept = {};
  withGlobal(t, "localStorage", () => kept);
  const store = makeStore("asklet/s/");
  store.write("outbox/1", "a display");
  store.write("seed", "1");
  for (const key of Object.keys(kept)) delete kept[key];
  assert.equal(store.read("outbox/1"), "a display");
  assert.equal(store.read("seed"), undefined);
});
