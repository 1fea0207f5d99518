//! Texts without case and accents, in any script: the platform knows Unicode, so that no tables of ours
//! make the Worker large.

use wasm_bindgen::prelude::*;

// What Unicode takes for letters of their own, and people for others with something to them.
#[wasm_bindgen(inline_js = r#"
const alike = {
  Ł: "L", Ø: "O", Đ: "D", Ð: "D", Ħ: "H", Ŧ: "T", Æ: "AE", Œ: "OE",
  "‘": "'", "’": "'", "ʼ": "'", "“": '"', "”": '"', "„": '"',
};
export const plain = (text) =>
  text.toLowerCase().normalize("NFKD").replace(/[\p{M}\p{Cf}]/gu, "").toUpperCase()
    .replace(/[ŁØĐÐĦŦÆŒ‘’ʼ“”„]/g, (one) => alike[one]);
"#)]
extern "C" {
    /// A text as it is compared: decomposed, without marks and what nobody sees, and in capitals, which
    /// more letters share than small ones. Small ones come first, since one capital has no other: `ẞ`.
    pub fn plain(text: &str) -> String;
}
