//! Questions, the answers that they accept, and the conditions on which they are asked.

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
    /// The kind of answer that it accepts.
    pub answer: AnswerKind,
    /// The condition on which it is asked; `None` if it is always asked.
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

/// The scale of a rating question and the labels of its two ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Rating {
    /// The scale; it cannot change once the question has responses.
    pub scale: Scale,
    /// Which end is the good one.
    #[serde(default)]
    pub direction: Direction,
    /// How its values are shown.
    #[serde(default)]
    pub shown_as: ShownAs,
    /// The label of the lowest value.
    pub low: Text,
    /// The label of the highest value.
    pub high: Text,
}

/// How the values of a scale are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ShownAs {
    /// As their numbers.
    #[default]
    Numbers,
    /// As a row of stars, filled up to the value.
    Stars,
    /// As a face for each value.
    Faces,
}

impl ShownAs {
    /// Returns the name as it travels.
    pub fn name(self) -> &'static str {
        match self {
            Self::Numbers => "numbers",
            Self::Stars => "stars",
            Self::Faces => "faces",
        }
    }

    /// Whether a scale can be shown in this way.
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
    /// The options that can be chosen, in this order: 2 to 20.
    pub options: Vec<ChoiceOption>,
    /// Whether several can be chosen.
    #[serde(default)]
    pub multiple: bool,
    /// The limit of the text that describes an option of the visitor's own; `None` if only offered options can
    /// be chosen.
    #[serde(default)]
    pub other: Option<TextLimits>,
}

/// One option of a choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ChoiceOption {
    /// The key under which the option is kept and counted; written like a question's id, and not `other`.
    pub id: String,
    /// What the visitor reads.
    pub text: Text,
}

/// A condition on the answer to an earlier question. It is not met as long as that question is not answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The earlier question's id.
    pub question: String,
    /// The answers that meet the condition.
    pub is: Expected,
}

/// The answers that meet a condition.
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
    /// Any of these options is among the chosen ones.
    Choice(Vec<String>),
}

impl Condition {
    /// Whether the answers given so far meet the condition, where `questions` includes the earlier question.
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
    /// Whether the question is asked after these answers.
    pub fn is_asked(&self, questions: &[Self], answers: &Answers) -> bool {
        self.show_if.as_ref().is_none_or(|condition| condition.is_met(questions, answers))
    }
}

impl AnswerKind {
    /// Returns the category of a score; `None` off the scale and for a question that is not a rating.
    pub fn category(&self, score: u8) -> Option<Category> {
        match self {
            Self::Rating(rating) => rating.scale.category(rating.direction, score),
            Self::Text(_) | Self::Choice(_) => None,
        }
    }

    /// Returns the length of the longest text that its answer can hold, in characters.
    pub fn longest_text(&self) -> u16 {
        match self {
            Self::Rating(_) => 0,
            Self::Text(limits) => limits.max_length,
            Self::Choice(options) => options.other.as_ref().map_or(0, |limits| limits.max_length),
        }
    }
}
