//! Answers: the headers that each kind of answer carries, and problems.

use std::cell::OnceCell;

use asklet_protocol::etag::etag;
use asklet_protocol::failure::Failure;
use asklet_shared::problem::{Code, Problem};
use serde::Serialize;
use wasm_bindgen::JsValue;
use worker::{Headers, Response, ResponseBuilder, web_sys};

use crate::http::problems::CONTENT_ENCODING;
use crate::platform::trace::Trace;
use crate::platform::{log, metrics, rpc};

/// How long an answer may be kept.
#[derive(Debug, Clone, Copy)]
pub enum Cache {
    /// Not at all: the answer is meant for one client only.
    Never,
    /// This many seconds; after that the client asks again.
    Seconds(u32),
    /// Forever: its address names its content.
    Immutable,
}

/// The header by which pages recognise an answer of the edge. A captive portal or a firewall between page and
/// edge can answer too, but does not send it.
const MARK: (&str, &str) = ("asklet", "1");

/// The headers that pages of other origins may read, in addition to those that they may always read.
const EXPOSED: &str = "asklet, retry-after";

/// Begins an answer that pages of any origin may read.
pub fn public(cache: Cache) -> Result<ResponseBuilder, Failure> {
    Ok(private(cache)?
        .with_header("access-control-allow-origin", "*")?
        .with_header("cross-origin-resource-policy", "cross-origin")?
        .with_header("access-control-expose-headers", EXPOSED)?
        .with_header(MARK.0, MARK.1)?
        .with_header("timing-allow-origin", "*")?)
}

/// Begins an answer for programs that hold a key.
pub fn private(cache: Cache) -> Result<ResponseBuilder, Failure> {
    let cache = match cache {
        Cache::Never => "no-store".to_owned(),
        Cache::Seconds(seconds) => format!("public, max-age={seconds}"),
        Cache::Immutable => "public, max-age=31536000, immutable".to_owned(),
    };
    Ok(ResponseBuilder::new()
        .with_header("cache-control", &cache)?
        .with_header("x-content-type-options", "nosniff")?)
}

/// Returns an answer in JSON for programs that hold a key.
pub fn json(status: u16, value: &impl Serialize) -> Result<Response, Failure> {
    written(status, serde_json::to_string(value)?)
}

/// Returns an answer that an object has written in JSON.
pub fn written(status: u16, json: String) -> Result<Response, Failure> {
    Ok(in_json(status)?.fixed(json.into_bytes()))
}

/// Returns an answer that an object has written in JSON, with the tag of this state: `If-Match` takes it.
pub fn tagged(status: u16, json: String) -> Result<Response, Failure> {
    Ok(in_json(status)?.with_header("etag", &etag(&json))?.fixed(json.into_bytes()))
}

fn in_json(status: u16) -> Result<ResponseBuilder, Failure> {
    let answer = private(Cache::Never)?.with_status(status);
    Ok(answer.with_header("content-type", "application/json")?)
}

/// Returns the metrics, for the operator's monitoring.
pub fn metrics() -> Result<Response, Failure> {
    let answer = private(Cache::Never)?;
    let answer = answer.with_header("content-type", "text/plain; version=0.0.4; charset=utf-8")?;
    Ok(answer.fixed(metrics::text().into_bytes()))
}

/// Returns the answer that says only that the request was carried out.
pub fn no_content() -> Result<Response, Failure> {
    Ok(private(Cache::Never)?.with_status(204).empty())
}

/// Returns the answer to a preflight of any public route.
pub fn preflight() -> Result<Response, Failure> {
    Ok(public(Cache::Seconds(86_400))?
        .with_status(204)
        .with_header("access-control-allow-methods", "GET, POST")?
        .with_header("access-control-allow-headers", "content-type")?
        .with_header("access-control-max-age", "86400")?
        .empty())
}

thread_local! {
    // The headers are the same each time, and each would cost a call out of the module.
    static TAKEN: OnceCell<web_sys::ResponseInit> = const { OnceCell::new() };
}

/// Returns the answer to a display that was stored.
pub fn taken() -> Result<web_sys::Response, Failure> {
    TAKEN.with(|taken| {
        let init = match taken.get() {
            Some(init) => init,
            None => {
                // The answer has only the headers that let the page see that the edge took the display: each
                // header costs time twice.
                let made = ResponseBuilder::new().with_status(204);
                let made = made.with_header("access-control-allow-origin", "*")?;
                let made = made.with_header("access-control-expose-headers", EXPOSED)?;
                let made = made.with_header(MARK.0, MARK.1)?;
                taken.get_or_init(|| made.into())
            }
        };
        web_sys::Response::new_with_opt_str_and_init(None, init)
            .map_err(|error| worker::Error::from(error).into())
    })
}

