//! One request on its way through the Worker and its objects: what its log lines and its answer have in common.

use std::cell::OnceCell;
use std::ops::Deref;
use std::rc::Rc;

use asklet_protocol::seal;
use worker::{Date, Env};

/// A request: what was asked, since when, and the id by which its log lines are found.
#[derive(Clone)]
pub struct Trace {
    /// The id of the route, or the name of the object that is called.
    pub route: &'static str,
    /// When it arrived, in milliseconds since the Unix epoch.
    pub started_ms: u64,
    /// Made when it is first needed: a display that is stored needs none.
    id: Rc<OnceCell<String>>,
}

impl Trace {
    /// A request that arrives.
    pub fn new(route: &'static str) -> Self {
        Self { route, started_ms: Date::now().as_millis(), id: Rc::default() }
    }

    /// A request at a time of a test.
    #[cfg(test)]
    pub fn at(route: &'static str, started_ms: u64) -> Self {
        Self { route, started_ms, id: Rc::default() }
    }

    /// A call that is made for a request with an id.
    pub fn of_call(route: &'static str, id: Option<String>) -> Self {
        let trace = Self::new(route);
        match id {
            Some(id) => Self { id: Rc::new(OnceCell::from(id)), ..trace },
            None => trace,
        }
    }

    /// Its id: ten random characters.
    pub fn id(&self) -> &str {
        self.id.get_or_init(|| {
            // The id only finds log lines, so that a request does not fail for the lack of one.
            seal::random_name().unwrap_or_else(|_| "no-random-source".to_owned())
        })
    }

    /// How long it has taken so far, in milliseconds. The platform's clock stands still while nothing is
    /// awaited.
    pub fn elapsed_ms(&self) -> u64 {
        Date::now().as_millis().saturating_sub(self.started_ms)
    }
}

/// The deployment that serves a request, with its trace.
#[derive(Clone)]
pub struct Context {
    env: Env,
    /// The request.
    pub trace: Trace,
}

impl Context {
    /// A deployment that serves a request.
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
