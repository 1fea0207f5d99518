//! Why the backend did not do what it was asked to do: a mistake of the caller, or a fault of ours.

use std::error::Error;

use asklet_shared::problem::{Code, Problem};

/// Why a request was not carried out.
#[derive(Debug)]
pub enum Failure {
    /// A problem that the caller can correct; the caller gets it unchanged.
    Problem(Problem),
    /// A fault on our side. Its cause is logged; the caller only gets [`Code::Internal`].
    Broken(Box<dyn Error>),
}

impl Failure {
    /// Makes a fault of ours; `cause` goes into the log.
    pub fn broken(cause: impl Into<Box<dyn Error>>) -> Self {
        Self::Broken(cause.into())
    }

    /// Returns the code that the caller gets.
    pub fn code(&self) -> Code {
        match self {
            Self::Problem(problem) => problem.code,
            Self::Broken(_) => Code::Internal,
        }
    }

    /// Returns the problem that the caller gets. It reveals nothing internal.
    pub fn into_problem(self) -> Problem {
        match self {
            Self::Problem(problem) => problem,
            Self::Broken(_) => Problem::new(Code::Internal, "the same request can be repeated"),
        }
    }

    /// Returns the text for the log. For a fault of ours, it lists each error followed by its own cause.
    pub fn log_text(&self) -> String {
        match self {
            Self::Problem(problem) => problem.to_string(),
            Self::Broken(cause) => {
                let mut text = cause.to_string();
                let mut next = cause.source();
                while let Some(error) = next {
                    text += &format!(": {error}");
                    next = error.source();
                }
                text
            }
        }
    }
}

/// Every error is a fault of ours, except a [`Problem`], which is the caller's mistake.
impl<E: Error + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        let error: Box<dyn Error> = Box::new(error);
        match error.downcast::<Problem>() {
            Ok(problem) => Self::Problem(*problem),
            Err(broken) => Self::Broken(broken),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_stays_its_caller_s_and_every_other_error_is_ours() {
        let problem = Problem::new(Code::UnknownSite, "there is no such site");
        let failure = Failure::from(problem.clone());
        assert_eq!((failure.code(), failure.into_problem()), (Code::UnknownSite, problem));
        let error = u8::try_from(256_u32).unwrap_err();
        let failure = Failure::from(error);
        assert_eq!(failure.log_text(), "out of range integral type conversion attempted");
        assert_eq!(failure.into_problem().code, Code::Internal);
    }
}
