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

    /// The language of the body, as the config names it.
    #[wasm_bindgen(method, getter)]
    pub fn language(this: &Host) -> String;

    /// The version of the survey.
    #[wasm_bindgen(method, getter)]
    pub fn version(this: &Host) -> u32;

    /// The address of the page, without query and fragment.
    #[wasm_bindgen(method, getter)]
    pub fn page(this: &Host) -> String;

    /// Says that the survey is in the page now.
    #[wasm_bindgen(method)]
    pub fn shown(this: &Host);

    /// Puts a state of the display into the outbox.
    #[wasm_bindgen(method)]
    pub fn save(this: &Host, id: &str, json: &str);
}
