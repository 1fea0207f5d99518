// What the tests find in a page of WebKit: the part of Playwright's locators that they use, over WebDriver.
// Roles and names are the browser's own, as it tells them to assistive technology.

import { expect } from "@playwright/test";

/** Where elements of a role can be: only these are asked for their role and name. */
const CANDIDATES = {
  alert: "[role=alert]",
  button: "button, [role=button]",
  dialog: "dialog, [role=dialog]",
  group: "fieldset, [role=group]",
  heading: "h1, h2, h3",
  link: "a[href]",
  radio: "input[type=radio]",
  region: "section, [role=region]",
  searchbox: "input[type=search]",
  textbox: "textarea, input:not([type]), input[type=text]",
};

/** How long an action or a look waits for what it needs. */
export const PATIENCE = { timeout: 10_000, intervals: [20, 50, 100, 250] };

/** The steps from a page to elements; each look takes them anew. */
export class Locator {
  #page;
  #steps;

  constructor(page, steps) {
    this.#page = page;
    this.#steps = steps;
  }

  #then(step) {
    return new Locator(this.#page, [...this.#steps, step]);
  }

  /** By a selector without commas, whose descendants may be in open shadow roots. */
  locator(css) {
    return css.split(" ").reduce((found, part) => found.#then((scope) => scope.query(part)), this);
  }

  getByRole(role, { name, exact } = {}) {
    return this.#then((scope) => scope.byRole(CANDIDATES[role], role, name, exact));
  }

  getByText(text) {
    return this.#then((scope) => scope.byText(text));
  }

  frameLocator(css) {
    return this.locator(css).#then((scope) => scope.enterFrame());
  }

  first() {
    return this.nth(0);
  }

  last() {
    return this.#then((scope) => scope.pick(-1));
  }

  nth(index) {
    return this.#then((scope) => scope.pick(index));
  }

  /** Resolves to what a function makes of all elements that are there now. */
  look(run, ...args) {
    return this.#page.exclusively(async (page) => {
      const scope = new Scope(page);
      for (const step of this.#steps) await step(scope);
      return run(scope.elements, page, ...args);
    });
  }

  /** The role and the name of the one element, and of what in it has a role, as `role "name"`. */
  accessibilityTree() {
    return this.look(async (elements, page) => {
      const inside = await page.execute(queryDeeply, Object.values(CANDIDATES).join(), ...elements);
      const tree = [];
      for (const element of [...elements, ...inside]) {
        const { role, label } = await tellRole(element, page);
        tree.push(`${role} "${label}"`);
      }
      return tree;
    });
  }

  count() {
    return this.look((elements) => elements.length);
  }

  async all() {
    return Array.from({ length: await this.count() }, (_, index) => this.nth(index));
  }

  /** Runs a function on the one element, as soon as there is exactly one. */
  async evaluate(run, argument) {
    return this.#once((element, page) => page.execute(run, element, argument));
  }

  /** Runs a function on all elements that are there now. */
  evaluateAll(run) {
    return this.look((elements, page) => page.execute(`(...elements) => (${run})(elements)`, ...elements));
  }

  /** What `run` resolves to for the one element, once it does not fail any more. */
  async #once(run) {
    let outcome;
    await expect(async () => {
      outcome = await this.look(async (elements, page) => {
        if (elements.length !== 1) throw new Error(`${elements.length} elements are there instead of one`);
        return run(elements[0], page);
      });
    }).toPass(PATIENCE);
    return outcome;
  }

  getAttribute(name) {
    return this.evaluate((element, name) => element.getAttribute(name), name);
  }

  boundingBox() {
    return this.evaluate((element) => {
      const { x, y, width, height } = element.getBoundingClientRect();
      return { x, y, width, height };
    });
  }

  focus() {
    return this.evaluate((element) => element.focus());
  }

  scrollIntoViewIfNeeded() {
    return this.evaluate((element) => element.scrollIntoView({ block: "center" }));
  }

  async waitFor() {
    await expect(async () => expect(await this.look(areVisible)).toEqual([true])).toPass(PATIENCE);
  }

  /** Clicks with the mouse, once the element stands still and nothing lies over it. */
  click() {
    return this.#once(async (element, page) => {
      await page.execute(findTarget, element);
      await page.command("POST", `/element/${element.id}/click`, {});
    });
  }

  dblclick() {
    return this.#once(async (element, page) => {
      const { x, y } = await page.execute(findTarget, element);
      const move = { type: "pointerMove", origin: "viewport", duration: 0, x, y };
      const press = [{ type: "pointerDown", button: 0 }, { type: "pointerUp", button: 0 }];
      const actions = [{ type: "pointer", id: "mouse", actions: [move, ...press, ...press] }];
      await page.command("POST", "/actions", { actions });
    });
  }

  async check() {
    await this.click();
    expect(await this.evaluate((element) => element.checked)).toBe(true);
  }

  async fill(text) {
    await this.#once(async (element, page) => {
      await page.command("POST", `/element/${element.id}/clear`, {});
      await page.command("POST", `/element/${element.id}/value`, { text });
    });
  }
}

