//! Single columns of a display, and the values that they are compared with.

use asklet_protocol::failure::Failure;
use asklet_shared::display::Stage;
use asklet_shared::display_id::DisplayId;
use asklet_shared::funnel::stage_value;

/// Milliseconds by which the time in a display's id may differ from the time when it was shown.
pub const DRIFT_MS: u64 = 10 * 60 * 1000;

/// Milliseconds in an outbox after which a display is late.
pub const LATE_MS: u64 = 20 * 60 * 1000;

/// The condition for a display that is late or deferred, in the words of the index `late`.
pub const LATE: &str = "(deferred = 1 OR received_ms > shown_ms + 1200000)";

/// Reads a stored id.
pub fn display_id(bytes: &[u8]) -> Result<DisplayId, Failure> {
    let id = <[u8; 16]>::try_from(bytes).ok().map(DisplayId::from_bytes);
    id.and_then(Result::ok).ok_or_else(|| broken("id"))
}

/// Reads a stored stage.
pub fn stage(number: u8) -> Result<Stage, Failure> {
    let stage = Stage::ALL.into_iter().find(|known| stage_value(*known) == number);
    stage.ok_or_else(|| broken("stage"))
}

/// Returns the failure for a row that cannot be read.
pub fn broken(what: &str) -> Failure {
    Failure::broken(format!("a stored display has no valid {what}"))
}
