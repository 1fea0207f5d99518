//! The config: what `asklet.js` fetches on each page view to know which surveys could be asked.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::definition::Definition;
use crate::definition::page;
use crate::definition::when::{Device, Targeting, Trigger, Visitors, Wait};
use crate::problem::Code;
use crate::settings::a_week;

/// The answer of `GET /v1/config/{site}`. Names are short because every page view pays for them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Config {
    /// The files to load once a survey could match; absent if there are no surveys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<Files>,
    /// Number of days for which a visitor who was asked is not asked by another survey.
    #[serde(default = "a_week", skip_serializing_if = "is_a_week")]
    pub rest_days: u16,
    /// The live surveys.
    pub surveys: Vec<ConfigSurvey>,
    /// The code of the problem for which there are no surveys for this page, if the site's settings are the
    /// reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub problem: Option<Code>,
}

/// The hashed files of one release, by their names on the edge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Files {
    /// The file that chooses the moment: triggers, targeting, frequency.
    pub when: String,
    /// The widget: one of its two files is this name with `.js`, the other this name with `.wasm`.
    pub widget: String,
}

/// What a page knows of one live survey. An absent field makes no restriction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConfigSurvey {
    /// Its id.
    pub id: String,
    /// The version that pages ask.
    pub version: u32,
    /// The shards that take the survey's displays, as they are named in the address of the collect route. A new
    /// display can go to any of them.
    #[serde(default = "only_first", skip_serializing_if = "is_only_first")]
    pub shards: Vec<String>,
    /// The languages that the survey speaks, its own first, each with the digest of its body.
    pub bodies: Vec<(String, String)>,
    /// The triggers; any one of them shows the survey.
    pub triggers: Vec<Trigger>,
    /// The wait between a trigger and the survey.
    #[serde(default, skip_serializing_if = "is_default")]
    pub wait: Wait,
    /// Which visitors are asked, and on which pages.
    #[serde(default, skip_serializing_if = "is_default")]
    pub audience: Audience,
    /// Number of days after which to ask again.
    #[serde(default, skip_serializing_if = "is_default")]
    pub again: Again,
    /// The selector of the element in which the survey is shown, and for which it waits; above the page if it
    /// is empty.
    #[serde(default, skip_serializing_if = "is_default")]
    pub inline: String,
    /// Whether pages send their address with its query.
    #[serde(default, skip_serializing_if = "is_default")]
    pub query: bool,
}

/// Which visitors are asked, and on which pages. An absent field makes no restriction.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Audience {
    /// A regular expression that the page's whole address matches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pages: Option<String>,
    /// Kinds of device, one of which the visitor's device must be.
    #[serde(skip_serializing_if = "is_default")]
    pub devices: Vec<Device>,
    /// Languages, one of which the browser must prefer.
    #[serde(skip_serializing_if = "is_default")]
    pub languages: Vec<String>,
    /// Traits that the page must have passed.
    #[serde(skip_serializing_if = "is_default")]
    pub traits: BTreeMap<String, String>,
    /// Only visitors who come for the first time, or only those who come back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visitors: Option<Visitors>,
    /// The visit from which on a visitor is asked, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_visits: Option<u32>,
    /// Text that the visit's referrer must contain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub referrer: Option<String>,
    /// UTM parameters with which the visit must have begun.
    #[serde(skip_serializing_if = "is_default")]
    pub utm: BTreeMap<String, String>,
    /// Share of visitors who are asked, in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample_percent: Option<u8>,
}

/// After how many days a visitor is asked again, depending on how the last showing ended; never for an absent
/// field.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Again {
    /// The survey was neither answered nor closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignored: Option<u16>,
    /// The survey was closed without an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dismissed: Option<u16>,
    /// The survey was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered: Option<u16>,
    /// The survey was put off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub later: Option<u16>,
}

impl Config {
    /// Returns a config without surveys.
    pub fn nothing() -> Self {
        Self { files: None, rest_days: a_week(), surveys: Vec::new(), problem: None }
    }

    /// Returns a config without surveys for a page whose origin the site does not list, because its answers
    /// would be refused.
    pub fn of_other_origin() -> Self {
        Self { problem: Some(Code::OriginNotAllowed), ..Self::nothing() }
    }
}

impl ConfigSurvey {
    /// Makes the entry of a survey's version, with the digests of its bodies by language.
    pub fn of(
        id: String,
        version: u32,
        shards: Vec<String>,
        bodies: Vec<(String, String)>,
        definition: Definition,
    ) -> Self {
        let Definition {
            triggers, wait, targeting, frequency, later_days: later, appearance, ..
        } = definition;
        let inline = appearance.position.slot().unwrap_or_default().to_owned();
        let after = frequency.after();
        let again = Again {
            ignored: after.ignored,
            dismissed: after.dismissed,
            answered: after.answered,
            later,
        };
        let audience = targeting.into();
        Self { id, version, shards, bodies, triggers, wait, audience, again, inline, query: false }
    }
}

impl From<Targeting> for Audience {
    fn from(targeting: Targeting) -> Self {
        let Targeting {
            include,
            exclude,
            devices,
            languages,
            traits,
            visitors,
            min_visits,
            referrer,
            utm,
            sample_percent,
        } = targeting;
        let pages = page::expression(&include, &exclude);
        Self {
            pages,
            devices,
            languages,
            traits,
            visitors,
            min_visits,
            referrer,
            utm,
            sample_percent,
        }
    }
}

/// The shards of nearly every survey; the config leaves them out.
fn only_first() -> Vec<String> {
    vec!["0".to_owned()]
}

fn is_only_first(shards: &[String]) -> bool {
    *shards == only_first()
}

/// Whether this is the rest period of most sites, which the config leaves out.
fn is_a_week(days: &u16) -> bool {
    *days == a_week()
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
