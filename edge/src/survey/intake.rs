//! Intake: what a request tells about a display besides what the client says, and what of it is kept.

use std::collections::BTreeMap;

use asklet_shared::definition::Definition;
use asklet_shared::definition::when::Device;
use asklet_shared::dimension::OTHER;
use asklet_shared::display::Display;
use asklet_shared::facts::Context;
use asklet_shared::problem::{Code, Problem};
use asklet_shared::settings;
use asklet_shared::validate;
use worker::{Env, Headers};

use super::record::{AGE_LIMIT_MS, Arrival};
use crate::failure::Failure;
use crate::identity;
use crate::standing::Standing;

/// The headers that the operator vouches for.
pub struct Proxy {
    /// The one that tells the visitor's address, if any.
    address: Option<String>,
    /// The one that tells the visitor's country, if any.
    country: Option<String>,
}

/// What the headers of a request tell.
pub struct Circumstances {
    /// The origin of the page.
    pub origin: Option<String>,
    /// The visitor's address; compared with others of the same day and kept nowhere.
    pub address: Option<String>,
    country: String,
    device: &'static str,
    /// Whether the browser asks not to be followed.
    is_private: bool,
}

impl Proxy {
    /// As the deployment's variables name them.
    pub fn of(env: &Env) -> Self {
        let named = |variable| {
            let name = env.var(variable).ok().map(|name| name.to_string());
            name.filter(|name| !name.is_empty())
        };
        Self { address: named("ASKLET_ADDRESS_HEADER"), country: named("ASKLET_COUNTRY_HEADER") }
    }

    /// Reads the headers of a request.
    pub fn read(&self, headers: &Headers) -> Result<Circumstances, Failure> {
        let read = |name: &Option<String>| match name {
            Some(name) => headers.get(name),
            None => Ok(None),
        };
        // Each proxy adds what it saw behind what it was told.
        let address = read(&self.address)?;
        let address = address.and_then(|list| Some(list.rsplit(',').next()?.trim().to_owned()));
        let country = read(&self.country)?.unwrap_or_default();
        let agent = headers.get("user-agent")?.unwrap_or_default();
        let signals = [headers.get("sec-gpc")?, headers.get("dnt")?];
        Ok(Circumstances {
            origin: headers.get("origin")?,
            address,
            country: country_code(&country),
            device: device(&agent).map_or("", Device::name),
            is_private: signals.iter().flatten().any(|signal| signal.trim() == "1"),
        })
    }
}

/// A country as it is counted: two capital letters, and not one of those that stand for none.
fn country_code(text: &str) -> String {
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

/// A display as it is recorded: valid already, with what the site wants to be kept.
pub fn arrival(
    display: Display,
    circumstances: Circumstances,
    definition: &Definition,
    standing: &Standing,
    (site, now_ms): (&str, u64),
) -> Result<Arrival, Problem> {
    let Circumstances { country, device, is_private, .. } = circumstances;
    let privacy = standing.privacy;
    let mut respondent = None;
    let mut traits = BTreeMap::new();
    let mut verified = false;
    if !is_private {
        if let Some(token) = &display.identity {
            let shown_ms = now_ms.saturating_sub(display.age_ms.min(AGE_LIMIT_MS));
            let secrets = &standing.identity_secrets;
            let identity = identity::verify(token, site, secrets, shown_ms)?;
            respondent = Some(identity.respondent);
            traits = identity.traits;
            validate::traits(&mut traits, definition);
            verified = true;
        } else if standing.require_identity && !display.traits.is_empty() {
            let detail = "the site takes traits only with an identity token";
            return Err(Problem::new(Code::IdentityRequired, detail).at("identity"));
        } else {
            traits = display.traits;
        }
    }
    let address = settings::PagePart::Path.of(&display.page);
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
        page_group: if is_private { String::new() } else { page_group },
        page: if is_private { String::new() } else { privacy.page.of(&display.page) },
    };
    Ok(Arrival {
        id: display.id,
        revision: display.revision,
        stage: display.stage,
        dismissed: display.dismissed,
        age_ms: display.age_ms,
        context,
        answers: display.answers,
        respondent,
        traits,
        verified,
    })
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
