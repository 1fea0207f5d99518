//! The config of a site, as an isolate keeps it for a moment.

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

/// A config ready to be sent.
pub struct Bytes {
    /// Its entity tag.
    pub etag: String,
    /// The config in JSON.
    pub json: Vec<u8>,
    /// Whether it is for everybody, or not for browsers that ask not to be followed.
    pub is_for_all: bool,
    /// The origins that the site lists.
    origins: Vec<String>,
}

impl Bytes {
    /// A config in JSON.
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

/// The config of a site, as it was a moment ago.
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
