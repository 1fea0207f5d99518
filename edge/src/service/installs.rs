//! Reports to a site where its tag runs: after the answer, and each fact once a day.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use asklet_protocol::calls::site::SiteCall;
use asklet_protocol::ids::SiteId;
use asklet_protocol::installs::Directive;
use asklet_shared::settings::lists;
use asklet_shared::time::DAY_MS;
use asklet_shared::validate::is_origin;
use wasm_bindgen::JsValue;
use worker::{Date, Headers};

use crate::http::promise;
use crate::platform::trace::Context;
use crate::platform::{log, rpc, stubs};

/// Number of reports that an isolate sends to one site in a day. Further ones are made up, or would not be
/// stored.
const NOTIFIED_LIMIT: usize = 500;

/// Number of these for origins that the site does not list.
const UNLISTED_LIMIT: usize = 40;

thread_local! {
    static NOTIFIED: RefCell<Notified> = RefCell::default();
}

/// The reports that this isolate has sent today.
#[derive(Default)]
struct Notified {
    day: u64,
    by_site: HashMap<String, OfSite>,
}

/// The reports that one site has received.
#[derive(Default)]
struct OfSite {
    /// Reports of origins that the site lists.
    listed: HashSet<String>,
    /// Reports of other origins. They are limited separately, so that they take no room from the listed ones.
    unlisted: HashSet<String>,
}

impl Notified {
    /// Whether a fact has not been reported yet and there is room for it. Marks it as reported.
    fn is_new(&mut self, site: &str, (what, is_listed): (&str, bool), day: u64) -> bool {
        if self.day != day {
            *self = Self { day, by_site: HashMap::new() };
        }
        let of_site = self.by_site.entry(site.to_owned()).or_default();
        let (notified, limit) = match is_listed {
            true => (&mut of_site.listed, NOTIFIED_LIMIT),
            false => (&mut of_site.unlisted, UNLISTED_LIMIT),
        };
        notified.len() < limit && !notified.contains(what) && notified.insert(what.to_owned())
    }

    /// Marks a fact as not reported, because the report failed.
    fn take_back(&mut self, site: &str, what: &str) {
        if let Some(notified) = self.by_site.get_mut(site) {
            notified.listed.remove(what);
            notified.unlisted.remove(what);
        }
    }
}

/// Notes that a page fetched the config, so that the tag runs there, whether the origin is listed or was
/// forgotten. The page gets its config even if this fails.
pub fn seen(
    headers: &Headers,
    env: &Context,
    execution: &JsValue,
    (site, origins): (&SiteId, &[String]),
) {
    let header = |name| headers.get(name).ok().flatten();
    let origin = header("origin").filter(|origin| is_one(origin));
    if let Some(origin) = origin {
        let is_listed = lists(origins, &origin);
        return notify(env, execution, site, (origin, is_listed), None);
    }
    // A page sends no `Origin` when it fetches from its own origin.
    let referer = header("referer");
    let origin = referer.as_deref().and_then(origin_of);
    if let Some(origin) = origin.filter(|origin| is_listed(origins, origin)) {
        notify(env, execution, site, (origin.to_owned(), true), None);
    }
}

/// Reports to the site after the answer, and each fact once a day.
pub fn notify(
    env: &Context,
    execution: &JsValue,
    site: &SiteId,
    (origin, is_listed): (String, bool),
    directive: Option<Directive>,
) {
    let what = match directive {
        Some(directive) => format!("{origin} {}", directive.name()),
        None => origin.clone(),
    };
    let today = Date::now().as_millis() / DAY_MS;
    if !NOTIFIED
        .with_borrow_mut(|notified| notified.is_new(site.as_str(), (&what, is_listed), today))
    {
        return;
    }
    let (env, site) = (env.clone(), site.clone());
    promise::later(&env.trace.clone(), execution, async move {
        let notified = async {
            let call = SiteCall::Installed { origin, directive };
            rpc::call::<()>(&stubs::site(&env, &site)?, &call).await
        };
        if let Err(failure) = notified.await {
            log::handled(&env.trace, "the site was not told of an install", &failure);
            NOTIFIED.with_borrow_mut(|notified| notified.take_back(site.as_str(), &what));
        }
    });
}

/// Whether a site lists an origin, written as browsers write it. Otherwise a site that lists all origins would
/// store any text that a client sends.
pub fn is_listed(origins: &[String], origin: &str) -> bool {
    is_one(origin) && lists(origins, origin)
}

/// Whether a text is an origin, written as browsers write it.
fn is_one(origin: &str) -> bool {
    is_origin(origin) && !origin.contains('*')
}

/// Returns the origin of a page's address.
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
        let mut notified = Notified::default();
        let a = ("https://a.example", true);
        assert!(notified.is_new("any-1", a, 7));
        assert!(!notified.is_new("any-1", a, 7));
        assert!(notified.is_new("any-1", ("https://a.example script-src", true), 7));
        assert!(notified.is_new("any-2", a, 7));
        notified.take_back("any-2", "https://a.example");
        assert!(notified.is_new("any-2", a, 7));
        assert!(notified.is_new("any-1", a, 8));
        // Made-up origins take no room from listed ones.
        for (is_listed, limit) in [(false, UNLISTED_LIMIT), (true, NOTIFIED_LIMIT)] {
            let made_up = (0..2_000).map(|number| format!("https://n{number}.example"));
            let news = made_up.filter(|origin| notified.is_new("any-3", (origin, is_listed), 8));
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