/** What the steps have found so far. */
class Scope {
  elements = [null];
  #page;

  constructor(page) {
    this.#page = page;
  }

  /** Finds by a selector within each element, in open shadow roots too. */
  async query(css) {
    this.elements = await this.#page.execute(queryDeeply, css, ...this.elements);
  }

  /** Keeps those that can be seen and are told by this role and name. */
  async byRole(candidates, role, name, isExact) {
    await this.query(candidates);
    const areSeen = await areVisible(this.elements, this.#page);
    const found = [];
    for (const [index, element] of this.elements.entries()) {
      if (!areSeen[index]) continue;
      const told = await tellRole(element, this.#page);
      if (told.role === role && (name === undefined || isNamed(told.label, name, isExact))) found.push(element);
    }
    this.elements = found;
  }

  /** Keeps the innermost elements with this text. */
  async byText(text) {
    await this.query("*");
    this.elements = await this.#page.execute(
      (text, ...elements) => {
        const having = elements.filter((element) => element.textContent.includes(text));
        return having.filter((element) => !having.some((other) => other !== element && element.contains(other)));
      },
      text,
      ...this.elements,
    );
  }

  async enterFrame() {
    if (this.elements.length !== 1) throw new Error(`${this.elements.length} frames are there instead of one`);
    await this.#page.enterFrame(this.elements[0]);
    this.elements = [null];
  }

  pick(index) {
    this.elements = this.elements.slice(index, index + 1 || undefined);
  }
}

/** What the browser tells assistive technology of an element. */
async function tellRole({ id }, page) {
  const [role, label] = await Promise.all(["role", "label"].map((what) => page.command("GET", `/element/${id}/computed${what}`)));
  return { role, label };
}

function isNamed(label, name, isExact) {
  if (name instanceof RegExp) return name.test(label);
  return isExact ? label === name : label.toLowerCase().includes(name.toLowerCase());
}

/** Whether each element has a box and is not hidden. */
export function areVisible(elements, page) {
  return page.execute(
    (...elements) =>
      elements.map((element) => {
        const { width, height } = element.getBoundingClientRect();
        return width > 0 && height > 0 && getComputedStyle(element).visibility === "visible";
      }),
    ...elements,
  );
}

/** Runs in the page. */
function queryDeeply(css, ...roots) {
  const found = new Set();
  const visit = (root) => {
    for (const element of root.querySelectorAll(css)) found.add(element);
    if (root.shadowRoot) visit(root.shadowRoot);
    for (const element of root.querySelectorAll("*")) if (element.shadowRoot) visit(element.shadowRoot);
  };
  for (const root of roots) visit(root ?? document);
  return [...found];
}

/** Runs in the page: the middle of an element that a click would hit. */
async function findTarget(element) {
  element.scrollIntoView({ block: "nearest", inline: "nearest" });
  const before = element.getBoundingClientRect();
  await new Promise(requestAnimationFrame);
  const { x, y, width, height } = element.getBoundingClientRect();
  if (x !== before.x || y !== before.y) throw new Error("it moves");
  if (element.disabled) throw new Error("it is disabled");
  const middle = { x: Math.floor(x + width / 2), y: Math.floor(y + height / 2) };
  let hit = document.elementFromPoint(middle.x, middle.y);
  while (hit?.shadowRoot?.elementFromPoint(middle.x, middle.y)) {
    const inner = hit.shadowRoot.elementFromPoint(middle.x, middle.y);
    if (inner === hit) break;
    hit = inner;
  }
  const isHit = hit && (element.contains(hit) || element.labels?.[0]?.contains(hit));
  if (!isHit) throw new Error(`<${hit?.localName} class="${hit?.className}"> lies over it`);
  return middle;
}
