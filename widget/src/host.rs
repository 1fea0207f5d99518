//! The interface that the loader gives to the widget: the survey to show, its place in the page, and the
//! receiver of its states.

use asklet_shared::display::{Answers, Channel, Display, Stage};
use asklet_shared::display_id::DisplayId;
use wasm_bindgen::prelude::*;

use crate::element::Element;
use crate::progress::{Save, traits};

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

    #[wasm_bindgen(method, js_name = save)]
    fn save_state(this: &Host, id: &str, json: &str, what: &str);
}

impl Save for Host {
    fn save(&self, id: &str, json: &str, what: &str) {
        self.save_state(id, json, what);
    }
}

impl Host {
    /// Makes a display of which nothing has happened yet.
    pub fn display(&self, id: DisplayId, language: String) -> Display {
        let identity = self.identity();
        Display {
            id,
            revision: 0,
            version: self.version(),
            stage: Stage::Shown,
            dismissed: false,
            channel: Channel::InPage,
            language,
            page: self.page(),
            answers: Answers::default(),
            variant: String::new(),
            traits: traits(&self.traits()),
            identity: (!identity.is_empty()).then_some(identity),
            age_ms: 0,
        }
    }
}
