//! What the operator calls, with the admin token.

use asklet_shared::problem::{Code, Problem};
use asklet_shared::scope::Scope;
use asklet_shared::settings::Settings;
use asklet_shared::validate::DEFINITION_LIMIT;
use serde::Serialize;
use worker::{Date, Env, Headers, Request, Response};

use crate::caller;
use crate::failure::Failure;
use crate::place;
use crate::respond;
use crate::rpc::{self, DirectoryCall, NewKey, SiteCall, SiteEntry};
use crate::seal::{self, ApiKey, Seal, SiteId};
use crate::team;

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
pub async fn create_site(mut request: Request, env: &Env) -> Result<Response, Failure> {
    check_admin(request.headers(), env)?;
    let settings: Settings = respond::read_json(&mut request, DEFINITION_LIMIT).await?;
    team::check_settings(&settings)?;
    let site = Seal::of(env)?.new_site()?;
    let (text, digest) = ApiKey::make(&site)?;
    let (name, scope) = ("first".to_owned(), Scope::Admin);
    let created_ms = Date::now().as_millis();
    let key = NewKey { id: seal::random_name()?, digest, name, scope, created_ms };
    let entry = SiteEntry { site: site.clone(), name: settings.name.clone(), created_ms };
    // The list first: a site that is listed and was never made can be deleted, and one that was made
    // and is not listed would be lost.
    rpc::call::<()>(&place::directory(env)?, &DirectoryCall::Add(entry)).await?;
    let call = SiteCall::Create { settings: Box::new(settings), key };
    rpc::call::<()>(&place::site(env, &site)?, &call).await?;
    respond::json(201, &SiteCreated { site, key: text })
}

/// `GET /v1/sites?after=`: lists the sites by their ids.
pub async fn sites(request: Request, env: &Env) -> Result<Response, Failure> {
    check_admin(request.headers(), env)?;
    let mut after = String::new();
    for (name, value) in respond::query(&request)? {
        if name != "after" {
            return Err(respond::unknown_parameter(&name).into());
        }
        after = value;
    }
    let call = DirectoryCall::List { after, limit: PAGE };
    let sites: Vec<SiteEntry> = rpc::call(&place::directory(env)?, &call).await?;
    let is_full = u32::try_from(sites.len()).is_ok_and(|found| found == PAGE);
    let next = sites.last().filter(|_| is_full).map(|last| last.site.clone());
    respond::json(200, &Sites { sites, next })
}

/// Removes a site with everything in it, and then from the list.
pub async fn delete_site(env: &Env, site: SiteId) -> Result<(), Failure> {
    let call = SiteCall::Delete { site: site.clone() };
    match rpc::call::<()>(&place::site(env, &site)?, &call).await {
        Ok(()) => {}
        // It is gone already, or was never made; then only the list knows it.
        Err(Failure::Problem(problem)) if problem.code == Code::UnknownSite => {}
        Err(failure) => return Err(failure),
    }
    rpc::call::<()>(&place::directory(env)?, &DirectoryCall::Remove(site)).await
}

/// Whether a request shows the admin token.
pub fn is_admin(headers: &Headers, env: &Env) -> Result<bool, Failure> {
    match check_admin(headers, env) {
        Ok(()) => Ok(true),
        Err(Failure::Problem(_)) => Ok(false),
        Err(broken) => Err(broken),
    }
}

/// Refuses whoever does not show the admin token.
pub fn check_admin(headers: &Headers, env: &Env) -> Result<(), Failure> {
    // Two hold while one follows the other.
    let mut tokens = Vec::new();
    for variable in ["ASKLET_ADMIN_TOKEN", "ASKLET_ADMIN_TOKEN_NEXT"] {
        if let Some(token) = place::variable(env, variable) {
            seal::check_secret(variable, &token)?;
            tokens.push(token);
        }
    }
    if tokens.is_empty() {
        let detail = "set ASKLET_ADMIN_TOKEN to create sites";
        return Err(Problem::new(Code::NoAdminToken, detail).into());
    }
    // Digests are compared, so that neither the content nor the length of a token takes time.
    let shown = seal::digest(caller::bearer(headers)?.as_bytes());
    let is_known = tokens.iter().map(|token| seal::same(&shown, &seal::digest(token.as_bytes())));
    if is_known.fold(false, |any, one| any | one) {
        return Ok(());
    }
    Err(Problem::new(Code::Unauthenticated, "the admin token is not the deployment's").into())
}
