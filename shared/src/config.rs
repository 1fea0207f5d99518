//! The config: what `asklet.js` fetches on each page view to know which surveys could be asked.

use serde::{Deserialize, Serialize};

use crate::definition::when::{Frequency, Targeting, Trigger};

/// The answer of `GET /v1/config/{site}`. Names are short because every page view pays for them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// The files to load once a survey could match; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<Files>,
    /// The live surveys.
    pub surveys: Vec<ConfigSurvey>,
}

/// The hashed files of one release, by their names on the edge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Files {
    /// The moment: triggers.
    pub when: String,
    /// The widget's JavaScript half.
    pub glue: String,
    /// The widget.
    pub wasm: String,
}

/// What a page knows of one live survey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigSurvey {
    /// Its id.
    pub id: String,
    /// The version to ask.
    pub version: u32,
    /// How many shards take its displays; a new display goes to any of `0..shards`.
    pub shards: u16,
    /// The languages that the survey speaks, its own first, each with the digest of its body.
    pub bodies: Vec<(String, String)>,
    /// What has to happen for it to be shown.
    pub triggers: Vec<Trigger>,
    /// Whom to ask, where; absent where that is everybody, everywhere.
    #[serde(default, skip_serializing_if = "is_default")]
    pub targeting: Targeting,
    /// How often to ask; absent where that is once.
    #[serde(default, skip_serializing_if = "is_default")]
    pub frequency: Frequency,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
