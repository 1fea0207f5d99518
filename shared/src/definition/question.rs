//! Questions, what they take for an answer, and on what condition they are asked.

use serde::{Deserialize, Serialize};

use super::text::Text;
use crate::display::{Answer, Answers, OTHER_OPTION};
use crate::metrics::{Category, Direction, Metric, Scale};

/// One question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// The key under which the answer is kept: `[a-z][a-z0-9_]*`.
    pub id: String,
    /// The question itself.
    pub text: Text,
    /// What kind of answer it takes.
    pub answer: AnswerKind,
    /// On what condition it is asked; always, if there is none.
    #[serde(default)]
    pub show_if: Option<Condition>,
}

/// The kind of answer that a question takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AnswerKind {
    /// A score on a scale.
    Rating(Rating),
    /// Free text, never required.
    Text(TextLimits),
    /// One or several of some options.
    Choice(Options),
}

/// A rating question's scale and what stands at its two ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Rating {
    /// The scale; it cannot change once the question has responses.
    pub scale: Scale,
    /// Which end is the good one.
    #[serde(default)]
    pub direction: Direction,
    /// What stands for its values.
    #[serde(default)]
    pub shown_as: ShownAs,
    /// The label of the lowest value.
    pub low: Text,
    /// The label of the highest value.
    pub high: Text,
}

/// What stands for the values of a scale.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ShownAs {
    /// Their numbers.
    #[default]
    Numbers,
    /// A row of stars, filled up to the value.
    Stars,
    /// A face for each value.
    Faces,
}

impl ShownAs {
    /// The name as it travels.
    pub fn name(self) -> &'static str {
        match self {
            Self::Numbers => "numbers",
            Self::Stars => "stars",
            Self::Faces => "faces",
        }
    }

    /// Whether a scale can be shown like that.
    pub fn fits(self, scale: Scale) -> bool {
        match self {
            Self::Numbers => true,
            Self::Stars => scale.metric() == Metric::Csat,
            Self::Faces => matches!(scale, Scale::Csat3 | Scale::Csat5),
        }
    }
}

/// A text question's limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TextLimits {
    /// The longest answer, in characters: 1 to 2,000.
    #[serde(default = "text_limit")]
    pub max_length: u16,
}

fn text_limit() -> u16 {
    1_000
}

/// A choice question's options.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// What can be chosen, in this order: 2 to 20.
    pub options: Vec<ChoiceOption>,
    /// Whether several can be chosen.
    #[serde(default)]
    pub multiple: bool,
    /// Whether something that is not offered can be chosen, and described in so many characters.
    #[serde(default)]
    pub other: Option<TextLimits>,
}

/// One option of a choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ChoiceOption {
    /// The key under which it is kept and counted; like a question's id, and not `other`.
    pub id: String,
    /// What the visitor reads.
    pub text: Text,
}

/// A condition on the answer to an earlier question. It is not met while that is not answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The earlier question's id.
    pub question: String,
    /// What its answer must be.
    pub is: Expected,
}

/// What an answer must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Expected {
    /// In one of these categories.
    Category(Vec<Category>),
    /// A score in this range.
    Score {
        /// The lowest.
        from: u8,
        /// The highest.
        to: u8,
    },
    /// Any of these options among what was chosen.
    Choice(Vec<String>),
}

impl Condition {
    /// Whether the answers given so far meet it, among questions of which one is the earlier one.
    pub fn is_met(&self, questions: &[Question], answers: &Answers) -> bool {
        let Some(answer) = answers.get(&self.question) else { return false };
        match (&self.is, answer) {
            (Expected::Score { from, to }, Answer::Score(score)) => from <= score && score <= to,
            (Expected::Category(wanted), Answer::Score(score)) => questions
                .iter()
                .find(|question| question.id == self.question)
                .and_then(|question| question.answer.category(*score))
                .is_some_and(|category| wanted.contains(&category)),
            (Expected::Choice(wanted), Answer::Choice(choice)) => wanted.iter().any(|wanted| {
                choice.options.contains(wanted)
                    || (wanted == OTHER_OPTION && choice.other.is_some())
            }),
            _ => false,
        }
    }
}

impl Question {
    /// Whether it is asked after these answers.
    pub fn is_asked(&self, questions: &[Self], answers: &Answers) -> bool {
        self.show_if.as_ref().is_none_or(|condition| condition.is_met(questions, answers))
    }
}

impl AnswerKind {
    /// The category of a score; `None` off the scale and for what is no rating.
    pub fn category(&self, score: u8) -> Option<Category> {
        match self {
            Self::Rating(rating) => rating.scale.category(rating.direction, score),
            Self::Text(_) | Self::Choice(_) => None,
        }
    }

    /// The longest text that its answer can hold, in characters.
    pub fn longest_text(&self) -> u16 {
        match self {
            Self::Rating(_) => 0,
            Self::Text(limits) => limits.max_length,
            Self::Choice(options) => options.other.as_ref().map_or(0, |limits| limits.max_length),
        }
    }
}
