//! Problems with requests that several routes answer with.

use asklet_shared::problem::{Code, Problem};

/// How long a body may take, in milliseconds.
pub const BODY_MS: u32 = 15_000;

/// What is said of a parameter that a route does not take.
pub fn unknown_parameter(name: &str) -> Problem {
    let name = name.chars().take(32).collect::<String>();
    Problem::new(Code::InvalidQuery, "there is no such parameter").at(name)
}

/// What is said of a parameter that cannot have its value.
pub fn invalid_parameter(name: &str, limit: impl Into<String>) -> Problem {
    Problem::new(Code::InvalidQuery, "the parameter has no such value").at(name).limit(limit)
}

/// The header that says how a body is compressed.
pub const CONTENT_ENCODING: &str = "content-encoding";

/// What is said of a body that is larger than is taken.
pub fn too_large(limit: usize) -> Problem {
    Problem::new(Code::BodyTooLarge, "the body is too large").limit(format!("{limit} bytes"))
}

/// What is said of a body that takes too long.
pub fn body_timeout() -> Problem {
    Problem::new(Code::BodyTimeout, "the body did not come to an end")
        .limit(format!("{} seconds", BODY_MS / 1000))
}

/// Why a body could not be read to its end.
pub fn broke_off() -> Problem {
    Problem::new(Code::MalformedJson, "the body broke off")
}
