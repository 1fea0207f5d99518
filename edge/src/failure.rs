//! The one error of this crate: what the caller did, or what broke here.

use asklet_shared::counter::BrokenCounter;
use asklet_shared::problem::{Code, Problem};

/// Why a request was not served.
#[derive(Debug)]
pub enum Failure {
    /// The caller can change something; told as it is.
    Problem(Problem),
    /// Something broke on our side; logged, and told only as [`Code::Internal`].
    Broken(String),
}

impl Failure {
    /// What the caller is told.
    pub fn into_problem(self) -> Problem {
        match self {
            Self::Problem(problem) => problem,
            Self::Broken(_) => Problem::new(Code::Internal, "the same request can be repeated"),
        }
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<worker::Error> for Failure {
    fn from(error: worker::Error) -> Self {
        Self::Broken(error.to_string())
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::Broken(error.to_string())
    }
}

impl From<BrokenCounter> for Failure {
    fn from(_: BrokenCounter) -> Self {
        Self::Broken("a counter does not hold what was folded into it".to_owned())
    }
}
