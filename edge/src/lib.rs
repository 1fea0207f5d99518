//! The Worker. It checks the seals of ids and routes; displays it forwards unread to the object
//! [`survey`] that stores them, team calls it takes to the object [`site`] that knows the keys.

mod address;
mod alarm;
mod asset;
mod bundle;
mod caller;
mod cipher;
mod corrections;
mod directory;
mod export;
mod failure;
#[cfg(feature = "faults")]
mod faults;
mod gzip;
mod hosted;
mod identity;
mod installs;
mod json;
mod keys;
mod memory;
mod names;
#[cfg(test)]
mod openapi;
mod operator;
mod page;
mod place;
mod plain;
mod preview;
mod promise;
mod respond;
mod responses;
mod route;
mod rpc;
mod seal;
mod shards;
mod sign_in;
mod site;
mod sql;
mod standing;
mod summary;
mod survey;
mod team;
mod vault;
mod zone;

use asklet_shared::problem::Code;
use wasm_bindgen::prelude::*;
use worker::js_sys::Promise;
use worker::{Env, Method, Request, Response, web_sys};

use crate::failure::Failure;
use crate::route::{Route, Verb, route};

/// What the platform calls with each request.
#[wasm_bindgen]
pub fn fetch(request: web_sys::Request, env: Env, context: JsValue) -> Result<JsValue, JsValue> {
    match route(&request.method(), respond::path(&request.url())) {
        Ok(route) => {
            let name = route.name();
            match serve(route, request, env, context) {
                Ok(promise) => Ok(promise.into()),
                Err(failure) => respond::settle::<Response>(name, Err(failure)),
            }
        }
        Err(problem) => respond::settle::<Response>("none", Err(problem.into())),
    }
}

fn serve(
    route: Route,
    request: web_sys::Request,
    env: Env,
    context: JsValue,
) -> Result<Promise, Failure> {
    match route {
        Route::Body { site, survey, .. } => page::forward(&request, &env, &site, &survey, (0, "")),
        Route::Collect { site, survey, shard, seal } => {
            page::forward(&request, &env, &site, &survey, (shard, &seal))
        }
        Route::Hosted { site, survey } => hosted::serve(request, env, site, survey),
        route => Ok(promise::of(route.name(), answer(route, request.into(), env, context))),
    }
}

/// What a route answers. Whoever may not call it is refused before a body is read, and hears only that,
/// whatever else is wrong with the request: a refusal could otherwise tell what there is.
async fn answer(
    route: Route,
    request: Request,
    env: Env,
    context: JsValue,
) -> Result<Response, Failure> {
    let headers = request.headers().clone();
    let sends = matches!(request.method(), Method::Post | Method::Put | Method::Patch);
    let outcome = async {
        if sends {
            caller::check(&headers, &env, &route).await?;
        }
        let outcome = handle(&route, request, &env, context).await;
        if let Err(Failure::Problem(problem)) = &outcome
            && !sends
            && !matches!(problem.code.status(), 401 | 403)
        {
            caller::check(&headers, &env, &route).await?;
        }
        outcome
    };
    match outcome.await {
        Err(Failure::Problem(problem)) if problem.code == Code::Unauthenticated => {
            Err(sign_in::failed(problem, &headers, &env, &route)?.into())
        }
        outcome => outcome,
    }
}

async fn handle(
    route: &Route,
    request: Request,
    env: &Env,
    context: JsValue,
) -> Result<Response, Failure> {
    if !route.takes_parameters() {
        respond::no_parameters(&request)?;
    }
    match route {
        Route::Health => {
            respond::json(200, &serde_json::json!({ "status": "ok", "tz": zone::release() }))
        }
        Route::Preflight => respond::preflight(),
        Route::Asset { file } => asset::serve(&request, env, file).await,
        Route::Demo => asset::demo(env).await,
        Route::Config { site } => page::config(&request, env, &context, site).await,
        Route::ReportInstall { site } => installs::report(request, env, &context, site).await,
        Route::Preview { site, survey, token, language } => {
            preview::serve(env, (site, survey), token, language.as_deref()).await
        }
        Route::Sites { verb: Verb::Create } => operator::create_site(request, env).await,
        Route::Sites { .. } => operator::sites(request, env).await,
        Route::Bundle { site, verb: Verb::Create } => bundle::take(request, env, site).await,
        Route::Bundle { site, .. } => bundle::give(request, env, site).await,
        Route::Site { verb, .. } => team::site(request, env, route, *verb).await,
        Route::Keys { verb: Verb::Create, .. } => keys::make(request, env, route).await,
        Route::Keys { .. } => keys::list(request, env, route).await,
        Route::Key { id, .. } => keys::revoke(request, env, route, id).await,
        Route::Installs { .. } => installs::list(request, env, route).await,
        Route::Audit { .. } => keys::log(request, env, route).await,
        Route::IdentitySecret { id, .. } => {
            team::identity_secret(request, env, route, id.clone()).await
        }
        Route::EraseRespondent { .. } => team::erase_respondent(request, env, route).await,
        Route::SiteSummary { .. } => team::site_summary(request, env, route).await,
        Route::Surveys { verb, .. } => team::surveys(request, env, route, *verb).await,
        Route::Survey { survey, verb, .. } => {
            team::survey(request, env, route, survey, *verb).await
        }
        Route::Summary { survey, .. } => team::summary(request, env, route, survey).await,
        Route::Responses { survey, is_query: false, .. } => {
            responses::list(request, env, route, survey).await
        }
        Route::Responses { survey, .. } => responses::query(request, env, route, survey).await,
        Route::Export { survey, .. } => export::export(request, env, route, survey).await,
        Route::LookUpRespondent { .. } => responses::look_up(request, env, route).await,
        Route::DeleteDisplay { survey, display, .. } => {
            team::delete_display(request, env, (route, survey), display).await
        }
        Route::MakePreview { survey, .. } => team::preview(request, env, route, survey).await,
        Route::Correct { survey, .. } => corrections::correct(request, env, route, survey).await,
        Route::RevokePreviews { survey, .. } => {
            team::revoke_previews(request, env, route, survey).await
        }
        Route::Usage { survey, .. } => team::usage(request, env, route, survey).await,
        Route::Import { survey, .. } => team::import(request, env, route, survey).await,
        Route::Exclude { survey, display, excluded, .. } => {
            team::exclude(request, env, (route, survey), display, *excluded).await
        }
        Route::Body { .. } | Route::Collect { .. } | Route::Hosted { .. } => {
            Err(Failure::Broken("an object's request was not forwarded".to_owned()))
        }
    }
}
