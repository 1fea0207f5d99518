//! Whether the tag runs, and where. Each page view fetches the config, and the request says from which
//! origin; what stood in the tag's way the page reports. Neither makes anybody wait, and an isolate
//! tells the site each thing once a day.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use asklet_shared::problem::{Code, Problem};
use asklet_shared::settings::lists;
use asklet_shared::time::DAY_MS;
use asklet_shared::validate::is_origin;
use serde::Deserialize;
use wasm_bindgen::JsValue;
use worker::{Date, Env, Headers, Request, Response};

use crate::caller::Team;
use crate::failure::Failure;
use crate::json;
use crate::page;
use crate::place;
use crate::promise;
use crate::respond::{self, Cache};
use crate::route::Route;
use crate::rpc::{self, SiteCall, TeamCall};
use crate::seal::{Seal, SiteId};
use crate::site::installs::Directive;
use crate::survey;

/// The largest report, in bytes.
const REPORT_LIMIT: usize = 1_024;

/// How much an isolate tells one site in a day. What is more is made up, or would not be kept.
const TOLD_LIMIT: usize = 500;

/// How much of that is of origins that the site does not list.
const UNLISTED_LIMIT: usize = 40;

/// The body of `POST /v1/installs/{site}`. It may come from another release's page.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Report {
    directive: String,
}

thread_local! {
    static TOLD: RefCell<Told> = RefCell::default();
}

/// What this isolate has told sites today.
#[derive(Default)]
struct Told {
    day: u64,
    by_site: HashMap<String, OfSite>,
}

/// What one site was told.
#[derive(Default)]
struct OfSite {
    /// Of origins that it lists.
    listed: HashSet<String>,
    /// Of others, which leave the listed ones their room.
    unlisted: HashSet<String>,
}

impl Told {
    /// Whether something was not told yet, and is worth telling. From now on it was.
    fn is_news(&mut self, site: &str, (what, is_listed): (&str, bool), day: u64) -> bool {
        if self.day != day {
            *self = Self { day, by_site: HashMap::new() };
        }
        let of_site = self.by_site.entry(site.to_owned()).or_default();
        let (told, limit) = match is_listed {
            true => (&mut of_site.listed, TOLD_LIMIT),
            false => (&mut of_site.unlisted, UNLISTED_LIMIT),
        };
        told.len() < limit && !told.contains(what) && told.insert(what.to_owned())
    }

    /// It could not be told.
    fn take_back(&mut self, site: &str, what: &str) {
        if let Some(told) = self.by_site.get_mut(site) {
            told.listed.remove(what);
            told.unlisted.remove(what);
        }
    }
}

/// A page fetched the config: the tag runs there, be the origin listed or forgotten. Whatever is wrong with
/// that, the page gets its config.
pub fn seen(
    headers: &Headers,
    env: &Env,
    context: &JsValue,
    (site, origins): (&SiteId, &[String]),
) {
    let header = |name| headers.get(name).ok().flatten();
    let origin = header("origin").filter(|origin| is_one(origin));
    if let Some(origin) = origin {
        let is_listed = lists(origins, &origin);
        return tell(env, context, site, (origin, is_listed), None);
    }
    // To its own origin a page says no `Origin` when it fetches.
    let referer = header("referer");
    let origin = referer.as_deref().and_then(origin_of);
    if let Some(origin) = origin.filter(|origin| is_listed(origins, origin)) {
        tell(env, context, site, (origin.to_owned(), true), None);
    }
}

/// `POST /v1/installs/{site}`: a page says which directive stood in the tag's way.
pub async fn report(
    mut request: Request,
    env: &Env,
    context: &JsValue,
    site: &str,
) -> Result<Response, Failure> {
    let site = Seal::of(env)?.known_site(site)?;
    let media_type = request.headers().get("content-type")?.unwrap_or_default();
    survey::check_media_type(&media_type)?;
    let known = page::known(env, &site).await?;
    let origin = request.headers().get("origin")?;
    let Some(origin) = origin.filter(|origin| is_listed(known.origins(), origin)) else {
        let detail = "the site does not list the origin of the page";
        return Err(Problem::new(Code::OriginNotAllowed, detail).into());
    };
    let body = respond::read_text(&mut request, REPORT_LIMIT).await?;
    let Report { directive } = json::read_sent(body.as_bytes())?;
    let Some(directive) = Directive::named(&directive) else {
        let detail = "no such directive stands in the way of the tag";
        return Err(Problem::new(Code::UnknownDirective, detail).at("directive").into());
    };
    tell(env, context, &site, (origin, true), Some(directive));
    Ok(respond::public(Cache::Never)?.with_status(204).empty())
}

