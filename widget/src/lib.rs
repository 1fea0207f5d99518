//! The widget: one survey in the visitor's page.
//!
//! The loader calls [`ask`] with a survey's body once the survey is due. The widget shows the survey, and hands
//! every state of the display to the loader, which keeps the outbox. The loader ends the survey with [`close`].

mod element;
mod host;
mod parts;
mod progress;
mod sight;
mod survey;

use asklet_shared::body::{Body, BodyError};
use asklet_shared::display_id::DisplayId;
use wasm_bindgen::prelude::*;

use crate::host::Host;

/// Shows a survey. Fails, and shows nothing, if the body cannot be read or the page has no place for the
/// survey.
#[wasm_bindgen]
pub fn ask(host: Host) -> Result<(), JsValue> {
    let body = Body::decode(&host.body()).map_err(|error| {
        JsValue::from(match error {
            BodyError::WireFormat => "the survey's body is in another release's format",
            BodyError::Malformed => "the survey's body is damaged",
        })
    })?;
    // Effects run as tasks of the page. The call fails if an executor exists already, which does the same.
    let _ = any_spawner::Executor::init_wasm_bindgen();
    survey::open(host, new_id()?, body)
}

/// Removes the survey from the page, in its present state.
#[wasm_bindgen]
pub fn close() {
    survey::close();
}

fn new_id() -> Result<DisplayId, JsValue> {
    let mut random = [0; 10];
    let window = web_sys::window().ok_or("there is no window")?;
    window.crypto()?.get_random_values_with_u8_array(&mut random)?;
    // A clock before 1970 counts as 1970; ids only need to be different.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "48 bits of a time"
    )]
    let unix_ms = js_sys::Date::now().max(0.0) as u64;
    Ok(DisplayId::new(unix_ms, random))
}
