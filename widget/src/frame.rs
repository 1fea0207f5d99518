//! The place of the survey in the page: an element of its own with a shadow root, which neither the
//! page's style sheets nor its content policy reach into.

use wasm_bindgen::prelude::*;
use web_sys::{CssStyleSheet, Document, Element, HtmlElement, ShadowRootInit, ShadowRootMode};

const STYLE: &str = include_str!("style.css");

#[wasm_bindgen]
extern "C" {
    /// What `web-sys` does not bind yet.
    type Modern;

    #[wasm_bindgen(method, setter, js_name = adoptedStyleSheets)]
    fn set_adopted_style_sheets(this: &Modern, sheets: &js_sys::Array);

    #[wasm_bindgen(method, catch, js_name = showPopover)]
    fn show_popover(this: &Modern) -> Result<(), JsValue>;
}

/// The survey's element in the page.
#[derive(Clone)]
pub struct Frame {
    host: Element,
    /// What the view is mounted into.
    pub root: HtmlElement,
}

impl Frame {
    /// Puts an empty frame into the page.
    pub fn open(document: &Document) -> Result<Self, JsValue> {
        let host = document.create_element("asklet-survey")?;
        let shadow = host.attach_shadow(&ShadowRootInit::new(ShadowRootMode::Open))?;
        let sheet = CssStyleSheet::new()?;
        sheet.replace_sync(STYLE)?;
        let sheets = js_sys::Array::of1(&sheet);
        shadow.unchecked_ref::<Modern>().set_adopted_style_sheets(&sheets);
        let root: HtmlElement = document.create_element("div")?.unchecked_into();
        shadow.append_child(&root)?;
        host.set_attribute("popover", "manual")?;
        document.body().ok_or("the page has no body")?.append_child(&host)?;
        // Into the top layer, above whatever the page stacks. Where a browser has none, the style
        // sheet's z-index has to do.
        let _ = host.unchecked_ref::<Modern>().show_popover();
        Ok(Self { host, root })
    }

    /// Takes the survey out of the page.
    pub fn close(&self) {
        self.host.remove();
    }

    /// The element within the survey that has the focus.
    pub fn focused(&self) -> Option<Element> {
        self.host.shadow_root()?.active_element()
    }

    /// Gives the focus to the first element that a selector finds within the survey.
    pub fn focus(&self, selector: &str) {
        let found = self.root.query_selector(selector).ok().flatten();
        if let Some(element) = found {
            // Focusing fails only for what cannot have the focus, and then it stays where it is.
            let _ = element.unchecked_into::<HtmlElement>().focus();
        }
    }
}
