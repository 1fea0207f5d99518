//! The routes of the Worker: which code answers a route, and which requests are refused first.

pub mod bundle;
pub mod corrections;
pub mod displays;
mod export;
mod hosted;
pub mod installs;
pub mod keys;
pub mod operator;
mod page;
pub mod preview;
pub mod responses;
pub mod site;
pub mod survey;
mod team;

use asklet_protocol::failure::Failure;
use asklet_protocol::routes::{
    Endpoint, ForwardedRoute, Found, OperatorRoute, PublicRoute, Route, TeamRequest,
};
use asklet_shared::problem::{Code, Problem};
use wasm_bindgen::JsValue;
use worker::js_sys::Promise;
use worker::{Headers, Method, Request, Response, web_sys};

use crate::http::{asset, auth, promise, respond, sign_in, url};
use crate::platform::trace::Context;
use crate::platform::zone;
use crate::service::caller::Team;

/// Answers a request.
pub fn serve(
    found: Found,
    request: web_sys::Request,
    env: Context,
    execution: JsValue,
) -> Result<Promise, Failure> {
    let Found { endpoint, route } = found;
    let trace = env.trace.clone();
    match route {
        Route::Forwarded(ForwardedRoute::Collect { site, survey, shard, seal }) => {
            page::forward(&request, &env, (&site, &survey), (shard, &seal))
        }
        Route::Forwarded(ForwardedRoute::Body { site, survey, .. }) => {
            page::forward(&request, &env, (&site, &survey), (0, ""))
        }
        Route::Forwarded(ForwardedRoute::Hosted { site, survey }) => {
            hosted::serve(request, env, site, survey)
        }
        Route::Public(route) => Ok(promise::of(trace, async move {
            of_anybody(route, request.into(), &env, &execution).await
        })),
        Route::Operator(route) => Ok(promise::of(trace, async move {
            of_operator(endpoint, route, request.into(), &env).await
        })),
        Route::Team(team_request) => {
            let work = async move { of_team(endpoint, team_request, request.into(), &env).await };
            Ok(promise::of(trace, work))
        }
    }
}

async fn of_anybody(
    route: PublicRoute,
    request: Request,
    env: &Context,
    execution: &JsValue,
) -> Result<Response, Failure> {
    match route {
        PublicRoute::Health => {
            respond::json(200, &serde_json::json!({ "status": "ok", "tz": zone::release() }))
        }
        PublicRoute::Preflight => respond::preflight(),
        PublicRoute::Asset { file } => asset::serve(&request, env, &file).await,
        PublicRoute::Demo => asset::demo(env).await,
        PublicRoute::Config { site } => page::config(&request, env, execution, &site).await,
        PublicRoute::ReportInstall { site } => {
            installs::report(request, env, execution, &site).await
        }
        PublicRoute::Preview { site, survey, token, language } => {
            preview::serve(env, (&site, &survey), &token, language.as_deref()).await
        }
    }
}

async fn of_operator(
    endpoint: &Endpoint,
    route: OperatorRoute,
    request: Request,
    env: &Context,
) -> Result<Response, Failure> {
    let headers = request.headers().clone();
    if let Err(failure) = auth::check_admin(&headers, env) {
        return Err(refused(failure, &headers, env, None));
    }
    check_parameters(endpoint, &request)?;
    match route {
        OperatorRoute::ListSites => operator::sites(request, env).await,
        OperatorRoute::Metrics => respond::metrics(),
        OperatorRoute::CreateSite => operator::create_site(request, env).await,
        OperatorRoute::GiveBundle { site } => bundle::give(request, env, &site).await,
        OperatorRoute::TakeBundle { site } => bundle::take(request, env, &site).await,
    }
}

/// Answers a request of a team. A caller without permission is refused before a body is read, and learns only
/// that, whatever other faults the request has. Otherwise a refusal could reveal what exists.
async fn of_team(
    endpoint: &Endpoint,
    team_request: TeamRequest,
    request: Request,
    env: &Context,
) -> Result<Response, Failure> {
    let headers = request.headers().clone();
    let site = team_request.site.clone();
    let outcome = async {
        let team = Team::of(&headers, env, &team_request)?;
        let has_body = matches!(request.method(), Method::Post | Method::Put | Method::Patch);
        if has_body {
            team.check().await?;
        }
        let outcome = async {
            check_parameters(endpoint, &request)?;
            team::answer(&team, request, team_request.route).await
        };
        let outcome = outcome.await;
        if let Err(Failure::Problem(problem)) = &outcome
            && !has_body
            && !matches!(problem.code.status(), 401 | 403)
        {
            team.check().await?;
        }
        outcome
    };
    match outcome.await {
        Err(failure) => Err(refused(failure, &headers, env, Some(&site))),
        answered => answered,
    }
}

fn check_parameters(endpoint: &Endpoint, request: &Request) -> Result<(), Failure> {
    if endpoint.takes_parameters { Ok(()) } else { url::no_parameters(request) }
}

/// Returns the failure that answers in place of another: a credential that is not valid is counted as a failed
/// sign-in.
fn refused(failure: Failure, headers: &Headers, env: &Context, site: Option<&str>) -> Failure {
    match failure {
        Failure::Problem(problem) if problem.code == Code::Unauthenticated => {
            let answered: Result<Problem, Failure> = sign_in::failed(problem, headers, env, site);
            answered.map_or_else(|failure| failure, Failure::Problem)
        }
        other => other,
    }
}
