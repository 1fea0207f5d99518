//! The widget: one survey in the visitor's page.
//!
//! The loader calls [`ask`] once a survey is due. The widget fetches its body, shows it, and hands
//! every state of the display to the loader, which keeps the outbox. [`close`] ends it from outside.

mod element;
mod frame;
mod host;
mod parts;
mod progress;
mod sight;
mod survey;

use asklet_shared::body::{Body, BodyError};
use asklet_shared::display_id::DisplayId;
use gloo_net::http::Request;
use wasm_bindgen::prelude::*;

use crate::host::Host;

/// Shows a survey. Fails, with nothing shown, where the body cannot be had or read, and where the
/// browser or the page lacks what a survey needs.
#[wasm_bindgen]
pub async fn ask(host: Host) -> Result<(), JsValue> {
    let body = fetch_body(&host.body()).await?;
    let window = web_sys::window().ok_or("there is no window")?;
    let document = window.document().ok_or("there is no document")?;
    // Effects run as tasks of the page. Whoever set that up before did the same.
    let _ = any_spawner::Executor::init_wasm_bindgen();
    survey::open(&document, host, new_id(&window)?, body)
}

/// Takes the survey out of the page, as it is.
#[wasm_bindgen]
pub fn close() {
    survey::close();
}

async fn fetch_body(address: &str) -> Result<Body, JsValue> {
    let failed = |_| "the survey's body could not be fetched";
    let response = Request::get(address).send().await.map_err(failed)?;
    let bytes = response.binary().await.map_err(failed)?;
    if !response.ok() {
        return Err("the survey's body was refused".into());
    }
    Body::decode(&bytes).map_err(|error| {
        JsValue::from(match error {
            BodyError::WireFormat => "the survey's body is in another release's format",
            BodyError::Malformed => "the survey's body is damaged",
        })
    })
}

fn new_id(window: &web_sys::Window) -> Result<DisplayId, JsValue> {
    let mut random = [0; 10];
    window.crypto()?.get_random_values_with_u8_array(&mut random)?;
    // A clock before 1970 counts as 1970; ids only need to be apart.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "48 bits of a time"
    )]
    let unix_ms = js_sys::Date::now().max(0.0) as u64;
    Ok(DisplayId::new(unix_ms, random))
}
