//! The config of a site, which an isolate keeps for a few seconds.

use std::rc::Rc;

use asklet_protocol::calls::site::{Live, SiteCall};
use asklet_protocol::failure::Failure;
use asklet_protocol::ids::SiteId;
use asklet_protocol::seal;

use crate::http::asset;
use crate::platform::memory::Memory;
use crate::platform::trace::Context;
use crate::platform::{rpc, stubs};

/// How long an isolate serves a config before it asks the site again.
const CONFIG_MS: u64 = 15_000;

thread_local! {
    static CONFIGS: Memory<Bytes> = Memory::new(CONFIG_MS);
}

/// A config, ready to be sent.
pub struct Bytes {
    /// The entity tag of the config.
    pub etag: String,
    /// The config in JSON.
    pub json: Vec<u8>,
    /// Whether browsers that ask not to be tracked get the config too.
    pub is_for_all: bool,
    /// The origins that the site lists.
    origins: Vec<String>,
}

impl Bytes {
    /// Prepares a config, given in JSON.
    pub fn of(config: String, is_for_all: bool, origins: Vec<String>) -> Self {
        let json = config.into_bytes();
        let etag = format!("\"{}\"", seal::short_digest(&json));
        Self { etag, json, is_for_all, origins }
    }

    /// The origins that the site lists.
    pub fn origins(&self) -> &[String] {
        &self.origins
    }
}

/// Returns the config of a site, which may be a few seconds old.
pub async fn known(env: &Context, site: &SiteId) -> Result<Rc<Bytes>, Failure> {
    match CONFIGS.with(|memory| memory.get(site.as_str())) {
        Some(bytes) => Ok(bytes),
        None => fresh_config(env, site).await,
    }
}

async fn fresh_config(env: &Context, site: &SiteId) -> Result<Rc<Bytes>, Failure> {
    let files = Some(asset::manifest(env).await?.files.clone());
    let call = SiteCall::Live { site: site.clone(), files };
    let Live { config, ask_despite_signal, origins, .. } =
        rpc::call(&stubs::site(env, site)?, &call).await?;
    let bytes = Bytes::of(config, ask_despite_signal, origins);
    Ok(CONFIGS.with(|memory| memory.put(site.as_str(), bytes)))
}
