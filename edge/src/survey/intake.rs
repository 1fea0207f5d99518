//! Intake: what a request tells about a display besides what the client says, and what of it is kept.

use std::collections::BTreeMap;

use asklet_shared::definition::Definition;
use asklet_shared::definition::when::Device;
use asklet_shared::dimension::OTHER;
use asklet_shared::display::Display;
use asklet_shared::facts::Context;
use asklet_shared::problem::{Code, Problem};
use asklet_shared::settings::PagePart;
use asklet_shared::validate;
use wasm_bindgen::prelude::*;
use worker::Env;
use worker::js_sys::Array;

use super::record::Arrival;
use crate::address;
use crate::identity::{self, Moment};
use crate::place;
use crate::respond;
use crate::standing::Standing;

#[wasm_bindgen(inline_js = "
export const readHeaders = (headers, names) =>
  names.map((name) => (name && headers.get(name)) ?? '').join('\\n');
")]
extern "C" {
    /// The values of some headers, a line each: one call out of the module for all of them.
    #[wasm_bindgen(js_name = readHeaders)]
    fn read_headers(headers: &JsValue, names: &Array) -> String;
}

/// The headers that a display's request is read by, besides those that the operator names.
const HEADERS: [&str; 8] = [
    "origin",
    "content-type",
    "content-encoding",
    "content-length",
    "transfer-encoding",
    "user-agent",
    "sec-gpc",
    "dnt",
];

/// What is read of requests' headers.
pub struct Intake {
    /// [`HEADERS`], and those in which the operator's proxy tells the visitor's address and country.
    names: Array,
    /// Whether the operator has named the first of those two.
    tells_address: bool,
}

/// What the headers of a request tell; nothing where a program tells of displays, and no browser.
#[derive(Default)]
pub struct Circumstances {
    /// The origin of the page.
    pub origin: Option<String>,
    /// The type of the body.
    pub content_type: String,
    /// How it is compressed; empty where it is not.
    pub content_encoding: String,
    /// How long the body is, where that is known.
    pub length: Option<usize>,
    /// The visitor's address as limits count it, where the operator has named the header that tells it;
    /// compared with others of the same day and kept nowhere.
    pub address: Option<String>,
    country: String,
    device: &'static str,
    /// Whether the browser asks not to be followed.
    is_private: bool,
}

impl Intake {
    /// With the headers that the deployment's variables name.
    pub fn of(env: &Env) -> Self {
        let named = |variable| place::variable(env, variable).unwrap_or_default();
        let (address, country) = (named(address::HEADER), named("ASKLET_COUNTRY_HEADER"));
        let names = HEADERS.into_iter().chain([address.as_str(), country.as_str()]);
        let tells_address = !address.is_empty();
        Self { names: names.map(JsValue::from_str).collect(), tells_address }
    }

    /// Reads the headers of a request.
    pub fn read(&self, headers: &JsValue) -> Circumstances {
        let values = read_headers(headers, &self.names);
        let mut values = values.split('\n');
        let mut next = || values.next().unwrap_or_default();
        let (origin, content_type, content_encoding) = (next(), next(), next());
        let (content_length, transfer_encoding) = (next(), next());
        let (agent, signals, addresses, country) = (next(), [next(), next()], next(), next());
        let told = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Circumstances {
            origin: told(origin),
            content_type: content_type.to_owned(),
            content_encoding: content_encoding.to_owned(),
            length: respond::length(content_length, transfer_encoding),
            address: self.tells_address.then(|| address::network(addresses)),
            country: country_code(country),
            device: device(agent).map_or("", Device::name),
            is_private: signals.iter().any(|signal| signal.trim() == "1"),
        }
    }
}

/// A country as it is counted: two capital letters, and not one of those that stand for none.
pub fn country_code(text: &str) -> String {
    let code = text.trim().to_ascii_uppercase();
    let is_code = code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase());
    if is_code && code != "XX" { code } else { String::new() }
}

