//! Whether the tag runs, and where. Each page view fetches the config, and the request says from which origin.
//! If something blocks the tag, the page reports it. Neither makes a visitor wait, and an isolate reports each
//! fact to the site once a day.

use asklet_protocol::calls::team::TeamCall;
use asklet_protocol::failure::Failure;
use asklet_protocol::installs::Directive;
use asklet_protocol::json;
use asklet_shared::problem::{Code, Problem};
use serde::Deserialize;
use wasm_bindgen::JsValue;
use worker::{Request, Response};

use crate::http::body;
use crate::http::checks::check_media_type;
use crate::http::respond::{self, Cache};
use crate::platform::deployment;
use crate::platform::trace::Context;
use crate::service::caller::Team;
use crate::service::config;
use crate::service::installs::{is_listed, notify};

/// The largest report, in bytes.
const REPORT_LIMIT: usize = 1_024;

/// The body of `POST /v1/installs/{site}`. It may come from a page with another release.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Report {
    directive: String,
}

/// `POST /v1/installs/{site}`: a page reports which directive blocked the tag.
pub async fn report(
    mut request: Request,
    env: &Context,
    execution: &JsValue,
    site: &str,
) -> Result<Response, Failure> {
    let site = deployment::seal(env)?.known_site(site)?;
    let media_type = request.headers().get("content-type")?.unwrap_or_default();
    check_media_type(&media_type)?;
    let known = config::known(env, &site).await?;
    let origin = request.headers().get("origin")?;
    let Some(origin) = origin.filter(|origin| is_listed(known.origins(), origin)) else {
        let detail = "the site does not list the origin of the page";
        return Err(Problem::new(Code::OriginNotAllowed, detail).into());
    };
    let body = body::read_text(&mut request, REPORT_LIMIT).await?;
    let Report { directive } = json::read_sent(body.as_bytes())?;
    let Some(directive) = Directive::named(&directive) else {
        let detail = "this directive cannot block the tag";
        return Err(Problem::new(Code::UnknownDirective, detail).at("directive").into());
    };
    notify(env, execution, &site, (origin, true), Some(directive));
    Ok(respond::public(Cache::Never)?.with_status(204).empty())
}

/// `GET …/installs`
pub async fn list(team: &Team) -> Result<Response, Failure> {
    respond::written(200, team.ask(TeamCall::Installs).await?)
}
