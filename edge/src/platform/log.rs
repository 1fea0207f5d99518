//! The log: lines of JSON on the platform's console. Each line has the level, the request's id, its route and
//! its duration so far, and the code of the problem if the request was refused or failed. No line contains an
//! answer or the id of a person.

use std::cell::OnceCell;

use asklet_protocol::failure::Failure;
use asklet_shared::problem::Code;
use serde::Serialize;
use worker::{Env, console_error};

use super::deployment;
use super::trace::Trace;

/// The variable that says what is logged besides warnings and errors. With `requests` there is a line for each
/// request.
const VARIABLE: &str = "ASKLET_LOG";

thread_local! {
    static LOGS_REQUESTS: OnceCell<bool> = const { OnceCell::new() };
}

/// Reads what to log, once in each isolate.
pub fn configure(env: &Env) {
    LOGS_REQUESTS.with(|logs| {
        logs.get_or_init(|| deployment::variable(env, VARIABLE).as_deref() == Some("requests"));
    });
}

/// Logs that something broke.
pub fn error(trace: &Trace, status: Option<u16>, cause: &str) {
    console_error!("{}", line("error", trace, status, Some(cause)));
}

/// Logs that something went wrong but was handled.
pub fn warn(trace: &Trace, cause: &str) {
    console_error!("{}", line("warning", trace, None, Some(cause)));
}

/// Logs that something failed whose failure was handled: what went wrong, and why.
pub fn handled(trace: &Trace, what: &str, failure: &Failure) {
    warn(trace, &format!("{what}: {}", failure.log_text()));
}

/// Logs that a request was answered, if the deployment wants a line for each request.
pub fn request(trace: &Trace, status: u16) {
    if LOGS_REQUESTS.with(|logs| logs.get() != Some(&true)) {
        return;
    }
    console_error!("{}", line("info", trace, Some(status), None));
}

fn line(level: &'static str, trace: &Trace, status: Option<u16>, cause: Option<&str>) -> String {
    let (request, duration_ms) = (trace.id(), trace.elapsed_ms());
    let code = trace.code().map(Code::name);
    let line = Line { level, request, route: trace.route, status, code, duration_ms, cause };
    // Texts and numbers can always be written as JSON.
    serde_json::to_string(&line).unwrap_or_else(|error| error.to_string())
}

/// A line of the log.
#[derive(Serialize)]
struct Line<'a> {
    level: &'static str,
    /// The id of the request.
    request: &'a str,
    route: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    /// The code of the problem with which the request is answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    duration_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'a str>,
}
