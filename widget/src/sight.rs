//! Whether the survey was in view: a survey in an element of the page may be far below.

use js_sys::Array;
use wasm_bindgen::prelude::*;
use web_sys::{Element, IntersectionObserver, IntersectionObserverEntry, IntersectionObserverInit};

/// Share of the survey that must be in view at once. The whole may be larger than a phone.
const SHARE: f64 = 0.3;

/// Waits for an element to come into view, as long as this object lives.
pub struct Sight {
    observer: IntersectionObserver,
    _callback: Closure<dyn Fn(Array)>,
}

impl Sight {
    /// Calls a function once the element is in view, in a page that is visible.
    pub fn of(element: &Element, seen: impl Fn() + 'static) -> Result<Self, JsValue> {
        let callback = Closure::<dyn Fn(Array)>::new(move |entries: Array| {
            let is_in_view = |entry: JsValue| {
                entry.unchecked_into::<IntersectionObserverEntry>().intersection_ratio() >= SHARE
            };
            if entries.iter().any(is_in_view) {
                seen();
            }
        });
        let options = IntersectionObserverInit::new();
        options.set_threshold(&SHARE.into());
        let observe = callback.as_ref().unchecked_ref();
        let observer = IntersectionObserver::new_with_options(observe, &options)?;
        observer.observe(element);
        Ok(Self { observer, _callback: callback })
    }
}

impl Drop for Sight {
    fn drop(&mut self) {
        self.observer.disconnect();
    }
}
