//! The routes that pages call: the config on each page view, the body when a survey shows, and collect.

use std::rc::Rc;

use asklet_protocol::failure::Failure;
use asklet_shared::config::Config;
use asklet_shared::settings;
use wasm_bindgen::JsValue;
use worker::js_sys::Promise;
use worker::worker_sys::DurableObject;
use worker::{Request, Response, web_sys};

use crate::http::respond::{self, Cache};
use crate::platform::trace::Context;
use crate::platform::{deployment, stubs};
use crate::service::config::{Bytes, known};
use crate::service::installs;

/// How long a browser uses a config before it asks again, in seconds.
const CONFIG_SECONDS: u32 = 60;

/// `GET /v1/config/{site}`
pub async fn config(
    request: &Request,
    env: &Context,
    execution: &JsValue,
    site: &str,
) -> Result<Response, Failure> {
    let site = deployment::seal(env)?.known_site(site)?;
    let mut bytes = known(env, &site).await?;
    let headers = request.headers();
    installs::seen(headers, env, execution, (&site, bytes.origins()));
    let signals = [headers.get("sec-gpc")?, headers.get("dnt")?];
    // A page of the edge's own origin sends no `Origin` when it fetches.
    let origin = headers.get("origin")?;
    let other = if origin.is_some_and(|origin| !settings::lists(bytes.origins(), &origin)) {
        Some(Config::of_other_origin())
    } else if !bytes.is_for_all && signals.iter().flatten().any(|signal| signal == "1") {
        Some(Config::nothing())
    } else {
        None
    };
    if let Some(config) = other {
        bytes = Rc::new(Bytes::of(serde_json::to_string(&config)?, true, Vec::new()));
    }
    let answer = respond::public(Cache::Seconds(CONFIG_SECONDS))?
        .with_header("content-type", "application/json")?
        .with_header("vary", "origin, sec-gpc, dnt")?
        .with_header("etag", &bytes.etag)?;
    if respond::is_fresh(headers, &bytes.etag)? {
        return Ok(answer.with_status(304).empty());
    }
    Ok(answer.fixed(bytes.json.clone()))
}

/// `GET /v1/body/…` and `POST /v1/collect/…`: checks the seals, forwards the request to the object unchanged,
/// and passes its answer back unchanged.
pub fn forward(
    request: &web_sys::Request,
    env: &Context,
    (site, survey): (&str, &str),
    (shard, shard_seal): (u16, &str),
) -> Result<Promise, Failure> {
    let seal = deployment::seal(env)?;
    let site = seal.known_site(site)?;
    let survey = seal.known_survey(&site, survey)?;
    seal.check_shard(&site, &survey, (shard, shard_seal))?;
    let object: DurableObject = stubs::survey(env, &site, &survey, shard)?.into_stub().into_rpc();
    Ok(object.fetch_with_request(request).map_err(worker::Error::from)?)
}
