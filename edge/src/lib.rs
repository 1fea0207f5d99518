//! The Worker. It checks the seals of ids and finds the route. It forwards displays unread to the object
//! `Survey`, which stores them. It takes calls of the team to the object `Site`, which knows the keys.

mod hosted;
mod http;
mod objects;
#[cfg(test)]
mod openapi;
mod platform;
mod routes;
mod service;

use asklet_protocol::failure::Failure;
use asklet_protocol::routes::find;
use wasm_bindgen::prelude::*;
use worker::{Env, Response, web_sys};

use crate::http::{respond, url};
use crate::platform::log;
use crate::platform::trace::{Context, Trace};

/// Answers a request. The platform calls this function with each one.
#[wasm_bindgen]
pub fn fetch(request: web_sys::Request, env: Env, context: JsValue) -> Result<JsValue, JsValue> {
    log::configure(&env);
    let found = find(&request.method(), url::path(&request.url()));
    let trace = Trace::new(found.as_ref().map_or("none", |found| found.endpoint.id));
    let served = found
        .map_err(Failure::from)
        .and_then(|found| routes::serve(found, request, Context::new(env, trace.clone()), context));
    match served {
        Ok(promise) => Ok(promise.into()),
        Err(failure) => respond::settle::<Response>(&trace, Err(failure)),
    }
}
