//! Intake: what a request says about a display besides what the client says, and what of it is stored.

use std::collections::BTreeMap;

use asklet_protocol::policy::Policy;
use asklet_shared::definition::Definition;
use asklet_shared::dimension::OTHER;
use asklet_shared::display::Display;
use asklet_shared::facts::Context;
use asklet_shared::problem::{Code, Problem};
use asklet_shared::settings::PagePart;
use asklet_shared::validate;

use crate::shard::identity::{self, Moment};
use crate::shard::record::Arrival;

/// What the headers of a request say. It is empty if a program sends displays and not a browser.
#[derive(Default)]
pub struct RequestContext {
    /// The origin of the page.
    pub origin: Option<String>,
    /// The type of the body.
    pub content_type: String,
    /// The compression of the body; empty if there is none.
    pub content_encoding: String,
    /// The length of the body, if it is known.
    pub length: Option<usize>,
    /// The visitor's address as limits count it, if the operator has named the header that contains it. It is
    /// compared with other addresses of the same day, and never stored.
    pub address: Option<String>,
    /// The country, as two capital letters; empty if it is not known.
    pub country: String,
    /// The class of the device; empty if it is not known.
    pub device: &'static str,
    /// Whether the browser asks not to be tracked.
    pub is_private: bool,
}

/// Returns a country as it is counted: two capital letters that do not stand for an unknown country.
pub fn country_code(text: &str) -> String {
    let code = text.trim().to_ascii_uppercase();
    let is_code = code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase());
    if is_code && code != "XX" { code } else { String::new() }
}

/// Makes the display to record from a valid display, with the data that the site wants to store. A refused
/// identity token is left out and the display is kept, because an answer is worth more than its token.
pub fn arrival(
    display: Display,
    request_context: RequestContext,
    definition: &Definition,
    policy: &Policy,
    (site, moment): (&str, Moment),
) -> Arrival {
    let RequestContext { country, device, is_private, .. } = request_context;
    let privacy = policy.privacy;
    let mut respondent = None;
    let mut traits = BTreeMap::new();
    let mut verified = false;
    let mut refused = None;
    if !is_private {
        let tokens = identity::TokenPolicy {
            site,
            secrets: &policy.identity_secrets,
            max_hours: policy.identity_max_hours,
        };
        match display.identity.as_deref().map(|token| identity::verify(token, &tokens, moment)) {
            Some(Ok(identity)) => {
                respondent = Some(identity.respondent);
                traits = identity.traits;
                validate::traits(&mut traits, definition);
                verified = true;
            }
            Some(Err(problem)) => refused = Some(problem),
            None => {}
        }
        if !verified && !policy.require_identity {
            traits = display.traits;
        } else if !verified && !display.traits.is_empty() {
            let detail = "the site accepts traits only with an identity token";
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
    fn a_country_is_two_letters() {
        for (header, code) in [("de", "DE"), ("XX", ""), ("T1", ""), ("DEU", ""), ("", "")] {
            assert_eq!(country_code(header), code);
        }
    }
}
