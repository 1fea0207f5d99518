//! Answers as promises.
//!
//! A task of Rust's own costs the platform a promise, two closures for each wait and a turn of its
//! microtask queue whenever it goes on, and that is more than storing a display. So on the way of a
//! display the platform's own promises are handed on, and the work is done in their callbacks.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::task::{Context, Poll, Waker};

use asklet_protocol::failure::Failure;
use wasm_bindgen::prelude::*;
use worker::js_sys::Promise;
use worker::js_sys::futures::future_to_promise;
use worker::{Response, web_sys};

use crate::http::respond;
use crate::platform::log;
use crate::platform::trace::Trace;

#[wasm_bindgen]
extern "C" {
    /// What a request runs in.
    type ExecutionContext;

    #[wasm_bindgen(method, catch, js_name = waitUntil)]
    fn wait_until(this: &ExecutionContext, work: &Promise) -> Result<(), JsValue>;

    /// A promise, to which callbacks are given as they are.
    type Pending;

    #[wasm_bindgen(method)]
    fn then(this: &Pending, kept: &JsValue, broken: &JsValue) -> Promise;
}

/// Answers with what some work comes to.
pub fn of<R: Into<web_sys::Response>>(
    trace: Trace,
    work: impl Future<Output = Result<R, Failure>> + 'static,
) -> Promise {
    future_to_promise(AssertUnwindSafe(async move { respond::settle(&trace, work.await) }))
}

/// Answers a call to an object.
pub fn of_call(
    trace: Trace,
    work: impl Future<Output = Result<Response, Failure>> + 'static,
) -> Promise {
    future_to_promise(AssertUnwindSafe(async move {
        Ok(web_sys::Response::from(respond::finish(&trace, work.await)?).into())
    }))
}

/// What an alarm comes to: what breaks rejects, so that the platform calls again.
pub fn of_alarm(
    trace: Trace,
    work: impl Future<Output = Result<(), Failure>> + 'static,
) -> Promise {
    future_to_promise(AssertUnwindSafe(async move {
        respond::alarm(&trace, work.await)?;
        Ok(JsValue::UNDEFINED)
    }))
}

/// Answers with what some work comes to: at once where it has nothing to wait for.
pub fn now<R: Into<web_sys::Response> + 'static>(
    trace: Trace,
    work: impl Future<Output = Result<R, Failure>> + 'static,
) -> Result<JsValue, JsValue> {
    let mut work = Box::pin(work);
    match work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => respond::settle(&trace, outcome),
        // A task looks again by itself, and from then on it is woken.
        Poll::Pending => Ok(of(trace, work).into()),
    }
}

/// Does some work that the answer does not wait for.
pub fn later(trace: &Trace, context: &JsValue, work: impl Future<Output = ()> + 'static) {
    let work = future_to_promise(AssertUnwindSafe(async move {
        work.await;
        Ok(JsValue::UNDEFINED)
    }));
    if let Err(refused) = context.unchecked_ref::<ExecutionContext>().wait_until(&work) {
        log::warn(trace, &format!("work after the answer was refused: {refused:?}"));
    }
}

/// What becomes of what broke a promise.
pub type Broken = Closure<dyn FnMut(JsValue) -> Result<JsValue, JsValue>>;

/// Answers with what `kept` makes of a promise's value, or `broken` of its failure.
pub fn then(
    promise: &Promise,
    kept: impl FnOnce(JsValue) -> Result<JsValue, JsValue> + 'static,
    broken: &Broken,
) -> Promise {
    let kept = Closure::once_into_js(kept);
    promise.unchecked_ref::<Pending>().then(&kept, broken.as_ref())
}