/// The class of a device, by what browsers have agreed to say: tablets say so or leave out `Mobile`.
fn device(agent: &str) -> Option<Device> {
    let says = |word: &str| agent.contains(word);
    if agent.is_empty() {
        None
    } else if says("iPad") || says("Tablet") || (says("Android") && !says("Mobile")) {
        Some(Device::Tablet)
    } else if says("Mobi") || says("iPhone") {
        Some(Device::Phone)
    } else {
        Some(Device::Desktop)
    }
}

/// A display as it is recorded: valid already, with what the site wants to be kept. Without its identity
/// token where that is refused: an answer is worth more.
pub fn arrival(
    display: Display,
    circumstances: Circumstances,
    definition: &Definition,
    standing: &Standing,
    (site, moment): (&str, Moment),
) -> Arrival {
    let Circumstances { country, device, is_private, .. } = circumstances;
    let privacy = standing.privacy;
    let mut respondent = None;
    let mut traits = BTreeMap::new();
    let mut verified = false;
    let mut refused = None;
    if !is_private {
        let policy = identity::Policy {
            site,
            secrets: &standing.identity_secrets,
            max_hours: standing.identity_max_hours,
        };
        match display.identity.as_deref().map(|token| identity::verify(token, &policy, moment)) {
            Some(Ok(identity)) => {
                respondent = Some(identity.respondent);
                traits = identity.traits;
                validate::traits(&mut traits, definition);
                verified = true;
            }
            Some(Err(problem)) => refused = Some(problem),
            None => {}
        }
        if !verified && !standing.require_identity {
            traits = display.traits;
        } else if !verified && !display.traits.is_empty() {
            let detail = "the site takes traits only with an identity token";
            let required = || Problem::new(Code::IdentityRequired, detail).at("identity");
            refused = refused.or_else(|| Some(required()));
        }
    }
    let address = match privacy.page {
        _ if is_private => String::new(),
        PagePart::None => String::new(),
        PagePart::Path | PagePart::Query => PagePart::Path.of(&display.page),
    };
    let page_group = match definition.page_groups.as_slice() {
        _ if address.is_empty() => String::new(),
        [] => String::new(),
        groups => {
            let mut matching = groups.iter();
            let found =
                matching.find(|group| group.pages.iter().any(|rule| rule.matches(&address)));
            found.map_or(OTHER, |group| &group.name).to_owned()
        }
    };
    let context = Context {
        version: display.version,
        channel: display.channel,
        language: display.language,
        variant: display.variant,
        device: if privacy.device { device.to_owned() } else { String::new() },
        country: if privacy.country { country } else { String::new() },
        touchpoint: definition.journey.touchpoint.clone().unwrap_or_default(),
        page_group,
        page: if is_private { String::new() } else { privacy.page.of(&display.page) },
    };
    Arrival {
        id: display.id,
        revision: display.revision,
        stage: display.stage,
        dismissed: display.dismissed,
        shown_ms: moment.shown_ms,
        context,
        answers: display.answers,
        respondent,
        traits,
        verified,
        refused,
        excluded: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_told_apart_by_their_browsers() {
        let of = |agent| device(agent).map(Device::name);
        for (agent, class) in [
            ("Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0 Safari/537.36", "desktop"),
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) Version/18.0 Mobile/15E148", "phone"),
            ("Mozilla/5.0 (Linux; Android 15; Pixel 9) Chrome/140.0 Mobile Safari", "phone"),
            ("Mozilla/5.0 (Linux; Android 15; SM-X910) Chrome/140.0 Safari", "tablet"),
            ("Mozilla/5.0 (iPad; CPU OS 18_0) Version/18.0 Mobile/15E148", "tablet"),
            ("Mozilla/5.0 (Android 15; Tablet; rv:140.0) Firefox/140.0", "tablet"),
        ] {
            assert_eq!(of(agent), Some(class), "{agent}");
        }
        assert_eq!(of(""), None);
    }

    #[test]
    fn a_country_is_two_letters() {
        for (header, code) in [("de", "DE"), ("XX", ""), ("T1", ""), ("DEU", ""), ("", "")] {
            assert_eq!(country_code(header), code);
        }
    }
}
