//! The widget: one survey in the visitor's page.
//!
//! The loader calls [`ask`] once a survey is due. The widget fetches its body, shows it, and hands
//! every state of the display to the outbox, which the loader keeps.

mod frame;
mod host;
mod progress;
mod survey;

use asklet_shared::body::{Body, BodyError};
use asklet_shared::display_id::DisplayId;
use gloo_net::http::Request;
use leptos::prelude::{mount_to, request_animation_frame};
use wasm_bindgen::prelude::*;

use crate::frame::Frame;
use crate::host::Host;
use crate::progress::Progress;

/// Shows a survey. Fails, with nothing shown, where the body cannot be had or read, and where the
/// browser lacks what a survey needs.
#[wasm_bindgen]
pub async fn ask(host: Host) -> Result<(), JsError> {
    let body = fetch_body(&host.body()).await?;
    let lacking = |_| JsError::new("this browser cannot show a survey");
    let window = web_sys::window().ok_or_else(|| JsError::new("there is no window"))?;
    let document = window.document().ok_or_else(|| JsError::new("there is no document"))?;
    let id = new_id(&window).map_err(lacking)?;
    let frame = Frame::open(&document).map_err(lacking)?;
    let progress = Progress::new(host, id);
    let seen = progress.clone();
    mount_to(frame.root.clone(), {
        let frame = frame.clone();
        move || survey::survey(body, frame, progress)
    })
    .forget();
    // A frame is only drawn for a page that can be seen.
    request_animation_frame(move || seen.seen());
    Ok(())
}

async fn fetch_body(address: &str) -> Result<Body, JsError> {
    let failed = |error: gloo_net::Error| JsError::new(&error.to_string());
    let response = Request::get(address).send().await.map_err(failed)?;
    if !response.ok() {
        return Err(JsError::new("the survey's body could not be fetched"));
    }
    let bytes = response.binary().await.map_err(failed)?;
    Body::decode(&bytes).map_err(|error| {
        JsError::new(match error {
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
