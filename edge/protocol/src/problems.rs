//! Problems that several parts answer with.

use asklet_shared::problem::{Code, Problem};

/// What is said of a preview that holds no more.
pub fn revoked() -> Problem {
    Problem::new(Code::PreviewExpired, "the survey's previews were revoked: make another one")
}

/// What is said of a survey that is not there.
pub fn unknown_survey() -> Problem {
    Problem::new(Code::UnknownSurvey, "the site has no such survey")
}

/// What is said of a display that is not there.
pub fn unknown_display() -> Problem {
    Problem::new(Code::UnknownDisplay, "the survey has no such display")
}

/// What is said while not everything has come.
pub fn migrating() -> Problem {
    Problem::new(
        Code::Busy,
        "the site is still being moved here: it answers once everything has come",
    )
}
