//! Migration: all data of a site, read as pages from one deployment and stored in another.
//!
//! A page is a table's rows between two keys, of the site's object or of a shard's. Pages can be stored again,
//! so an interrupted migration continues where it stopped. The pages of a shard are consistent only if the
//! shard did not change while they were read, since its counters and its log belong together. If it changed,
//! its pages begin again. The site's own pages come first and say which surveys exist. If the site was changed
//! since, the whole bundle begins again, and the answer tells the reader so. A shard that has stored some of
//! its pages, but not the last, counts nothing and takes nothing.
//!
//! Survey ids are sealed for their site. So a survey gets a new id in the deployment to which it moves, and the
//! site there remembers that id.

use asklet_protocol::calls::site::SiteCall;
use asklet_protocol::failure::Failure;
use asklet_shared::problem::{Code, Problem};
use worker::{Request, Response};

use crate::http::respond::{self, Cache};
use crate::http::{body, problems, url};
use crate::platform::trace::Context;
use crate::platform::{deployment, rpc, stubs};

/// The largest page that is accepted, in bytes: a page, and the largest rows that one step may add to it.
const PAGE_LIMIT: usize = 16 << 20;

/// `GET /v1/sites/{site}/bundle`
pub async fn give(request: Request, env: &Context, site: &str) -> Result<Response, Failure> {
    let site = deployment::seal(env)?.known_site(site)?;
    let (mut cursor, mut keys) = (None, false);
    for (name, value) in url::query(&request)? {
        match (name.as_str(), value.as_str()) {
            ("cursor", _) => cursor = Some(value),
            ("keys", "true" | "false") => keys = value == "true",
            ("keys", _) => {
                let problem = Problem::new(Code::InvalidQuery, "it is true or false").at(name);
                return Err(problem.limit("true or false").into());
            }
            _ => return Err(problems::unknown_parameter(&name).into()),
        }
    }
    let stub = stubs::site(env, &site)?;
    let call = serde_json::to_string(&SiteCall::GiveBundle { site, cursor, keys })?;
    let page = rpc::ask(&stub, call).await?;
    let answer = respond::private(Cache::Never)?;
    Ok(answer.with_header("content-type", "application/x-ndjson")?.fixed(page.into_bytes()))
}

/// `POST /v1/sites/{site}/bundle`
pub async fn take(mut request: Request, env: &Context, site: &str) -> Result<Response, Failure> {
    let site = deployment::seal(env)?.known_site(site)?;
    let page = body::read_text(&mut request, PAGE_LIMIT).await?;
    let stub = stubs::site(env, &site)?;
    let call = serde_json::to_string(&SiteCall::TakeBundle { site, page })?;
    respond::written(200, rpc::ask(&stub, call).await?)
}
