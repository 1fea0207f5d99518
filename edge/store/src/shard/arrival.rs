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

/// The survey to which a display belongs, as this shard knows it.
#[derive(Clone, Copy)]
pub struct SurveyContext<'a> {
    /// The site's id.
    pub site: &'a str,
    /// The definition in the display's version.
    pub definition: &'a Definition,
    /// The current policy.
    pub policy: &'a Policy,
}

/// Makes the display to record from a valid display, with the data that the site wants to store. A refused
/// identity token is left out and the display is kept, because an answer is worth more than its token.
pub fn arrival(
    mut display: Display,
    request_context: RequestContext,
    survey: SurveyContext<'_>,
    moment: Moment,
) -> Arrival {
    let RequestContext { country, device, is_private, .. } = request_context;
    let SurveyContext { definition, policy, .. } = survey;
    let privacy = policy.privacy;
    let person =
        if is_private { Person::default() } else { identify(&mut display, survey, moment) };
    let page = if is_private { String::new() } else { privacy.page.of(&display.page) };
    let page_group = match privacy.page {
        PagePart::Path | PagePart::Query if !is_private => {
            page_group(definition, &PagePart::Path.of(&display.page))
        }
        _ => String::new(),
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
        page,
    };
    Arrival {
        id: display.id,
        revision: display.revision,
        stage: display.stage,
        dismissed: display.dismissed,
        shown_ms: moment.shown_ms,
        context,
        answers: display.answers,
        respondent: person.respondent,
        traits: person.traits,
        verified: person.verified,
        refused: person.refused,
        excluded: None,
    }
}

/// What is known of the person who answers.
#[derive(Default)]
struct Person {
    respondent: Option<String>,
    traits: BTreeMap<String, String>,
    verified: bool,
    /// Why the token, or traits without one, were refused.
    refused: Option<Problem>,
}

/// Finds out who answers: from the identity token, or from the page's own traits where the site accepts them. The
/// traits move out of the display.
fn identify(display: &mut Display, survey: SurveyContext<'_>, moment: Moment) -> Person {
    let SurveyContext { site, definition, policy } = survey;
    let tokens = identity::TokenPolicy {
        site,
        secrets: &policy.identity_secrets,
        max_hours: policy.identity_max_hours,
    };
    let refused =
        match display.identity.as_deref().map(|token| identity::verify(token, &tokens, moment)) {
            Some(Ok(identity)) => {
                let mut traits = identity.traits;
                validate::traits(&mut traits, definition);
                let respondent = Some(identity.respondent);
                return Person { respondent, traits, verified: true, refused: None };
            }
            Some(Err(problem)) => Some(problem),
            None => None,
        };
    let traits = std::mem::take(&mut display.traits);
    if !policy.require_identity {
        return Person { traits, refused, ..Person::default() };
    }
    let detail = "the site accepts traits only with an identity token";
    let required = || Problem::new(Code::IdentityRequired, detail).at("identity");
    let refused = refused.or_else(|| (!traits.is_empty()).then(required));
    Person { refused, ..Person::default() }
}

/// Returns the first group that the address of a page belongs to, or [`OTHER`]; empty if there are no groups or no
/// address.
fn page_group(definition: &Definition, address: &str) -> String {
    if address.is_empty() || definition.page_groups.is_empty() {
        return String::new();
    }
    let mut groups = definition.page_groups.iter();
    let found = groups.find(|group| group.pages.iter().any(|rule| rule.matches(address)));
    found.map_or(OTHER, |group| &group.name).to_owned()
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
