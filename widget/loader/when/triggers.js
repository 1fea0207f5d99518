import { document } from "./document.js";

/** What the page tracks, as events of the page's own names. */
export const tracked = new EventTarget();

/** Each kind of trigger: begins to wait, and fires until the signal aborts. An unknown kind never does. */
export const TRIGGERS = {
  delay: (ms, fire) => setTimeout(fire, ms),

  time_on_page(ms, fire, signal) {
    let left = ms;
    let since;
    let timer;
    const turn = () => {
      clearTimeout(timer);
      if (since !== undefined) left -= performance.now() - since;
      since = undefined;
      if (document.hidden || signal.aborted) return;
      since = performance.now();
      timer = setTimeout(fire, left);
    };
    document.addEventListener("visibilitychange", turn, { signal });
    turn();
  },

  scroll_depth: (percent, fire, signal) =>
    onScroll(signal, ({ scrollTop, scrollHeight, clientHeight }) => {
      if ((scrollTop / (scrollHeight - clientHeight)) * 100 >= percent - 0.5) fire();
    }),

  // A scroll up is a fast one if 60 % of the view pass in 300 ms.
  fast_scroll_up(_, fire, signal) {
    let from = 0;
    let since = 0;
    if (!matchMedia("(any-pointer: coarse)").matches) return;
    onScroll(signal, ({ scrollTop }, now) => {
      if (scrollTop > from || now - since > 300) [from, since] = [scrollTop, now];
      else if (from - scrollTop > innerHeight * 0.6) fire();
    });
  },

  exit_intent: (_, fire, signal) =>
    document.addEventListener("mouseout", (event) => !event.relatedTarget && event.clientY <= 0 && fire(), { signal }),

  event: ({ name, properties }, fire, signal) =>
    tracked.addEventListener(name, ({ detail }) => has(detail ?? {}, properties ?? {}) && fire(), { signal }),

  click(selector, fire, signal) {
    // One that cannot be read is told of now, and not at each click.
    document.querySelector(selector);
    // A form's fields can be named like what it inherits.
    const isIt = (element) => element instanceof Element && Element.prototype.matches.call(element, selector);
    addEventListener("click", (event) => event.composedPath().some(isIt) && fire(), { signal, capture: true });
  },
};

/** Looks at the page, or at an element that fills most of it, each time it is scrolled. */
function onScroll(signal, look) {
  const scrolled = ({ target, timeStamp }) => {
    const element = target instanceof Element ? target : document.scrollingElement;
    if (element?.clientHeight * 2 > innerHeight) look(element, timeStamp);
  };
  addEventListener("scroll", scrolled, { signal, capture: true, passive: true });
}

/** Each comparison that a property can be put to. */
const COMPARE = {
  is: (value, wanted) => `${value}` === wanted,
  is_not: (value, wanted) => `${value}` !== wanted,
  contains: (value, wanted) => `${value}`.includes(wanted),
  at_least: (value, wanted) => value >= wanted,
  at_most: (value, wanted) => value <= wanted,
};

/** Whether an event has what a trigger wants. A property that it does not have is none of it. */
function has(properties, wanted) {
  return Object.entries(wanted).every(([key, rule]) => {
    const [[kind, than]] = Object.entries(rule);
    return properties[key] != null && COMPARE[kind]?.(properties[key], than);
  });
}
