//! Texts without case and accents, in any script. The platform knows Unicode, so the Worker needs no tables of
//! its own, which would make it large.

use wasm_bindgen::prelude::*;

// Unicode treats these letters as letters of their own. People read them as a base letter with an addition.
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
    /// Returns a text in the form in which texts are compared: decomposed, without marks and invisible
    /// characters, and in capitals, because more letters share a capital than a small letter. The text is
    /// lowercased first, because the capital `ẞ` has no other capital form.
    pub fn plain(text: &str) -> String;
}
