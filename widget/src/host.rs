//! The interface that the loader gives to the widget: the survey to show, its place in the page, and the
//! receiver of its states.

use wasm_bindgen::prelude::*;

use crate::element::Element;

#[wasm_bindgen]
extern "C" {
    /// The loader's side of one display.
    #[derive(Clone)]
    pub type Host;

    /// Returns the survey's body, as it was fetched.
    #[wasm_bindgen(method, getter)]
    pub fn body(this: &Host) -> Vec<u8>;

    /// Returns the version of the survey.
    #[wasm_bindgen(method, getter)]
    pub fn version(this: &Host) -> u32;

    /// Returns the address of the page; empty if the site does not want it.
    #[wasm_bindgen(method, getter)]
    pub fn page(this: &Host) -> String;

    /// Returns the identity token of the respondent; empty if there is none.
    #[wasm_bindgen(method, getter)]
    pub fn identity(this: &Host) -> String;

    /// Returns keys and values of traits in turn, with a NUL after each except the last.
    #[wasm_bindgen(method, getter)]
    pub fn traits(this: &Host) -> String;

    /// Puts the survey's panel into the page and keeps it there, with its style sheet and the theme's: above
    /// the page, or in the element that a selector finds. Fails if there is no such element.
    #[wasm_bindgen(method, catch)]
    pub fn place(
        this: &Host,
        panel: &Element,
        style: &str,
        theme: &str,
        slot: &str,
    ) -> Result<(), JsValue>;

    /// Removes the survey from the page.
    #[wasm_bindgen(method)]
    pub fn remove(this: &Host);

    /// Takes a state of the display, and the name of what has just happened to it.
    #[wasm_bindgen(method)]
    pub fn save(this: &Host, id: &str, json: &str, what: &str);
}
