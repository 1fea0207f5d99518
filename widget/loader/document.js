/**
 * The page's document. An element that is named like one of its properties, `<img name="body">`, takes
 * that property's place on `document` itself, and not on what all documents inherit from.
 */
export const document = new Proxy(window.document, {
  get(page, name) {
    const value = Reflect.get(Document.prototype, name, page);
    return value?.bind?.(page) ?? value;
  },
});

/** What the browser itself has under a name: elements with this id are no properties of the window's own. */
export const native = (name) => Object.hasOwn(window, name) && window[name];
