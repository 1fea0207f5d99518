//! Responses, as a team reads them. A shard writes each as it is told, in JSON or as a line of CSV.

use std::collections::BTreeMap;

use asklet_shared::display::{Answers, Channel, Stage};
use asklet_shared::display_id::DisplayId;
use asklet_shared::metrics::Category;
use asklet_shared::problem::Code;
use serde::{Deserialize, Serialize, Serializer};

use crate::find::Position;

/// One response. What is not known is `null`, so that every line of an export has the same keys.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Response {
    /// The display's id.
    pub id: DisplayId,
    /// The survey's id.
    pub survey: String,
    /// The shard that holds it.
    pub shard: u16,
    /// The number of its last change on that shard.
    pub seq: u64,
    /// Its latest revision.
    pub revision: u32,
    /// The version that was shown.
    pub version: u32,
    /// When it was shown, in milliseconds since the epoch.
    pub shown_ms: u64,
    /// When it first arrived, in milliseconds since the epoch.
    pub received_ms: u64,
    /// How far the visitor came.
    pub stage: Stage,
    /// Whether it was closed.
    pub dismissed: bool,
    /// How it reached the visitor.
    pub channel: Channel,
    /// The language that was shown.
    #[serde(serialize_with = "or_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub language: String,
    /// The country.
    #[serde(serialize_with = "or_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub country: String,
    /// The class of the device.
    #[serde(serialize_with = "or_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub device: String,
    /// The page's address.
    #[serde(serialize_with = "or_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub page: String,
    /// The page's group.
    #[serde(serialize_with = "or_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub page_group: String,
    /// The touchpoint of the version.
    #[serde(serialize_with = "or_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub touchpoint: String,
    /// The variant.
    #[serde(serialize_with = "or_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub variant: String,
    /// What was answered. Texts that retention has forgotten are empty.
    pub answers: Answers,
    /// What the score of the question that was asked about means.
    pub category: Option<Category>,
    /// Who answered.
    pub respondent: Option<String>,
    /// The traits that are known.
    pub traits: BTreeMap<String, String>,
    /// Whether the site's server vouches for respondent and traits.
    pub verified: bool,
    /// Why its identity token, or its traits without one, were not taken: the code of the problem.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub identity_refused: Option<Code>,
    /// Why it does not count, if it does not.
    pub excluded: Option<Excluded>,
}

/// Writes what is not known as `null`.
fn or_null<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    Some(text).filter(|text| !text.is_empty()).serialize(serializer)
}

/// Why a response does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Excluded {
    /// The team's words.
    pub reason: String,
}

/// What became of a display.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum ResponseChange {
    /// It is no response any more.
    Removed(Removed),
    /// It is a response.
    Response(Box<Response>),
}

/// A display that is no response any more, or that never became one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Removed {
    /// The display's id.
    pub id: DisplayId,
    /// The shard on which it was.
    pub shard: u16,
    /// The number of this change on that shard.
    pub seq: u64,
    /// What happened to it.
    pub gone: RemovalReason,
}

/// Why a display is no response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RemovalReason {
    /// The team deleted it.
    Deleted,
    /// It was erased with its respondent.
    Erased,
    /// The visitor took all answers back.
    Withdrawn,
}

/// Responses that were found, as they are told: each with where it stands in its order.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Found {
    /// In the order that was asked for.
    pub responses: Vec<(Position, String)>,
    /// Where to go on behind; none at the end.
    pub next: Option<Position>,
}

/// How many bytes a page holds before it ends early.
const PAGE_BYTES: usize = 500_000;

impl Found {
    /// Whether it should not grow any more, so that whoever asks need not hold more.
    pub fn is_large(&self) -> bool {
        self.responses.iter().map(|(_, told)| told.len()).sum::<usize>() > PAGE_BYTES
    }
}
