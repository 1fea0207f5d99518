//! What the loader gives to the widget: what to show, and where its states go.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// The loader's side of one display.
    #[derive(Clone)]
    pub type Host;

    /// The address of the survey's body.
    #[wasm_bindgen(method, getter)]
    pub fn body(this: &Host) -> String;

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

    /// Takes a state of the display, and what has just happened to it.
    #[wasm_bindgen(method)]
    pub fn save(this: &Host, id: &str, json: &str, what: &str);
}
