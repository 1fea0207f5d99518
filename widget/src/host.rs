//! What the loader gives to the widget: what to show, its place in the page, and where its states go.

use wasm_bindgen::prelude::*;

use crate::element::Element;

#[wasm_bindgen]
extern "C" {
    /// The loader's side of one display.
    #[derive(Clone)]
    pub type Host;

    /// The survey's body, as it was fetched.
    #[wasm_bindgen(method, getter)]
    pub fn body(this: &Host) -> Vec<u8>;

    /// The version of the survey.
    #[wasm_bindgen(method, getter)]
    pub fn version(this: &Host) -> u32;

    /// The address of the page; empty where it is not told.
    #[wasm_bindgen(method, getter)]
    pub fn page(this: &Host) -> String;

    /// The token of who answers; empty where nobody is known.
    #[wasm_bindgen(method, getter)]
    pub fn identity(this: &Host) -> String;

    /// Keys and values of traits in turn, each ended by a NUL but the last.
    #[wasm_bindgen(method, getter)]
    pub fn traits(this: &Host) -> String;

    /// Puts the survey's panel into the page and keeps it there, with its style sheet and the theme's:
    /// above the page, or in the element that a selector finds. Fails where there is none.
    #[wasm_bindgen(method, catch)]
    pub fn place(
        this: &Host,
        panel: &Element,
        style: &str,
        theme: &str,
        slot: &str,
    ) -> Result<(), JsValue>;

    /// Takes the survey out of the page.
    #[wasm_bindgen(method)]
    pub fn remove(this: &Host);

    /// Takes a state of the display, and what has just happened to it.
    #[wasm_bindgen(method)]
    pub fn save(this: &Host, id: &str, json: &str, what: &str);
}
