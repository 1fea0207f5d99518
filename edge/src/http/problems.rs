//! Problems with requests, shared by several routes.

use asklet_shared::problem::{Code, Problem};

/// How long a body may take to arrive, in milliseconds.
pub const BODY_MS: u32 = 15_000;

/// Returns the problem for a parameter that the route does not take.
pub fn unknown_parameter(name: &str) -> Problem {
    let name = name.chars().take(32).collect::<String>();
    Problem::new(Code::InvalidQuery, "there is no such parameter").at(name)
}

/// Returns the problem for a parameter that cannot have the given value.
pub fn invalid_parameter(name: &str, limit: impl Into<String>) -> Problem {
    Problem::new(Code::InvalidQuery, "the parameter has a value that is not allowed")
        .at(name)
        .limit(limit)
}

/// The header that says how a body is compressed.
pub const CONTENT_ENCODING: &str = "content-encoding";

/// Returns the problem for a body that is larger than the limit.
pub fn too_large(limit: usize) -> Problem {
    Problem::new(Code::BodyTooLarge, "the body is too large").limit(format!("{limit} bytes"))
}

/// Returns the problem for a body that takes too long to arrive.
pub fn body_timeout() -> Problem {
    Problem::new(Code::BodyTimeout, "the body did not arrive in time")
        .limit(format!("{} seconds", BODY_MS / 1000))
}

/// Returns the problem for a body that broke off before its end.
pub fn broke_off() -> Problem {
    Problem::new(Code::MalformedJson, "the connection closed before the body was complete")
}
