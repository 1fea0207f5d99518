//! The Worker. It checks the seals of ids and routes; displays it forwards unread to the object
//! [`survey`] that stores them, team calls it takes to the object [`site`] that knows the keys.

mod alarm;
mod asset;
mod directory;
mod export;
mod failure;
#[cfg(feature = "faults")]
mod faults;
mod hosted;
mod identity;
mod json;
mod memory;
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
mod site;
mod sql;
mod standing;
mod summary;
mod survey;
mod team;
mod zone;

use wasm_bindgen::prelude::*;
use worker::js_sys::Promise;
use worker::{Env, Request, Response, web_sys};

use crate::failure::Failure;
use crate::route::{Route, Verb, route};

/// What the platform calls with each request.
#[wasm_bindgen]
pub fn fetch(request: web_sys::Request, env: Env, _context: JsValue) -> Result<JsValue, JsValue> {
    match route(&request.method(), respond::path(&request.url())) {
        Ok(route) => {
            let name = route.name();
            match serve(route, request, env) {
                Ok(promise) => Ok(promise.into()),
                Err(failure) => respond::settle::<Response>(name, Err(failure)),
            }
        }
        Err(problem) => respond::settle::<Response>("none", Err(problem.into())),
    }
}

fn serve(route: Route, request: web_sys::Request, env: Env) -> Result<Promise, Failure> {
    match route {
        Route::Body { site, survey, .. } => page::forward(&request, &env, &site, &survey, (0, "")),
        Route::Collect { site, survey, shard, seal } => {
            page::forward(&request, &env, &site, &survey, (shard, &seal))
        }
        Route::Hosted { site, survey } => hosted::serve(request, env, site, survey),
        route => Ok(promise::of(route.name(), answer(route, request.into(), env))),
    }
}

async fn answer(route: Route, request: Request, env: Env) -> Result<Response, Failure> {
    let env = &env;
    match route {
        Route::Health => respond::json(200, &serde_json::json!({ "status": "ok" })),
        Route::Preflight => respond::preflight(),
        Route::Asset { file } => asset::serve(&request, env, &file).await,
        Route::Demo => asset::demo(env).await,
        Route::Config { site } => page::config(&request, env, &site).await,
        Route::Preview { site, survey, token, language } => {
            preview::serve(env, (&site, &survey), &token, language.as_deref()).await
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
        Route::Responses { site, survey, is_query: false } => {
            responses::list(request, env, &site, &survey).await
        }
        Route::Responses { site, survey, .. } => {
            responses::query(request, env, &site, &survey).await
        }
        Route::Export { site, survey } => export::export(request, env, &site, &survey).await,
        Route::LookUpRespondent { site } => responses::look_up(request, env, &site).await,
        Route::DeleteDisplay { site, survey, display } => {
            team::delete_display(request, env, (&site, &survey), &display).await
        }
        Route::MakePreview { site, survey } => team::preview(request, env, &site, &survey).await,
        Route::Usage { site, survey } => team::usage(request, env, &site, &survey).await,
        Route::Import { site, survey } => team::import(request, env, &site, &survey).await,
        Route::Exclude { site, survey, display, excluded } => {
            team::exclude(request, env, (&site, &survey), &display, excluded).await
        }
        Route::Body { .. } | Route::Collect { .. } | Route::Hosted { .. } => {
            Err(Failure::Broken("an object's request was not forwarded".to_owned()))
        }
    }
}
