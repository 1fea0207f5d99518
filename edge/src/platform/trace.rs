//! The trace of a request through the Worker and its objects: what its log lines and its answer have in common.

use std::cell::{Cell, OnceCell};
use std::ops::Deref;
use std::rc::Rc;

use asklet_protocol::seal;
use asklet_shared::problem::Code;
use worker::{Date, Env};

/// A request's route, the time of its arrival, and the id by which its log lines are found.
#[derive(Clone)]
pub struct Trace {
    /// The id of the route, or the name of the object that is called.
    pub route: &'static str,
    /// Time of arrival, in milliseconds since the Unix epoch.
    pub started_ms: u64,
    known: Rc<Known>,
}

/// What becomes known of a request while it is served.
#[derive(Default)]
struct Known {
    /// The id, made when it is first needed. A display that is stored needs no id.
    id: OnceCell<String>,
    /// The code of the problem with which the request is answered.
    code: Cell<Option<Code>>,
}

impl Trace {
    /// Starts the trace of a request that arrives now.
    pub fn new(route: &'static str) -> Self {
        Self { route, started_ms: Date::now().as_millis(), known: Rc::default() }
    }

    /// Returns the trace of a request at a time that a test names.
    #[cfg(test)]
    pub fn at(route: &'static str, started_ms: u64) -> Self {
        Self { route, started_ms, known: Rc::default() }
    }

    /// Starts the trace of a call to an object, with the id of the request for which the call is made.
    pub fn of_call(route: &'static str, id: Option<String>) -> Self {
        let id = id.map_or_else(OnceCell::new, OnceCell::from);
        let known = Rc::new(Known { id, ..Known::default() });
        Self { route, started_ms: Date::now().as_millis(), known }
    }

    /// Returns the request's id: ten random characters.
    pub fn id(&self) -> &str {
        self.known.id.get_or_init(|| {
            // The id only serves to find log lines. So a request does not fail if none can be made.
            seal::random_name().unwrap_or_else(|_| "no-random-source".to_owned())
        })
    }

    /// Notes with which problem the request is answered.
    pub fn answered_with(&self, code: Code) {
        self.known.code.set(Some(code));
    }

    /// Returns the code of the problem with which the request is answered.
    pub fn code(&self) -> Option<Code> {
        self.known.code.get()
    }

    /// Returns how long the request has taken so far, in milliseconds. The platform's clock advances only while
    /// something is awaited.
    pub fn elapsed_ms(&self) -> u64 {
        Date::now().as_millis().saturating_sub(self.started_ms)
    }
}

/// The deployment that serves a request, and the request's trace.
#[derive(Clone)]
pub struct Context {
    env: Env,
    /// The trace of the request.
    pub trace: Trace,
}

impl Context {
    /// Joins a deployment with the trace of the request that it serves.
    pub fn new(env: Env, trace: Trace) -> Self {
        Self { env, trace }
    }
}

impl Deref for Context {
    type Target = Env;

    fn deref(&self) -> &Env {
        &self.env
    }
}
