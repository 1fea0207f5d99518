//! The Worker. It checks the seals of ids and routes; displays it forwards unread to the object
//! `Survey` that stores them, team calls it takes to the object `Site` that knows the keys.

mod hosted;
mod http;
mod objects;
#[cfg(test)]
mod openapi;
mod platform;
mod routes;
mod service;

use asklet_protocol::routes::find;
use wasm_bindgen::prelude::*;
use worker::{Env, Response, web_sys};

use crate::http::{respond, url};

/// What the platform calls with each request.
#[wasm_bindgen]
pub fn fetch(request: web_sys::Request, env: Env, context: JsValue) -> Result<JsValue, JsValue> {
    match find(&request.method(), url::path(&request.url())) {
        Ok(found) => {
            let id = found.endpoint.id;
            match routes::serve(found, request, env, context) {
                Ok(promise) => Ok(promise.into()),
                Err(failure) => respond::settle::<Response>(id, Err(failure)),
            }
        }
        Err(problem) => respond::settle::<Response>("none", Err(problem.into())),
    }
}
