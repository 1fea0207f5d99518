//! A display: one showing of one survey to one visitor, as the client sends it.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::display_id::DisplayId;

/// One state of one display. Each revision holds the whole state, so only the latest counts.
///
/// A field that is not listed here is ignored: it may come from another version of the widget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Display {
    /// The id, made by the client.
    pub id: DisplayId,
    /// The number of this state, counted by the client from 1.
    pub revision: u32,
    /// The version of the survey that was shown.
    pub version: u32,
    /// How far the visitor came.
    pub stage: Stage,
    /// Whether the visitor closed the survey; a visitor can answer and then close it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dismissed: bool,
    /// How the survey reached the visitor.
    #[serde(default)]
    pub channel: Channel,
    /// The language that was shown, as a BCP 47 tag.
    #[serde(default, deserialize_with = "text_or_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub language: String,
    /// The address of the page.
    #[serde(default, deserialize_with = "text_or_null", skip_serializing_if = "String::is_empty")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub page: String,
    /// The answers so far.
    #[serde(default)]
    pub answers: Answers,
    /// The variant that was shown, one of those that the survey declares.
    #[serde(default, deserialize_with = "text_or_null", skip_serializing_if = "String::is_empty")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub variant: String,
    /// Traits of the respondent without proof.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub traits: BTreeMap<String, String>,
    /// The identity of the respondent: a token that the site's own server made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// How long ago the survey was shown when this was sent, in milliseconds. The sender writes it when it
    /// sends; a state that waits to be sent does not hold it.
    #[serde(default, skip_serializing)]
    pub age_ms: u64,
}

/// Reads `null`, which exports write for an unknown value, as an empty text.
fn text_or_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Option::<String>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// How far a display came. It only grows, and a higher stage implies the lower ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// It was put into the page.
    Shown,
    /// It was in view.
    Seen,
    /// A first answer was given.
    Started,
    /// The thank-you was reached.
    Completed,
}

impl Stage {
    /// All stages, lowest first.
    pub const ALL: [Self; 4] = [Self::Shown, Self::Seen, Self::Started, Self::Completed];

    /// Returns the name as it travels.
    pub fn name(self) -> &'static str {
        match self {
            Self::Shown => "shown",
            Self::Seen => "seen",
            Self::Started => "started",
            Self::Completed => "completed",
        }
    }
}

/// How a survey reached the visitor.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// The widget in a page.
    #[default]
    InPage,
    /// The hosted page, by its address.
    Link,
    /// A mail.
    Email,
    /// A device that many people use.
    Kiosk,
    /// A program.
    Api,
    /// Earlier scores from elsewhere.
    Import,
}

impl Channel {
    /// All channels.
    pub const ALL: [Self; 6] =
        [Self::InPage, Self::Link, Self::Email, Self::Kiosk, Self::Api, Self::Import];

    /// Returns the name that summaries and the store use.
    pub fn name(self) -> &'static str {
        match self {
            Self::InPage => "in_page",
            Self::Link => "link",
            Self::Email => "email",
            Self::Kiosk => "kiosk",
            Self::Api => "api",
            Self::Import => "import",
        }
    }

    /// Whether it is known if a survey came into view: it is not for a form without scripts, a mail, or scores
    /// from elsewhere.
    pub fn tells_seen(self) -> bool {
        !matches!(self, Self::Link | Self::Email | Self::Import)
    }

    /// Returns the channel with a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.name() == name)
    }
}

/// The answers by question id: an object in JSON, in the order in which they were given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answers(pub Vec<(String, Answer)>);

/// One answer: an integer, a text or a list in JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// To a rating: an integer on its scale.
    Score(u8),
    /// To a text question.
    Text(String),
    /// To a choice.
    Choice(Choice),
}

/// The id of the option for an answer that was not offered. No question can define it.
pub const OTHER_OPTION: &str = "other";

/// The options that were chosen: a list in JSON, in which `{"other": "…"}` is an answer that was not offered,
/// in the visitor's own words, and `"other"` the same without words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// The ids of the options.
    pub options: Vec<String>,
    /// The answer that was not offered; empty without words.
    pub other: Option<String>,
}

impl Answers {
    /// Returns the answer to a question.
    pub fn get(&self, question: &str) -> Option<&Answer> {
        self.0.iter().find(|(id, _)| id == question).map(|(_, answer)| answer)
    }

