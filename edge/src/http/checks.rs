//! Checks of requests that several routes make.

use asklet_shared::problem::{Code, Problem};

/// Refuses a body with a media type that pages do not send.
pub fn check_media_type(content_type: &str) -> Result<(), Problem> {
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    let taken = ["text/plain", "application/json"];
    if taken.iter().any(|taken| media_type.eq_ignore_ascii_case(taken)) {
        return Ok(());
    }
    Err(Problem::new(Code::UnsupportedMediaType, "the content type must be that of JSON")
        .limit("text/plain or application/json"))
}
