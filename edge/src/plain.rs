//! Texts without case and accents, in any script: the platform knows Unicode, so that no tables of ours
//! make the Worker large.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(inline_js = r"
export const plain = (text) => text.normalize('NFKD').replace(/\p{M}/gu, '').toUpperCase();
")]
extern "C" {
    /// A text as it is compared: decomposed, without marks, and in capitals, which more letters share
    /// than small ones.
    pub fn plain(text: &str) -> String;
}
