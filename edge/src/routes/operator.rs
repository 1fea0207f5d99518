//! What the operator calls, with the admin token.

use asklet_protocol::calls::directory::{DirectoryCall, SiteEntry};
use asklet_protocol::calls::site::SiteCall;
use asklet_protocol::failure::Failure;
use asklet_protocol::ids::SiteId;
use asklet_protocol::keys::{ApiKey, NewKey};
use asklet_protocol::seal;
use asklet_shared::scope::Scope;
use asklet_shared::settings::Settings;
use asklet_shared::validate::DEFINITION_LIMIT;
use serde::Serialize;
use worker::{Date, Request, Response};

use crate::http::{body, problems, respond, url};
use crate::platform::trace::Context;
use crate::platform::{deployment, rpc, stubs};
use crate::service::settings::check_settings;

/// How many sites a page of the list holds.
const PAGE: u32 = 100;

/// What making a site answers. The key is shown here and never again.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SiteCreated {
    /// Its id.
    pub site: SiteId,
    /// Its first key.
    pub key: String,
}

/// A page of the list of sites.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Sites {
    /// By their ids.
    pub sites: Vec<SiteEntry>,
    /// What to ask for as `after` to get the next page; `null` on the last.
    pub next: Option<SiteId>,
}

/// `POST /v1/sites`: makes a site.
pub async fn create_site(mut request: Request, env: &Context) -> Result<Response, Failure> {
    let settings: Settings = body::read_json(&mut request, DEFINITION_LIMIT).await?;
    check_settings(&settings)?;
    let site = deployment::seal(env)?.new_site()?;
    let (text, digest) = ApiKey::make(&site)?;
    let (name, scope) = ("first".to_owned(), Scope::Admin);
    let created_ms = Date::now().as_millis();
    let key = NewKey { id: seal::random_name()?, digest, name, scope, created_ms };
    let entry = SiteEntry { site: site.clone(), name: settings.name.clone(), created_ms };
    // The list first: a site that is listed and was never made can be deleted, and one that was made
    // and is not listed would be lost.
    rpc::call::<()>(&stubs::directory(env)?, &DirectoryCall::Add(entry)).await?;
    let call = SiteCall::Create { settings: Box::new(settings), key };
    rpc::call::<()>(&stubs::site(env, &site)?, &call).await?;
    respond::json(201, &SiteCreated { site, key: text })
}

/// `GET /v1/sites?after=`: lists the sites by their ids.
pub async fn sites(request: Request, env: &Context) -> Result<Response, Failure> {
    let mut after = String::new();
    for (name, value) in url::query(&request)? {
        if name != "after" {
            return Err(problems::unknown_parameter(&name).into());
        }
        after = value;
    }
    let call = DirectoryCall::List { after, limit: PAGE };
    let sites: Vec<SiteEntry> = rpc::call(&stubs::directory(env)?, &call).await?;
    let is_full = u32::try_from(sites.len()).is_ok_and(|found| found == PAGE);
    let next = sites.last().filter(|_| is_full).map(|last| last.site.clone());
    respond::json(200, &Sites { sites, next })
}
