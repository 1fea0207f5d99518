//! The Worker. It checks the seals of ids and routes; displays it forwards unread to the object
//! [`survey`] that stores them, team calls it takes to the object [`site`] that knows the keys.

mod asset;
mod directory;
mod failure;
mod identity;
mod json;
mod memory;
mod operator;
mod page;
mod place;
mod respond;
mod route;
mod rpc;
mod seal;
mod shards;
mod site;
mod sql;
mod standing;
mod summary;
mod survey;
mod team;
mod zone;

use worker::{Context, Env, Request, Response, event};

use crate::failure::Failure;
use crate::route::{Route, Verb, route};

#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> worker::Result<Response> {
    match route(request.method().as_ref(), &request.path()) {
        Ok(route) => {
            let name = route.name();
            respond::finish(name, serve(route, request, &env).await)
        }
        Err(problem) => respond::finish("none", Err(problem.into())),
    }
}

async fn serve(route: Route, request: Request, env: &Env) -> Result<Response, Failure> {
    match route {
        Route::Health => respond::json(200, &serde_json::json!({ "status": "ok" })),
        Route::Preflight => respond::preflight(),
        Route::Asset { file } => asset::serve(&request, env, &file).await,
        Route::Demo => asset::demo(env).await,
        Route::Config { site } => page::config(&request, env, &site).await,
        Route::Body { site, survey, .. } => page::forward(request, env, &site, &survey, 0).await,
        Route::Collect { site, survey, shard } => {
            page::forward(request, env, &site, &survey, shard).await
        }
        Route::Sites { verb: Verb::Create } => operator::create_site(request, env).await,
        Route::Sites { .. } => operator::sites(request, env).await,
        Route::Site { site, verb } => team::site(request, env, &site, verb).await,
        Route::IdentitySecret { site, id } => team::identity_secret(request, env, &site, id).await,
        Route::EraseRespondent { site } => team::erase_respondent(request, env, &site).await,
        Route::SiteSummary { site } => team::site_summary(request, env, &site).await,
        Route::Surveys { site, verb } => team::surveys(request, env, &site, verb).await,
        Route::Survey { site, survey, verb } => {
            team::survey(request, env, &site, &survey, verb).await
        }
        Route::Summary { site, survey } => team::summary(request, env, &site, &survey).await,
        Route::Usage { site, survey } => team::usage(request, env, &site, &survey).await,
        Route::Exclude { site, survey, display, excluded } => {
            team::exclude(request, env, (&site, &survey), &display, excluded).await
        }
    }
}
