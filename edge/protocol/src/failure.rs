//! Why the backend did not do what it was asked: the caller's mistake, or a fault of ours.

use std::error::Error;

use asklet_shared::problem::{Code, Problem};

/// Why something was not done.
#[derive(Debug)]
pub enum Failure {
    /// The caller can change something; answered as it is.
    Problem(Problem),
    /// Something broke on our side. Its cause is logged, and answered only as [`Code::Internal`].
    Broken(Box<dyn Error>),
}

impl Failure {
    /// A fault of ours, with what is to be read in the log.
    pub fn broken(cause: impl Into<Box<dyn Error>>) -> Self {
        Self::Broken(cause.into())
    }

    /// The code of what the caller is answered.
    pub fn code(&self) -> Code {
        match self {
            Self::Problem(problem) => problem.code,
            Self::Broken(_) => Code::Internal,
        }
    }

    /// What the caller is answered: nothing of what is inside.
    pub fn into_problem(self) -> Problem {
        match self {
            Self::Problem(problem) => problem,
            Self::Broken(_) => Problem::new(Code::Internal, "the same request can be repeated"),
        }
    }

    /// What is written to the log: of what broke, each error with its own cause behind it.
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

/// Every error is a fault of ours, but a [`Problem`], which is its caller's.
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
