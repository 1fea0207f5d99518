import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { makeOutbox } from "../../widget/loader/outbox.js";
import { makeStore } from "../../widget/loader/store.js";
import { forbidden } from "./globals.mjs";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const NOW = 1_800_000_000_000;

/** The requests that were made, and how each is answered: by what this returns, or throws. */
let requests;
let answer;
let faults;
let store;
let outbox;

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: NOW });
  mock.restoreAll();
  // The longest wait that a backoff can have.
  mock.method(Math, "random", () => 1);
  requests = [];
  faults = [];
  answer = () => stored();
  const page = new EventTarget();
  globalThis.addEventListener = page.addEventListener.bind(page);
  Object.defineProperty(globalThis, "localStorage", { get: forbidden, configurable: true });
  globalThis.fetch = async (url, { method, body }) => {
    requests.push({ at: Date.now() - NOW, url, method, ...JSON.parse(body) });
    return answer();
  };
  store = makeStore("asklet/s/");
  outbox = makeOutbox({
    base: "https://edge.example/",
    site: "SITE",
    store,
    signal: new AbortController().signal,
    fault: ({ message }) => faults.push(message),
  });
});

const stored = () => new Response(null, { status: 204, headers: { asklet: "1" } });
const failed = (status, headers = {}) => new Response(null, { status, headers: { asklet: "1", ...headers } });
const put = (id, display = { revision: 1 }, shownAt = NOW) =>
  outbox.put(id, shownAt, "SURVEY/SHARD", JSON.stringify(display));
const waiting = () => store.keys("outbox/");

/** Lets time pass, and all that follows from it happen. */
async function pass(ms) {
  mock.timers.tick(ms);
  await new Promise(setImmediate);
}

/** Lets time pass until another request is made; the milliseconds that it took. */
async function untilRequest() {
  const [count, from] = [requests.length, Date.now()];
  while (requests.length === count) {
    assert.ok(Date.now() - from < 2 * DAY, "no request is made any more");
    await pass(100);
  }
  return Date.now() - from;
}

test("a display is kept at once, and posted with its age a moment later", async () => {
  put("1", { id: "1", revision: 1 }, NOW - 5_000);
  assert.deepEqual(waiting(), ["outbox/1"]);
  assert.deepEqual(requests, []);
  await pass(200);
  const url = "https://edge.example/v1/collect/SITE/SURVEY/SHARD";
  assert.deepEqual(requests, [{ at: 200, url, method: "POST", age_ms: 5_200, id: "1", revision: 1 }]);
  assert.deepEqual(waiting(), []);
});

test("of several changes in a row only the last is sent", async () => {
  for (const revision of [1, 2, 3]) put("1", { revision });
  await pass(200);
  assert.deepEqual(requests.map(({ revision }) => revision), [3]);
});

test("a change that is made while the display is on its way is sent too", async () => {
  answer = () => {
    put("1", { revision: 2 });
    answer = stored;
    return stored();
  };
  put("1", { revision: 1 });
  await pass(200);
  assert.deepEqual(waiting(), ["outbox/1"]);
  await pass(200);
  assert.deepEqual(requests.map(({ revision }) => revision), [1, 2]);
  assert.deepEqual(waiting(), []);
});

test("after failures it waits twice as long each time, up to five minutes", async () => {
  answer = () => failed(503);
  put("1");
  const waits = [];
  for (let at = 0; at < 11; at++) waits.push(await untilRequest());
  assert.deepEqual(
    waits.map((ms) => ms / 1_000),
    [0.2, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300],
  );
  assert.deepEqual(waiting(), ["outbox/1"]);
  assert.deepEqual(faults, []);
});

test("once it succeeds the waits begin anew", async () => {
  answer = () => failed(503);
  put("1");
  for (let at = 0; at < 4; at++) await untilRequest();
  answer = stored;
  await untilRequest();
  assert.deepEqual(waiting(), []);
  answer = () => failed(503);
  put("2");
  assert.deepEqual([await untilRequest(), await untilRequest()], [200, 2_000]);
});

for (const [status, asked, waited] of [
  [429, "10", 10_000],
  [503, "90", 90_000],
  // A day is not waited for: an hour at most.
  [503, "86400", 60 * MINUTE],
  // Shorter than the wait that we choose.
  [429, "1", 2_000],
  // A date, which is not read.
  [503, "Wed, 21 Oct 2026 07:28:00 GMT", 2_000],
]) {
  test(`${status} with Retry-After: ${asked} is tried again after ${waited / 1_000} s`, async () => {
    answer = () => failed(status, { "retry-after": asked });
    put("1");
    await untilRequest();
    assert.equal(await untilRequest(), waited);
  });
}

for (const [name, given] of [
  ["a network that fails", () => Promise.reject(new TypeError("network"))],
  ["a page of a captive portal", () => new Response("<html>", { status: 200 })],
  ["a firewall's refusal", () => new Response("no", { status: 403 })],
  ["a server's timeout", () => failed(408)],
]) {
  test(`${name} loses nothing`, async () => {
    answer = given;
    put("1");
    await untilRequest();
    assert.deepEqual(waiting(), ["outbox/1"]);
    assert.deepEqual(faults, []);
    answer = stored;
    await untilRequest();
    assert.deepEqual(waiting(), []);
  });
}

test("what the server refuses for good is dropped, and the page is told why", async () => {
  answer = () => Response.json({ code: "bad_field", detail: "answers.q: too long" }, { status: 400, headers: { asklet: "1" } });
  put("1");
  await pass(200);
  assert.deepEqual(waiting(), []);
  assert.deepEqual(faults, ["answer refused: bad_field: answers.q: too long"]);
});

test("the 50 newest displays are kept", async () => {
  answer = () => failed(503);
  for (let at = 0; at < 52; at++) put(`${at}`, {}, NOW + at);
  const ids = waiting().map((key) => Number(key.split("/")[1])).sort((a, b) => a - b);
  assert.deepEqual([ids.length, ids[0], ids.at(-1)], [50, 2, 51]);
});

test("what waited for 30 days is forgotten", async () => {
  put("old", {}, NOW - 30 * DAY);
  put("young", { revision: 7 }, NOW - 30 * DAY + MINUTE);
  await pass(200);
  assert.deepEqual(requests.map(({ revision }) => revision), [7]);
  assert.deepEqual(waiting(), []);
});

test("an entry that nobody of ours wrote is removed and not sent", async () => {
  for (const text of ["", "x", "1 path", "x SURVEY/SHARD\n{}", `${NOW} SURVEY/SHARD\n[]`]) {
    store.write("outbox/strange", text);
    put("1");
    await pass(200);
    assert.deepEqual(waiting(), [], text);
    assert.equal(requests.length, 1);
    requests = [];
  }
});

test("after a reset no display says any more who answered", async () => {
  const answers = { comment: 'me,"identity":"no"}' };
  put("1", { answers, identity: "a.signed-token" });
  put("2", { answers });
  outbox.reset();
  await pass(200);
  assert.deepEqual(requests.map(({ identity }) => identity), [undefined, undefined]);
  assert.deepEqual(requests.map(({ answers }) => answers), [answers, answers]);
});
