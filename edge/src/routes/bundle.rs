//! Moving house: everything of a site in pages, out of one deployment and into another.
//!
//! A page is a table's rows between two keys, of the site's object or of a shard's. Pages can be taken
//! again, and whoever broke off goes on where it was. What the pages of a shard say together holds only if
//! it did not change meanwhile, since its counters and its log are one: where it has, its pages begin
//! again. Which surveys there are the site's own pages say, which come first: where it has been changed
//! since, the whole begins again, and whoever reads is told to. A shard that has taken some of its pages,
//! and not the last one, counts nothing and takes nothing.
//!
//! Survey ids are sealed for their site, so a survey gets another one where it comes to, which the site
//! there remembers.

use asklet_protocol::calls::site::SiteCall;
use asklet_protocol::failure::Failure;
use asklet_shared::problem::{Code, Problem};
use worker::{Request, Response};

use crate::http::respond::{self, Cache};
use crate::http::{body, problems, url};
use crate::platform::trace::Context;
use crate::platform::{deployment, rpc, stubs};

/// The largest page that is taken: a page, and the largest rows that one step may add.
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
