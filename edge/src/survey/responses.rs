//! Responses, as a team reads them. A shard writes each as it is told, in JSON or as a line of CSV.

use std::collections::BTreeMap;

use asklet_shared::definition::question::AnswerKind;
use asklet_shared::display::{Answer, Answers, Channel, Stage};
use asklet_shared::display_id::DisplayId;
use asklet_shared::metrics::Category;
use asklet_shared::problem::Code;
use serde::{Deserialize, Serialize, Serializer};

use super::csv::Columns;
use super::find::Key;
use super::log::{DELETED, ERASED, Stored};
use crate::failure::Failure;
use crate::json;
use crate::rpc::Plan;

/// One response. What is not known is `null`, so that every line of an export has the same keys.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub language: String,
    /// The country.
    #[serde(serialize_with = "or_null")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub country: String,
    /// The class of the device.
    #[serde(serialize_with = "or_null")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub device: String,
    /// The page's address.
    #[serde(serialize_with = "or_null")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub page: String,
    /// The page's group.
    #[serde(serialize_with = "or_null")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub page_group: String,
    /// The touchpoint of the version.
    #[serde(serialize_with = "or_null")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub touchpoint: String,
    /// The variant.
    #[serde(serialize_with = "or_null")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
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
    #[cfg_attr(test, schemars(with = "Option<String>"))]
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
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Excluded {
    /// The team's words.
    pub reason: String,
}

/// What became of a display.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "ResponseChange"))]
#[serde(untagged)]
pub enum Change {
    /// It is no response any more.
    Gone(Gone),
    /// It is a response.
    Response(Box<Response>),
}

/// A display that is no response any more, or that never became one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Gone {
    /// The display's id.
    pub id: DisplayId,
    /// The shard on which it was.
    pub shard: u16,
    /// The number of this change on that shard.
    pub seq: u64,
    /// What happened to it.
    pub gone: Why,
}

/// Why a display is no response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// The team deleted it.
    Deleted,
    /// It was erased with its respondent.
    Erased,
    /// The visitor took all answers back.
    Withdrawn,
}

impl Response {
    /// A display as a team reads it; the survey, the shard and the category are the caller's to say.
    pub fn of(display: Stored) -> Self {
        let context = display.context;
        let personal = display.personal.unwrap_or_default();
        Self {
            id: display.id,
            survey: String::new(),
            shard: 0,
            seq: display.seq,
            revision: display.revision,
            version: context.version,
            shown_ms: display.shown_ms,
            received_ms: display.received_ms,
            stage: display.stage,
            dismissed: display.dismissed,
            channel: context.channel,
            language: context.language,
            country: context.country,
            device: context.device,
            page: context.page,
            page_group: context.page_group,
            touchpoint: context.touchpoint,
            variant: context.variant,
            answers: display.answers,
            category: None,
            respondent: display.respondent,
            traits: personal.traits,
            verified: personal.verified,
            identity_refused: personal.identity_refused,
            excluded: display.excluded.map(|reason| Excluded { reason }),
        }
    }
}

impl Change {
    /// What readers are told of a display.
    pub fn of(display: Stored) -> Self {
        let gone = match display.excluded.as_deref() {
            Some(ERASED) => Why::Erased,
            Some(DELETED) => Why::Deleted,
            _ if display.answers.0.is_empty() => Why::Withdrawn,
            _ => return Self::Response(Box::new(Response::of(display))),
        };
        Self::Gone(Gone { id: display.id, shard: 0, seq: display.seq, gone })
    }
}

/// Responses that were found, as they are told: each with where it stands in its order.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Found {
    /// In the order that was asked for.
    pub responses: Vec<(Key, String)>,
    /// Where to go on behind; none at the end.
    pub next: Option<Key>,
}

/// How many bytes a page holds before it ends early.
const PAGE_BYTES: usize = 500_000;

impl Found {
    /// Whether it should not grow any more, so that whoever asks need not hold more.
    pub fn is_large(&self) -> bool {
        self.responses.iter().map(|(_, told)| told.len()).sum::<usize>() > PAGE_BYTES
    }
}

/// What a shard does not know of the responses that it tells, and how it tells them.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(Default))]
pub struct Tell {
    survey: String,
    /// Its number.
    pub shard: u16,
    /// The question whose category is told, and its scale.
    question: String,
    kind: Option<AnswerKind>,
    /// The columns of a line of CSV; otherwise they are told in JSON.
    pub columns: Option<Columns>,
}

impl Tell {
    /// As responses of a shard of a survey.
    pub fn of(plan: &Plan, shard: u16, question: Option<String>, columns: Option<Columns>) -> Self {
        let question = question.unwrap_or_else(|| plan.definition.primary.clone());
        let kind = plan.question(&question).map(|question| question.answer.clone());
        let kind = kind.filter(|kind| matches!(kind, AnswerKind::Rating(_)));
        Self { survey: plan.survey.to_string(), shard, question, kind, columns }
    }

    /// A response as it is told.
    pub fn response(&self, display: Stored) -> Result<String, Failure> {
        let response = self.complete(Response::of(display));
        match &self.columns {
            Some(columns) => columns.line(&response),
            None => json::line(&response),
        }
    }

    /// A change as it is told.
    pub fn change(&self, display: Stored) -> Result<String, Failure> {
        match Change::of(display) {
            Change::Gone(gone) => json::line(&Gone { shard: self.shard, ..gone }),
            Change::Response(response) => json::line(&self.complete(*response)),
        }
    }

    fn complete(&self, mut response: Response) -> Response {
        response.survey.clone_from(&self.survey);
        response.shard = self.shard;
        response.category = match (&self.kind, response.answers.get(&self.question)) {
            (Some(kind), Some(Answer::Score(score))) => kind.category(*score),
            _ => None,
        };
        response
    }
}
