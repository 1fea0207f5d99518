//! Intake: what a request tells about a display besides what the client says, and what of it is kept.

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

/// What the headers of a request tell; nothing where a program tells of displays, and no browser.
#[derive(Default)]
pub struct RequestContext {
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
    /// The country, as two capital letters; empty where it is not known.
    pub country: String,
    /// The class of the device; empty where it is not known.
    pub device: &'static str,
    /// Whether the browser asks not to be followed.
    pub is_private: bool,
}

/// A country as it is counted: two capital letters, and not one of those that stand for none.
pub fn country_code(text: &str) -> String {
    let code = text.trim().to_ascii_uppercase();
    let is_code = code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase());
    if is_code && code != "XX" { code } else { String::new() }
}

/// A display as it is recorded: valid already, with what the site wants to be kept. Without its identity
/// token where that is refused: an answer is worth more.
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
    fn a_country_is_two_letters() {
        for (header, code) in [("de", "DE"), ("XX", ""), ("T1", ""), ("DEU", ""), ("", "")] {
            assert_eq!(country_code(header), code);
        }
    }
}
