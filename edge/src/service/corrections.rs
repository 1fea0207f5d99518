//! Checks shared by the corrections of one display and of many.

use asklet_shared::problem::{Code, Problem};

/// The longest reason for an exclusion, in characters.
const REASON_LIMIT: usize = 200;

/// Refuses a text that cannot be the reason of an exclusion.
pub fn check_reason(reason: &str) -> Result<(), Problem> {
    if reason.trim().is_empty() || reason.chars().count() > REASON_LIMIT {
        return Err(Problem::new(Code::InvalidSettings, "the reason is missing or too long")
            .at("reason")
            .limit(format!("1 to {REASON_LIMIT} characters")));
    }
    Ok(())
}
