// What is expected of a page of WebKit and of what is found in it, in the words of Playwright's matchers.

import { expect } from "@playwright/test";

import { areVisible, Locator, PATIENCE } from "./locator.mjs";
import { Page } from "./page.mjs";

/** Something of the one element, or why there is none. */
const of = (read, ...args) => (locator) =>
  locator.look((elements, page) => {
    if (elements.length !== 1) return `${elements.length} elements`;
    return page.execute(read, elements[0], ...args);
  });

const isVisible = (locator) =>
  locator.look(async (elements, page) => (elements.length === 1 ? (await areVisible(elements, page))[0] : elements.length > 1));

/** Each matcher: what is read, and what it is compared with. */
const MATCHERS = {
  toBeVisible: () => [isVisible, true],
  toBeHidden: () => [isVisible, false],
  toHaveCount: (count) => [(locator) => locator.count(), count],
  toBeChecked: () => [of((element) => element.checked), true],
  toBeDisabled: () => [of((element) => element.disabled), true],
  toBeFocused: () => [of((element) => element.getRootNode().activeElement === element), true],
  toHaveValue: (value) => [of((element) => element.value), value],
  toHaveText: (text) => [of((element) => element.textContent.trim().replace(/\s+/g, " ")), text],
  toHaveAttribute: (name, value) => [of((element, name) => element.getAttribute(name), name), value],
  toHaveCSS: (name, value) => [of((element, name) => getComputedStyle(element).getPropertyValue(name), name), value],
  toMatchAriaSnapshot: (snapshot) => [
    (locator) => locator.accessibilityTree(),
    expect.arrayContaining([...snapshot.matchAll(/\w+ ".+?"/g)].map(([node]) => node)),
  ],
  toHaveTitle: (title) => [(page) => page.evaluate(() => document.title), title],
};

function matchersFor(subject, message, isNot) {
  const matchers = {};
  for (const [name, make] of Object.entries(MATCHERS)) {
    matchers[name] = async (...args) => {
      const [read, wanted] = make(...args);
      const polled = expect.poll(() => readSafely(() => read(subject)), { ...PATIENCE, message: message ?? name });
      // What is not there is neither checked nor unchecked.
      if (isNot && wanted === true) return polled.toBe(false);
      const matching = isNot ? polled.not : polled;
      await (wanted instanceof RegExp ? matching.toMatch(wanted) : matching.toEqual(wanted));
    };
  }
  return matchers;
}

/** What is read of a page that is just changing fails, and is read again. */
async function readSafely(read) {
  try {
    return await read();
  } catch (error) {
    return `${error.message}`;
  }
}

/** Playwright's `expect`, which knows these too. */
export const expectAnywhere = new Proxy(expect, {
  apply(target, self, [subject, message]) {
    if (!(subject instanceof Locator || subject instanceof Page)) return target(subject, message);
    return { ...matchersFor(subject, message), not: matchersFor(subject, message, true) };
  },
});
