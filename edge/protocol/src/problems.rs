//! Problems that several parts answer with.

use asklet_shared::problem::{Code, Problem};

/// Returns the problem for a preview that was revoked.
pub fn revoked() -> Problem {
    Problem::new(Code::PreviewExpired, "the survey's previews were revoked: create another one")
}

/// Returns the problem for a survey that does not exist.
pub fn unknown_survey() -> Problem {
    Problem::new(Code::UnknownSurvey, "the site has no such survey")
}

/// Returns the problem for a display that does not exist.
pub fn unknown_display() -> Problem {
    Problem::new(Code::UnknownDisplay, "the survey has no such display")
}

/// Returns the problem for every request while the migration of the site is not complete.
pub fn migrating() -> Problem {
    Problem::new(
        Code::Busy,
        "the site is still being migrated to this deployment: try again when the migration is complete",
    )
}
