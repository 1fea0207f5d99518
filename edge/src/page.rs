//! What pages call: the config on each page view, the body when a survey shows, and collect.

use std::rc::Rc;

use asklet_shared::config::Config;
use asklet_shared::settings;
use wasm_bindgen::JsValue;
use worker::js_sys::Promise;
use worker::worker_sys::DurableObject;
use worker::{Env, Request, Response, web_sys};

use crate::asset;
use crate::failure::Failure;
use crate::installs;
use crate::memory::Memory;
use crate::place;
use crate::respond::{self, Cache};
use crate::rpc::{self, Live, SiteCall};
use crate::seal::{self, Seal, SiteId};

/// How long an isolate serves a config before it asks the site again.
const CONFIG_MS: u64 = 15_000;

/// How long a browser uses a config before it asks again, in seconds.
const CONFIG_SECONDS: u32 = 60;

thread_local! {
    static CONFIGS: Memory<Bytes> = Memory::new(CONFIG_MS);
}

/// A config ready to be sent.
pub struct Bytes {
    etag: String,
    json: Vec<u8>,
    /// Whether it is for everybody, or not for browsers that ask not to be followed.
    is_for_all: bool,
    /// The origins that the site lists.
    origins: Vec<String>,
}

/// `GET /v1/config/{site}`
pub async fn config(
    request: &Request,
    env: &Env,
    context: &JsValue,
    site: &str,
) -> Result<Response, Failure> {
    let site = Seal::of(env)?.known_site(site)?;
    let mut bytes = known(env, &site).await?;
    let headers = request.headers();
    installs::seen(headers, env, context, (&site, bytes.origins()));
    let signals = [headers.get("sec-gpc")?, headers.get("dnt")?];
    // A page of the edge's own origin says none when it fetches.
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

impl Bytes {
    fn of(config: String, is_for_all: bool, origins: Vec<String>) -> Self {
        let json = config.into_bytes();
        let etag = format!("\"{}\"", seal::short_digest(&json));
        Self { etag, json, is_for_all, origins }
    }

    /// The origins that the site lists.
    pub fn origins(&self) -> &[String] {
        &self.origins
    }
}

/// The config of a site, as it was a moment ago.
pub async fn known(env: &Env, site: &SiteId) -> Result<Rc<Bytes>, Failure> {
    match CONFIGS.with(|memory| memory.get(site.as_str())) {
        Some(bytes) => Ok(bytes),
        None => fresh_config(env, site).await,
    }
}

async fn fresh_config(env: &Env, site: &SiteId) -> Result<Rc<Bytes>, Failure> {
    let files = Some(asset::manifest(env).await?.files.clone());
    let call = SiteCall::Live { site: site.clone(), files };
    let Live { config, ask_despite_signal, origins, .. } =
        rpc::call(&place::site(env, site)?, &call).await?;
    let bytes = Bytes::of(config, ask_despite_signal, origins);
    Ok(CONFIGS.with(|memory| memory.put(site.as_str(), bytes)))
}

/// `GET /v1/body/…` and `POST /v1/collect/…`: once the seals hold, the request goes to the object
/// as it came, and its answer back as it comes.
pub fn forward(
    request: &web_sys::Request,
    env: &Env,
    site: &str,
    survey: &str,
    (shard, shard_seal): (u16, &str),
) -> Result<Promise, Failure> {
    let seal = Seal::of(env)?;
    let site = seal.known_site(site)?;
    let survey = seal.known_survey(&site, survey)?;
    seal.check_shard(&site, &survey, (shard, shard_seal))?;
    let object: DurableObject = place::survey(env, &site, &survey, shard)?.into_stub().into_rpc();
    Ok(object.fetch_with_request(request).map_err(worker::Error::from)?)
}
