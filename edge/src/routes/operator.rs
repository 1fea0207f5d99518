//! The operator's routes, which need the admin token.

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

/// Number of sites on a page of the list.
const PAGE: u32 = 100;

/// The answer to the creation of a site. The key is shown only in this answer.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SiteCreated {
    /// The id of the site.
    pub site: SiteId,
    /// The first key of the site.
    pub key: String,
}

/// A page of the list of sites.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Sites {
    /// The sites, in the order of their ids.
    pub sites: Vec<SiteEntry>,
    /// The value of `after` for the next page; `null` on the last page.
    pub next: Option<SiteId>,
}

/// `POST /v1/sites`: creates a site.
pub async fn create_site(mut request: Request, env: &Context) -> Result<Response, Failure> {
    let settings: Settings = body::read_json(&mut request, DEFINITION_LIMIT).await?;
    check_settings(&settings)?;
    let site = deployment::seal(env)?.new_site()?;
    let (text, digest) = ApiKey::make(&site)?;
    let (name, scope) = ("first".to_owned(), Scope::Admin);
    let created_ms = Date::now().as_millis();
    let key = NewKey { id: seal::random_name()?, digest, name, scope, created_ms };
    let entry = SiteEntry { site: site.clone(), name: settings.name.clone(), created_ms };
    // The list comes first. A site that is listed but was never created can be deleted. A site that was created
    // but is not listed would be lost.
    rpc::call::<()>(&stubs::directory(env)?, &DirectoryCall::Add(entry)).await?;
    let call = SiteCall::Create { settings: Box::new(settings), key };
    rpc::call::<()>(&stubs::site(env, &site)?, &call).await?;
    respond::json(201, &SiteCreated { site, key: text })
}

/// `GET /v1/sites?after=`: lists the sites in the order of their ids.
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