/// Returns the answer to a display that was stored without its identity token. A header says why, for the
/// developer who sets up tokens.
pub fn taken_without_identity(problem: &Problem) -> Result<web_sys::Response, Failure> {
    let answer = ResponseBuilder::new().with_status(204);
    let answer = answer
        .with_header("access-control-allow-origin", "*")?
        .with_header("access-control-expose-headers", "asklet, asklet-identity")?
        .with_header(MARK.0, MARK.1)?
        .with_header("asklet-identity", problem.code.name())?;
    Ok(answer.empty().into())
}

/// Turns an outcome into the answer to a request, as the platform takes it: with the request's id, counted, and
/// logged.
pub fn settle<R: Into<web_sys::Response>>(
    trace: &Trace,
    outcome: Result<R, Failure>,
) -> Result<JsValue, JsValue> {
    let response = match outcome {
        Ok(response) => response.into(),
        Err(failure) => finish(trace, Err(failure))?.into(),
    };
    if let Some(code) = trace.code() {
        metrics::failed(trace.route, code);
    }
    let status = response.status();
    // The answer to a stored display has nothing but what the page needs.
    if status != 204 {
        response.headers().set(rpc::REQUEST_ID, trace.id())?;
    }
    metrics::answered(trace, status);
    log::request(trace, status);
    Ok(response.into())
}

/// Turns an outcome into an object's answer to a call, or into an answer that has yet to be written: a problem
/// becomes an answer, and what broke is logged.
pub fn finish(trace: &Trace, outcome: Result<Response, Failure>) -> worker::Result<Response> {
    let failure = match outcome {
        Ok(response) => return Ok(response),
        Err(failure) => failure,
    };
    problem(&report(trace, failure)).map_err(|failure| worker::Error::RustError(failure.log_text()))
}

/// Turns the outcome of an alarm into the form that the platform takes. The platform calls the alarm again
/// after a failure. A problem is only logged, since no client waits for an answer.
pub fn alarm(trace: &Trace, outcome: Result<(), Failure>) -> worker::Result<()> {
    match outcome {
        Err(Failure::Problem(problem)) => {
            log::warn(trace, &problem.detail);
            Ok(())
        }
        Err(broken) => Err(worker::Error::RustError(broken.log_text())),
        Ok(()) => Ok(()),
    }
}

/// Returns the problem with which a request is answered after a failure, and notes its code in the trace. If
/// something broke, it is logged.
pub fn report(trace: &Trace, failure: Failure) -> Problem {
    trace.answered_with(failure.code());
    reported(trace, failure)
}

/// Returns the problem that an answer contains after a failure of a part of the work. If something broke, it is
/// logged with the request's id.
pub fn reported(trace: &Trace, failure: Failure) -> Problem {
    if let Failure::Broken(_) = &failure {
        log::error(trace, Some(Code::Internal.status()), &failure.log_text());
    }
    Problem {
        instance: Some(format!("urn:asklet:request:{}", trace.id())),
        ..failure.into_problem()
    }
}

fn problem(problem: &Problem) -> Result<Response, Failure> {
    let mut answer = public(Cache::Never)?
        .with_status(problem.code.status())
        .with_header("content-type", "application/problem+json")?;
    if let (Code::MethodNotAllowed, Some(allowed)) = (problem.code, &problem.limit) {
        answer = answer.with_header("allow", allowed)?;
    }
    if let (Some(CONTENT_ENCODING), Some(taken)) = (problem.field.as_deref(), &problem.limit) {
        answer = answer.with_header("accept-encoding", taken)?;
    }
    if problem.code == Code::Unauthenticated {
        answer = answer.with_header("www-authenticate", "Bearer")?;
    }
    if let Some(seconds) = retry_after(problem.code.status()) {
        answer = answer.with_header("retry-after", seconds)?;
    }
    Ok(answer.fixed(serde_json::to_vec(problem)?))
}

/// Returns the number of seconds after which a request that got this status is worth repeating.
pub fn retry_after(status: u16) -> Option<&'static str> {
    match status {
        429 => Some("10"),
        503 => Some("30"),
        507 => Some("600"),
        _ => None,
    }
}

/// Whether a client that holds an answer with this ETag can continue to use it.
pub fn is_fresh(headers: &Headers, etag: &str) -> Result<bool, Failure> {
    let known = headers.get("if-none-match")?.unwrap_or_default();
    Ok(known.split(',').any(|known| known.trim().trim_start_matches("W/") == etag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_that_broke_is_rejected_so_that_the_platform_calls_again() {
        let trace = Trace::at("alarm", 0);
        assert!(alarm(&trace, Err(Failure::broken("a counter"))).is_err());
        assert!(alarm(&trace, Ok(())).is_ok());
    }
}