/// `GET …/installs`
pub async fn list(request: Request, env: &Env, route: &Route) -> Result<Response, Failure> {
    let team = Team::of(request.headers(), env, route)?;
    respond::written(200, team.ask(env, TeamCall::Installs).await?)
}

/// Tells the site, after the answer and once a day.
fn tell(
    env: &Env,
    context: &JsValue,
    site: &SiteId,
    (origin, is_listed): (String, bool),
    directive: Option<Directive>,
) {
    let what = match directive {
        Some(directive) => format!("{origin} {}", directive.name()),
        None => origin.clone(),
    };
    let today = Date::now().as_millis() / DAY_MS;
    if !TOLD.with_borrow_mut(|told| told.is_news(site.as_str(), (&what, is_listed), today)) {
        return;
    }
    let (env, site) = (env.clone(), site.clone());
    promise::later(context, async move {
        let told = async {
            let call = SiteCall::Installed { origin, directive };
            rpc::call::<()>(&place::site(&env, &site)?, &call).await
        };
        if let Err(failure) = told.await {
            respond::warn("installs", &format!("{failure:?}"));
            TOLD.with_borrow_mut(|told| told.take_back(site.as_str(), &what));
        }
    });
}

/// Whether a site lists an origin, written as browsers write it: one that lists all would else keep
/// whatever is sent.
fn is_listed(origins: &[String], origin: &str) -> bool {
    is_one(origin) && lists(origins, origin)
}

/// Whether a text is an origin, written as browsers write it.
fn is_one(origin: &str) -> bool {
    is_origin(origin) && !origin.contains('*')
}

/// The origin of a page's address.
fn origin_of(address: &str) -> Option<&str> {
    let host = address.find("://")? + "://".len();
    let end = address.get(host..)?.find('/').map_or(address.len(), |slash| host + slash);
    address.get(..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thing_is_told_once_a_day_and_not_without_end() {
        let mut told = Told::default();
        let a = ("https://a.example", true);
        assert!(told.is_news("any-1", a, 7));
        assert!(!told.is_news("any-1", a, 7));
        assert!(told.is_news("any-1", ("https://a.example script-src", true), 7));
        assert!(told.is_news("any-2", a, 7));
        told.take_back("any-2", "https://a.example");
        assert!(told.is_news("any-2", a, 7));
        assert!(told.is_news("any-1", a, 8));
        // Origins that are made up leave those that are listed their room.
        for (is_listed, limit) in [(false, UNLISTED_LIMIT), (true, TOLD_LIMIT)] {
            let made_up = (0..2_000).map(|number| format!("https://n{number}.example"));
            let news = made_up.filter(|origin| told.is_news("any-3", (origin, is_listed), 8));
            assert_eq!(news.count(), limit);
        }
    }

    #[test]
    fn an_origin_is_what_browsers_write_and_the_site_lists() {
        let any = ["*".to_owned()];
        for origin in ["https://shop.example", "http://localhost:8080"] {
            assert!(is_listed(&any, origin), "{origin}");
        }
        let long = format!("https://{}.example", "a".repeat(300));
        for origin in ["null", "", "*", "https://*.example", "https://a.example/x", &long] {
            assert!(!is_listed(&any, origin), "{origin}");
        }
        assert!(!is_listed(&["https://shop.example".to_owned()], "https://a.example"));
        assert_eq!(origin_of("https://shop.example/cart?x=/"), Some("https://shop.example"));
        assert_eq!(origin_of("https://shop.example"), Some("https://shop.example"));
        assert_eq!(origin_of("shop"), None);
    }
}
