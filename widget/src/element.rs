//! The DOM elements of the survey, which Rust creates one by one.
//!
//! Leptos's own element types carry code that compares, hydrates and replaces elements for every shape of a
//! view. A survey always replaces its question as a whole, so it uses plain elements, and Leptos only decides
//! when they are drawn. Nothing is built from markup, because a page may require Trusted Types.

use wasm_bindgen::prelude::*;

// The functions are bound without `catch`: names and selectors are our own, so nothing here can throw.
#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = document, js_name = createElement)]
    fn create(name: &str) -> Element;

    /// An element.
    #[wasm_bindgen(extends = web_sys::HtmlElement, extends = web_sys::Element, extends = web_sys::Node)]
    #[derive(Clone)]
    pub type Element;

    #[wasm_bindgen(method, js_name = setAttribute)]
    fn set(this: &Element, name: &str, value: &str);

    #[wasm_bindgen(method, js_name = append)]
    fn append(this: &Element, child: &Element);

    #[wasm_bindgen(method, js_name = append)]
    fn append_text(this: &Element, text: &str);

    /// Whether the element matches one of our selectors.
    #[wasm_bindgen(method)]
    pub fn matches(this: &Element, selector: &str) -> bool;

    /// Returns the innermost element that matches one of our selectors: this element itself, or one around it.
    #[wasm_bindgen(method)]
    pub fn closest(this: &Element, selector: &str) -> Option<Element>;

    /// Returns the first element within it that matches one of our selectors.
    #[wasm_bindgen(method, js_name = querySelector)]
    pub fn find(this: &Element, selector: &str) -> Option<Element>;

    /// Returns the value of a field.
    #[wasm_bindgen(method, getter)]
    pub fn value(this: &Element) -> String;

    /// Replaces all children by one element.
    #[wasm_bindgen(method, js_name = replaceChildren)]
    pub fn replace_children(this: &Element, child: &Element);
}

/// Creates an element with a class.
pub fn element(name: &str, class: &str) -> Element {
    let element = create(name);
    if class.is_empty() { element } else { element.with("class", class) }
}

impl Element {
    /// Sets an attribute.
    pub fn with(self, name: &str, value: &str) -> Self {
        self.set(name, value);
        self
    }

    /// Appends a text.
    pub fn text(self, text: &str) -> Self {
        self.append_text(text);
        self
    }

    /// Appends a child.
    pub fn child(self, child: &Self) -> Self {
        self.append(child);
        self
    }
}
