//! Responses, as a team reads them. A shard writes each response in its final form: JSON or a line of CSV.

use std::collections::BTreeMap;

use asklet_shared::display::{Answers, Channel, Stage};
use asklet_shared::display_id::DisplayId;
use asklet_shared::metrics::Category;
use asklet_shared::problem::Code;
use serde::{Deserialize, Serialize, Serializer};

use crate::find::Position;

/// One response. Unknown values are `null`, so that every line of an export has the same keys.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Response {
    /// The display's id.
    pub id: DisplayId,
    /// The survey's id.
    pub survey: String,
    /// The shard that holds the display.
    pub shard: u16,
    /// The number of the display's last change on that shard.
    pub seq: u64,
    /// The display's latest revision.
    pub revision: u32,
    /// The version that the visitor saw.
    pub version: u32,
    /// When the display was shown, in milliseconds since the epoch.
    pub shown_ms: u64,
    /// When the display first arrived, in milliseconds since the epoch.
    pub received_ms: u64,
    /// How far the visitor got.
    pub stage: Stage,
    /// Whether the visitor closed the survey.
    pub dismissed: bool,
    /// How the survey reached the visitor.
    pub channel: Channel,
    /// The language in which the survey was shown.
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
    /// The variant of the survey.
    #[serde(serialize_with = "or_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub variant: String,
    /// The answers. Texts that retention has forgotten are empty.
    pub answers: Answers,
    /// The category of the score that answers the requested question.
    pub category: Option<Category>,
    /// The id of the respondent.
    pub respondent: Option<String>,
    /// The known traits of the respondent.
    pub traits: BTreeMap<String, String>,
    /// Whether the site's server vouches for the respondent and the traits.
    pub verified: bool,
    /// The code of the problem for which the display's identity token, or its traits without a token, were not
    /// accepted.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub identity_refused: Option<Code>,
    /// Why the response does not count; `null` if it counts.
    pub excluded: Option<Excluded>,
}

/// Writes an empty text as `null`.
fn or_null<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    Some(text).filter(|text| !text.is_empty()).serialize(serializer)
}

/// Why a response does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Excluded {
    /// The reason in the team's words.
    pub reason: String,
}

/// What happened to a display.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum ResponseChange {
    /// The display is not a response any more.
    Removed(Removed),
    /// The display is a response.
    Response(Box<Response>),
}

/// A display that is not a response any more, or never was one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Removed {
    /// The display's id.
    pub id: DisplayId,
    /// The shard that held the display.
    pub shard: u16,
    /// The number of this change on that shard.
    pub seq: u64,
    /// What happened to the display.
    pub gone: RemovalReason,
}

/// Why a display is not a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RemovalReason {
    /// The team deleted it.
    Deleted,
    /// The display was erased with its respondent.
    Erased,
    /// The visitor withdrew all answers.
    Withdrawn,
}

/// The responses that a query found, in their final form, each with its position in the order.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Found {
    /// The responses in the requested order.
    pub responses: Vec<(Position, String)>,
    /// The position after which the next page begins; `None` at the end.
    pub next: Option<Position>,
}

/// Number of bytes from which a page ends early.
const PAGE_BYTES: usize = 500_000;

impl Found {
    /// Whether the page should not grow any more, so that the reader does not have to hold more in memory.
    pub fn is_large(&self) -> bool {
        self.responses.iter().map(|(_, json)| json.len()).sum::<usize>() > PAGE_BYTES
    }
}
