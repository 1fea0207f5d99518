//! Elements of the survey, built from Rust one by one.
//!
//! Leptos's own element types carry code that compares, hydrates and replaces for every shape of a view.
//! A survey replaces its question as a whole, so these are plain elements, and Leptos decides when.
//! Nothing is built from markup: a page may require Trusted Types.

use wasm_bindgen::prelude::*;

// Bound without `catch`: names and selectors are our own, so nothing here can throw.
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

    /// Whether a selector of ours finds it.
    #[wasm_bindgen(method)]
    pub fn matches(this: &Element, selector: &str) -> bool;

    /// The innermost element around it, or itself, that a selector of ours finds.
    #[wasm_bindgen(method)]
    pub fn closest(this: &Element, selector: &str) -> Option<Element>;

    /// The first element within it that a selector of ours finds.
    #[wasm_bindgen(method, js_name = querySelector)]
    pub fn find(this: &Element, selector: &str) -> Option<Element>;

    /// What was put into it, where it is a field.
    #[wasm_bindgen(method, getter)]
    pub fn value(this: &Element) -> String;

    /// Puts one element in the place of everything inside.
    #[wasm_bindgen(method, js_name = replaceChildren)]
    pub fn replace_children(this: &Element, child: &Element);
}

/// A new element with a class.
pub fn element(name: &str, class: &str) -> Element {
    let element = create(name);
    if class.is_empty() { element } else { element.with("class", class) }
}

impl Element {
    /// With an attribute.
    pub fn with(self, name: &str, value: &str) -> Self {
        self.set(name, value);
        self
    }

    /// With a text at the end.
    pub fn text(self, text: &str) -> Self {
        self.append_text(text);
        self
    }

    /// With a child at the end.
    pub fn child(self, child: &Self) -> Self {
        self.append(child);
        self
    }
}