    /// Stores an answer, in the place of an earlier one to the same question.
    pub fn set(&mut self, question: &str, answer: Answer) {
        match self.0.iter_mut().find(|(id, _)| id == question) {
            Some((_, earlier)) => *earlier = answer,
            None => self.0.push((question.to_owned(), answer)),
        }
    }

    /// Removes an answer.
    pub fn remove(&mut self, question: &str) {
        self.0.retain(|(id, _)| id != question);
    }
}

impl Serialize for Answers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (question, answer) in &self.0 {
            map.serialize_entry(question, answer)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Answers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnswersVisitor;

        impl<'de> Visitor<'de> for AnswersVisitor {
            type Value = Answers;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of question ids and answers")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Answers, A::Error> {
                let mut answers = Answers::default();
                while let Some((question, answer)) = map.next_entry::<String, Answer>()? {
                    if answers.get(&question).is_some() {
                        return Err(serde::de::Error::custom(format_args!(
                            "the question {question:?} is answered twice"
                        )));
                    }
                    answers.0.push((question, answer));
                }
                Ok(answers)
            }
        }

        deserializer.deserialize_map(AnswersVisitor)
    }
}

/// One entry of a choice as it arrives.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged, expecting = "an option is its id, or {\"other\": …} for what was not offered")]
enum Entry {
    Option(String),
    Other { other: String },
}

/// An answer that was not offered, as it travels.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Other<'a> {
    other: &'a str,
}

impl Serialize for Choice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        for option in &self.options {
            list.serialize_element(option)?;
        }
        match self.other.as_deref() {
            None => {}
            Some("") => list.serialize_element(OTHER_OPTION)?,
            Some(other) => list.serialize_element(&Other { other })?,
        }
        list.end()
    }
}

impl Choice {
    /// Reads the entries of a list; an option that is chosen twice is an error.
    fn read<'de, A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        let mut choice = Self::default();
        while let Some(entry) = list.next_element()? {
            let other = match entry {
                Entry::Option(option) if option == OTHER_OPTION => String::new(),
                Entry::Option(option) if !choice.options.contains(&option) => {
                    choice.options.push(option);
                    continue;
                }
                Entry::Option(_) => {
                    return Err(serde::de::Error::custom("an option is chosen twice"));
                }
                Entry::Other { other } => other,
            };
            if choice.other.replace(other).is_some() {
                return Err(serde::de::Error::custom("an option is chosen twice"));
            }
        }
        Ok(choice)
    }
}

impl<'de> Deserialize<'de> for Answer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnswerVisitor;

        impl<'de> Visitor<'de> for AnswerVisitor {
            type Value = Answer;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an integer from 0 to 10, a text or a list of options")
            }

            fn visit_u64<E: serde::de::Error>(self, score: u64) -> Result<Answer, E> {
                let off = || E::invalid_value(serde::de::Unexpected::Unsigned(score), &self);
                u8::try_from(score).map(Answer::Score).map_err(|_| off())
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Answer, E> {
                Ok(Answer::Text(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Answer, A::Error> {
                Choice::read(list).map(Answer::Choice)
            }
        }

        deserializer.deserialize_any(AnswerVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_display_of_another_widget_version_is_read_and_one_answered_twice_is_not() {
        let display: Display = serde_json::from_str(
            r#"{"id":"019aa9ce-63b3-7fff-bfff-ffffffffffff","revision":2,"version":1,
                "stage":"started","mood":"later","answers":{"score":9,"why":"fast"}}"#,
        )
        .unwrap();
        assert_eq!(display.answers.get("score"), Some(&Answer::Score(9)));
        assert!(!display.dismissed);
        let choice = r#"{"why":["price",{"other":"too loud"}],"how":["other"]}"#;
        let answers: Answers = serde_json::from_str(choice).unwrap();
        let given =
            Choice { options: vec!["price".to_owned()], other: Some("too loud".to_owned()) };
        assert_eq!(answers.get("why"), Some(&Answer::Choice(given)));
        assert_eq!(serde_json::to_string(&answers).unwrap(), choice);
        for twice in [r#"{"q":["a","a"]}"#, r#"{"q":["other",{"other":"x"}]}"#] {
            assert!(serde_json::from_str::<Answers>(twice).is_err(), "{twice}");
        }
        assert!(serde_json::from_str::<Answers>(r#"{"score":9,"score":1}"#).is_err());
        assert!(serde_json::from_str::<Answers>(r#"{"score":9.5}"#).is_err());
        assert!(serde_json::from_str::<Answers>(r#"{"score":-1}"#).is_err());
    }
}
