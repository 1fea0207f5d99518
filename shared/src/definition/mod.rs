//! The definition of a survey, as a team writes it, and the versions that publishing makes from it.

pub mod appearance;
pub mod language;
pub mod page;
pub mod question;
pub mod text;
pub mod when;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::metrics::Category;
use appearance::Appearance;
use page::PageGroup;
use question::{AnswerKind, Question, Rating};
use text::Text;
use when::{Frequency, Targeting, Trigger, Wait};

/// A survey as the team defines it. It travels as JSON; a field that is not listed here is an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// The team's name for the survey; visitors never see it.
    pub name: String,
    /// The survey's own language, as a BCP 47 tag; the site's language if it is left out. Every text is at
    /// least in this language.
    #[serde(default)]
    pub language: String,
    /// The questions in the order in which they are asked.
    pub questions: Vec<Question>,
    /// The id of the rating question whose score is the survey's.
    pub primary: String,
    /// What the visitor reads after the last question.
    pub thanks: Thanks,
    /// The triggers; any one of them shows the survey.
    #[serde(default = "at_once")]
    pub triggers: Vec<Trigger>,
    /// The wait between a trigger and the survey.
    #[serde(default)]
    pub wait: Wait,
    /// Which visitors to ask, and on which pages.
    #[serde(default)]
    pub targeting: Targeting,
    /// How often to ask one visitor.
    #[serde(default)]
    pub frequency: Frequency,
    /// Number of days after which a visitor who puts the survey off is asked again: 1 to 365. Without it,
    /// visitors cannot put it off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub later_days: Option<u16>,
    /// The appearance.
    #[serde(default)]
    pub appearance: Appearance,
    /// The place of the survey in the customer's journey.
    #[serde(default)]
    pub journey: Journey,
    /// The names of the variants that pages distinguish.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variants: Vec<String>,
    /// Groups of pages; a page belongs to the first group that has a rule which matches it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub page_groups: Vec<PageGroup>,
    /// The keys of the traits that are kept and counted; other traits of a page are dropped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub traits: Vec<String>,
    /// The time from which on it is asked, in milliseconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_ms: Option<u64>,
    /// The time until which it is asked, in milliseconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_ms: Option<u64>,
    /// Number of responses that are wanted; once they are reached, nobody is asked any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<u32>,
    /// Number of days after which comments, respondents and traits are forgotten; the counts stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_days: Option<u16>,
}

fn at_once() -> Vec<Trigger> {
    vec![Trigger::Delay(0)]
}

/// What the visitor reads at the end: a text for everybody, and other texts by the category of the primary
/// score.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Thanks {
    /// The text for everybody in none of the categories below.
    pub text: Text,
    /// A link below it.
    #[serde(default)]
    pub link: Option<Link>,
    /// The texts for visitors in a category, instead of the first.
    #[serde(default)]
    pub by_category: BTreeMap<Category, Thank>,
}

/// What the visitors of one category read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Thank {
    /// The text.
    pub text: Text,
    /// A link below it.
    #[serde(default)]
    pub link: Option<Link>,
}

/// A link that a visitor can follow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// The address: `https`, `http`, `mailto` or `tel`.
    pub url: String,
    /// The text of the link.
    pub text: Text,
}

/// The place of a survey in the customer's journey, and the contact.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Journey {
    /// The stage: awareness, consideration, purchase, onboarding, use, support, renewal, loyalty, or
    /// the site's own word.
    pub stage: Option<String>,
    /// The contact, in the site's own words.
    pub touchpoint: Option<String>,
}

/// The stage of a survey's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Written, but never asked.
    Draft,
    /// Being asked.
    Live,
    /// Not asked for now; displays that were shown before are still taken.
    Paused,
    /// Not asked any more.
    Archived,
}

/// One immutable version of a survey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Published {
    /// 1 at the first publish, and 1 more at each further one.
    pub version: u32,
    /// What was published.
    pub definition: Definition,
}

impl Status {
    /// Returns the name as it travels.
    pub fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Live => "live",
            Self::Paused => "paused",
            Self::Archived => "archived",
        }
    }

    /// Returns the status with a name.
    pub fn named(name: &str) -> Option<Self> {
        let all = [Self::Draft, Self::Live, Self::Paused, Self::Archived];
        all.into_iter().find(|status| status.name() == name)
    }
}

impl Definition {
    /// Whether the survey is asked at a time, according to its start and its end.
    pub fn is_asked_at(&self, now_ms: u64) -> bool {
        self.start_ms.is_none_or(|start_ms| start_ms <= now_ms)
            && self.end_ms.is_none_or(|end_ms| now_ms < end_ms)
    }

    /// Whether pages can show the survey; they cannot show choices yet.
    pub fn is_shown(&self) -> bool {
        let mut answers = self.questions.iter().map(|question| &question.answer);
        !answers.any(|answer| matches!(answer, AnswerKind::Choice(_)))
    }

    /// Returns the question with this id.
    pub fn question(&self, id: &str) -> Option<&Question> {
        self.questions.iter().find(|question| question.id == id)
    }

    /// Returns the rating question with this id.
    pub fn rating(&self, id: &str) -> Option<&Rating> {
        match &self.question(id)?.answer {
            AnswerKind::Rating(rating) => Some(rating),
            AnswerKind::Text(_) | AnswerKind::Choice(_) => None,
        }
    }

    /// Returns every text of the survey with its path.
    pub fn texts(&self) -> Vec<(String, &Text)> {
        let mut texts = Vec::new();
        for (at, question) in self.questions.iter().enumerate() {
            let path = format!("questions[{at}]");
            texts.push((format!("{path}.text"), &question.text));
            match &question.answer {
                AnswerKind::Rating(rating) => {
                    texts.push((format!("{path}.answer.rating.low"), &rating.low));
                    texts.push((format!("{path}.answer.rating.high"), &rating.high));
                }
                AnswerKind::Choice(options) => {
                    for (at, option) in options.options.iter().enumerate() {
                        texts.push((
                            format!("{path}.answer.choice.options[{at}].text"),
                            &option.text,
                        ));
                    }
                }
                AnswerKind::Text(_) => {}
            }
        }
        texts.push(("thanks.text".to_owned(), &self.thanks.text));
        for (category, thank) in &self.thanks.by_category {
            texts.push((format!("thanks.by_category.{}.text", category.name()), &thank.text));
        }
        for (path, link) in self.links() {
            texts.push((format!("{path}.text"), &link.text));
        }
        texts
    }

    /// Returns every link of the survey with its path.
    pub fn links(&self) -> Vec<(String, &Link)> {
        let common = self.thanks.link.iter().map(|link| ("thanks.link".to_owned(), link));
        let by_category = self.thanks.by_category.iter().filter_map(|(category, thank)| {
            let path = format!("thanks.by_category.{}.link", category.name());
            thank.link.as_ref().map(|link| (path, link))
        });
        common.chain(by_category).collect()
    }

    /// Whether the survey speaks a language. Most displays are in its own.
    pub fn speaks(&self, language: &str) -> bool {
        language == self.language || self.languages().contains(&language)
    }

    /// Returns the languages that the survey speaks, its own first.
    pub fn languages(&self) -> Vec<&str> {
        let mut others = BTreeSet::new();
        for (_, text) in self.texts() {
            others.extend(text.languages());
        }
        others.remove(self.language.as_str());
        std::iter::once(self.language.as_str()).chain(others).collect()
    }
}
