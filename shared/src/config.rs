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
    /// The files to load once a survey could match; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<Files>,
    /// For how many days a visitor who was asked is not asked by another survey.
    #[serde(default = "a_week", skip_serializing_if = "is_a_week")]
    pub rest_days: u16,
    /// The live surveys.
    pub surveys: Vec<ConfigSurvey>,
    /// Why there are none for this page, where the site's settings say so: the code of a problem.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub problem: Option<Code>,
}

/// The hashed files of one release, by their names on the edge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Files {
    /// The moment: triggers, targeting, frequency.
    pub when: String,
    /// The widget: this name with `.js` is its one half, and with `.wasm` the other.
    pub widget: String,
}

/// What a page knows of one live survey. What is absent does not matter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConfigSurvey {
    /// Its id.
    pub id: String,
    /// The version to ask.
    pub version: u32,
    /// The shards that take its displays, as the address of collecting names them; a new display goes
    /// to any of them.
    #[serde(default = "only_first", skip_serializing_if = "is_only_first")]
    pub shards: Vec<String>,
    /// The languages that the survey speaks, its own first, each with the digest of its body.
    pub bodies: Vec<(String, String)>,
    /// What has to happen for it to be shown.
    pub triggers: Vec<Trigger>,
    /// What lies between a trigger and the survey.
    #[serde(default, skip_serializing_if = "is_default")]
    pub wait: Wait,
    /// Whom to ask, where.
    #[serde(default, skip_serializing_if = "is_default")]
    pub audience: Audience,
    /// After how many days to ask again.
    #[serde(default, skip_serializing_if = "is_default")]
    pub again: Again,
    /// The selector of the element that it is shown in, and waits for; above the page where none is said.
    #[serde(default, skip_serializing_if = "is_default")]
    pub inline: String,
    /// Whether pages tell their address with its query.
    #[serde(default, skip_serializing_if = "is_default")]
    pub query: bool,
}

/// Whom to ask, where. What is absent does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Audience {
    /// A regular expression that the page's whole address matches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pages: Option<String>,
    /// Kinds of device, one of which it is.
    #[serde(skip_serializing_if = "is_default")]
    pub devices: Vec<Device>,
    /// Languages, one of which the browser prefers.
    #[serde(skip_serializing_if = "is_default")]
    pub languages: Vec<String>,
    /// Traits that the page must have told.
    #[serde(skip_serializing_if = "is_default")]
    pub traits: BTreeMap<String, String>,
    /// Only visitors who come for the first time, or only those who come back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visitors: Option<Visitors>,
    /// Only from this visit on, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_visits: Option<u32>,
    /// What the visit's referrer must contain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub referrer: Option<String>,
    /// UTM parameters with which the visit must have begun.
    #[serde(skip_serializing_if = "is_default")]
    pub utm: BTreeMap<String, String>,
    /// The share of visitors who are asked, in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample_percent: Option<u8>,
}

/// After how many days a visitor is asked again, by what came of the last time; never where nothing is
/// said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Again {
    /// It was neither answered nor closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignored: Option<u16>,
    /// It was closed without an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dismissed: Option<u16>,
    /// It was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered: Option<u16>,
    /// It was put off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub later: Option<u16>,
}

impl Config {
    /// That nothing is asked.
    pub fn nothing() -> Self {
        Self { files: None, rest_days: a_week(), surveys: Vec::new(), problem: None }
    }

    /// The same for a page whose origin the site does not list: its answers would be refused.
    pub fn of_other_origin() -> Self {
        Self { problem: Some(Code::OriginNotAllowed), ..Self::nothing() }
    }
}

impl ConfigSurvey {
    /// What pages are told of a version of a survey, with the digests of its bodies by language.
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

/// The shards of nearly every survey; they need not be said.
fn only_first() -> Vec<String> {
    vec!["0".to_owned()]
}

fn is_only_first(shards: &[String]) -> bool {
    *shards == only_first()
}

/// The rest of most sites need not be said.
fn is_a_week(days: &u16) -> bool {
    *days == a_week()
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
