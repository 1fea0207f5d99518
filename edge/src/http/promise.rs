//! Answers as promises.
//!
//! A task of Rust's own costs the platform a promise, two closures for each wait, and a turn of its microtask
//! queue each time that the task continues. That is more than storing a display costs. So for displays the
//! platform's own promises are passed on, and their callbacks do the work.

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
    /// The context in which a request runs.
    type ExecutionContext;

    #[wasm_bindgen(method, catch, js_name = waitUntil)]
    fn wait_until(this: &ExecutionContext, work: &Promise) -> Result<(), JsValue>;

    /// A promise whose `then` takes callbacks as they are.
    type Pending;

    #[wasm_bindgen(method)]
    fn then(this: &Pending, kept: &JsValue, broken: &JsValue) -> Promise;
}

/// Returns a promise of the answer to a request, which some work produces.
pub fn of<R: Into<web_sys::Response>>(
    trace: Trace,
    work: impl Future<Output = Result<R, Failure>> + 'static,
) -> Promise {
    future_to_promise(AssertUnwindSafe(async move { respond::settle(&trace, work.await) }))
}

/// Returns a promise of the answer to a call to an object, which some work produces.
pub fn of_call(
    trace: Trace,
    work: impl Future<Output = Result<Response, Failure>> + 'static,
) -> Promise {
    future_to_promise(AssertUnwindSafe(async move {
        Ok(web_sys::Response::from(respond::finish(&trace, work.await)?).into())
    }))
}

/// Returns the promise of an alarm. It is rejected if something breaks, so that the platform calls the alarm
/// again.
pub fn of_alarm(
    trace: Trace,
    work: impl Future<Output = Result<(), Failure>> + 'static,
) -> Promise {
    future_to_promise(AssertUnwindSafe(async move {
        respond::alarm(&trace, work.await)?;
        Ok(JsValue::UNDEFINED)
    }))
}

/// Answers a request with the outcome of some work: at once if the work has nothing to wait for.
pub fn now<R: Into<web_sys::Response> + 'static>(
    trace: Trace,
    work: impl Future<Output = Result<R, Failure>> + 'static,
) -> Result<JsValue, JsValue> {
    let mut work = Box::pin(work);
    match work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => respond::settle(&trace, outcome),
        // The new task polls the work once more by itself. From then on the work wakes the task.
        Poll::Pending => Ok(of(trace, work).into()),
    }
}

/// Does some work for which the answer does not wait.
pub fn later(trace: &Trace, context: &JsValue, work: impl Future<Output = ()> + 'static) {
    let work = future_to_promise(AssertUnwindSafe(async move {
        work.await;
        Ok(JsValue::UNDEFINED)
    }));
    if let Err(refused) = context.unchecked_ref::<ExecutionContext>().wait_until(&work) {
        log::warn(trace, &format!("work after the answer was refused: {refused:?}"));
    }
}

/// The callback that handles the failure of a promise.
pub type Broken = Closure<dyn FnMut(JsValue) -> Result<JsValue, JsValue>>;

/// Returns a promise of what `kept` makes of another promise's value, or `broken` of its failure.
pub fn then(
    promise: &Promise,
    kept: impl FnOnce(JsValue) -> Result<JsValue, JsValue> + 'static,
    broken: &Broken,
) -> Promise {
    let kept = Closure::once_into_js(kept);
    promise.unchecked_ref::<Pending>().then(&kept, broken.as_ref())
}
