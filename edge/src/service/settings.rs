//! Settings in a request: checks the rules of the shared crate, and the time zone against the platform's.

use asklet_protocol::failure::Failure;
use asklet_shared::problem::{Code, Problem};
use asklet_shared::settings::Settings;
use asklet_shared::validate;

use crate::platform::zone::Zone;

/// Refuses settings that break a rule.
pub fn check_settings(settings: &Settings) -> Result<(), Failure> {
    validate::settings(settings)?;
    check_zone(&settings.tz)
}

/// Refuses a time zone that the platform does not know.
pub fn check_zone(tz: &str) -> Result<(), Failure> {
    Zone::named(tz).map(drop).map_err(|failure| match failure {
        Failure::Problem(problem) => Problem { code: Code::InvalidSettings, ..problem }.into(),
        broken => broken,
    })
}
