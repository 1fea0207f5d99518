//! What a team writes down to make a survey, and what publishing makes of it.

use serde::{Deserialize, Serialize};

use crate::metrics::Scale;

/// A survey as the team defines it. It travels as JSON; a field that is not listed here is an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// How the team calls the survey; visitors never see it.
    pub name: String,
    /// The language of every text below, as a BCP 47 tag.
    #[serde(default = "english")]
    pub language: String,
    /// The questions in the order in which they are asked.
    pub questions: Vec<Question>,
    /// The id of the rating question whose score is the survey's.
    pub primary: String,
    /// What the visitor reads after the last question.
    pub thanks: String,
    /// When to ask.
    #[serde(default)]
    pub trigger: Trigger,
}

fn english() -> String {
    "en".to_owned()
}

/// One question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// The key under which the answer is kept: `[a-z][a-z0-9_]*`.
    pub id: String,
    /// The question itself.
    pub text: String,
    /// What kind of answer it takes.
    pub answer: AnswerKind,
}

/// The kind of answer that a question takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerKind {
    /// A score on a scale.
    Rating(Rating),
    /// Free text, never required.
    Text(Text),
}

/// A rating question's scale and what stands at its two ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rating {
    /// The scale; it cannot change once the question has responses.
    pub scale: Scale,
    /// The label of the lowest score.
    pub low: String,
    /// The label of the highest score.
    pub high: String,
}

/// A text question's limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// The longest answer, in characters: 1 to [`crate::validate::TEXT_LIMIT`].
    #[serde(default = "text_limit")]
    pub max_length: u16,
}

fn text_limit() -> u16 {
    crate::validate::TEXT_LIMIT
}

/// When a survey is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// How long after the page was ready, in milliseconds: at most an hour.
    #[serde(default)]
    pub delay_ms: u32,
}

/// Where a survey stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Written, never asked.
    Draft,
    /// Being asked.
    Live,
}

/// One immutable version of a survey with everything that a shard needs to take its displays
/// without asking anybody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// 1 at the first publish, and one more at each.
    pub version: u32,
    /// What was published.
    pub definition: Definition,
    /// The origins whose pages may ask: `https://shop.example`, or `*` for any.
    pub origins: Vec<String>,
}

impl Definition {
    /// The question with this id.
    pub fn question(&self, id: &str) -> Option<&Question> {
        self.questions.iter().find(|question| question.id == id)
    }

    /// The scale of the primary question; `None` only in a definition that [`crate::validate`] refuses.
    pub fn primary_scale(&self) -> Option<Scale> {
        match &self.question(&self.primary)?.answer {
            AnswerKind::Rating(rating) => Some(rating.scale),
            AnswerKind::Text(_) => None,
        }
    }
}
