//! The place of the survey in the page: an element of its own with a shadow root, which neither the
//! page's style sheets nor its content policy reach into.

use asklet_shared::body::Body;
use wasm_bindgen::prelude::*;
use web_sys::{Document, HtmlElement};

use crate::element::{Element, element};

const STYLE: &str = include_str!(env!("ASKLET_STYLE"));

#[wasm_bindgen]
extern "C" {
    type Sheet;

    #[wasm_bindgen(constructor, catch, js_class = CSSStyleSheet)]
    fn new() -> Result<Sheet, JsValue>;

    #[wasm_bindgen(method, js_name = replaceSync)]
    fn replace(this: &Sheet, rules: &str);

    type Shadow;

    #[wasm_bindgen(method, setter, js_name = adoptedStyleSheets)]
    fn adopt(this: &Shadow, sheets: &js_sys::Array);

    #[wasm_bindgen(method, getter, js_name = activeElement)]
    fn focused(this: &Shadow) -> Option<HtmlElement>;

    #[wasm_bindgen(method)]
    fn append(this: &Shadow, child: &Element);

    type Host;

    #[wasm_bindgen(method, js_name = attachShadow)]
    fn attach_shadow(this: &Host, options: &JsValue) -> Shadow;

    #[wasm_bindgen(method, catch, js_name = showPopover)]
    fn show_popover(this: &Host) -> Result<(), JsValue>;
}

/// The survey's element in the page, and what is drawn within.
pub struct Frame {
    host: Element,
    shadow: Shadow,
    panel: Element,
}

impl Frame {
    /// Puts a survey's panel into the page: above it, or into the element that the survey asks for.
    pub fn open(document: &Document, body: &Body, panel: Element) -> Result<Self, JsValue> {
        let host = element("asklet-survey", "");
        let options = js_sys::Object::new();
        js_sys::Reflect::set(&options, &"mode".into(), &"open".into())?;
        let shadow = host.unchecked_ref::<Host>().attach_shadow(&options);
        let sheets = js_sys::Array::new();
        for rules in [STYLE, &body.style] {
            let sheet = Sheet::new()?;
            sheet.replace(rules);
            sheets.push(&sheet);
        }
        shadow.adopt(&sheets);
        shadow.append(&panel);
        let parent = if body.inline.is_empty() {
            host.clone().with("popover", "manual");
            document.query_selector("body")?
        } else {
            document.query_selector(&body.inline)?
        };
        parent.ok_or("the page lacks the survey's element")?.append_child(&host)?;
        // Into the top layer, above whatever the page stacks. Where a browser has none, the style
        // sheet's z-index has to do.
        let _ = host.unchecked_ref::<Host>().show_popover();
        Ok(Self { host, shadow, panel })
    }

    /// Takes the survey out of the page.
    pub fn close(&self) {
        self.host.remove();
    }

    /// The element within the survey that has the focus.
    pub fn focused(&self) -> Option<HtmlElement> {
        self.shadow.focused()
    }

    /// The first element that a selector finds within the survey.
    pub fn find(&self, selector: &str) -> Option<HtmlElement> {
        let found = self.panel.query_selector(selector).ok().flatten();
        found.map(JsCast::unchecked_into)
    }

    /// What is drawn.
    pub fn panel(&self) -> HtmlElement {
        self.panel.clone().unchecked_into()
    }

    /// Whether an element lies within the survey.
    pub fn holds(&self, element: &HtmlElement) -> bool {
        self.panel.contains(Some(element))
    }
}
