//! A display: one showing of one survey to one visitor, as the client tells it.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::display_id::DisplayId;

/// One state of one display. Each revision tells the whole state, so the latest is all that counts.
///
/// A field that is not listed here is ignored: it may come from another widget version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Display {
    /// Made by the client.
    pub id: DisplayId,
    /// The number of this state, counted by the client from 1.
    pub revision: u32,
    /// The version of the survey that was shown.
    pub version: u32,
    /// How far the visitor came.
    pub stage: Stage,
    /// Whether the visitor closed the survey; one can answer and then close.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dismissed: bool,
    /// How the survey reached the visitor.
    #[serde(default)]
    pub channel: Channel,
    /// The language that was shown, as a BCP 47 tag.
    #[serde(default)]
    pub language: String,
    /// The address of the page.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub page: String,
    /// What was answered so far.
    #[serde(default)]
    pub answers: Answers,
    /// How long ago the survey was shown when this was sent, in milliseconds. Whoever sends knows
    /// it and writes it; a state that waits to be sent does not hold it.
    #[serde(default, skip_serializing)]
    pub age_ms: u64,
}

/// How far a display came. It only grows, and a higher stage implies the lower ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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
}

/// How a survey reached the visitor.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// The widget in a page.
    #[default]
    InPage,
}

impl Channel {
    /// The name that summaries and the store use.
    pub fn name(self) -> &'static str {
        match self {
            Self::InPage => "in_page",
        }
    }

    /// The channel with a name.
    pub fn named(name: &str) -> Option<Self> {
        (name == Self::InPage.name()).then_some(Self::InPage)
    }
}

/// The answers by question id: an object in JSON, in the order in which they were given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answers(pub Vec<(String, Answer)>);

/// One answer: an integer or a text in JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// To a rating: an integer on its scale.
    Score(u8),
    /// To a text question.
    Text(String),
}

impl Answers {
    /// The answer to a question.
    pub fn get(&self, question: &str) -> Option<&Answer> {
        self.0.iter().find(|(id, _)| id == question).map(|(_, answer)| answer)
    }

    /// Puts an answer in the place of an earlier one to the same question.
    pub fn set(&mut self, question: &str, answer: Answer) {
        match self.0.iter_mut().find(|(id, _)| id == question) {
            Some((_, earlier)) => *earlier = answer,
            None => self.0.push((question.to_owned(), answer)),
        }
    }

    /// Takes an answer back.
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

impl<'de> Deserialize<'de> for Answer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnswerVisitor;

        impl Visitor<'_> for AnswerVisitor {
            type Value = Answer;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an integer from 0 to 255 or a text")
            }

            fn visit_u64<E: serde::de::Error>(self, score: u64) -> Result<Answer, E> {
                let off = || E::invalid_value(serde::de::Unexpected::Unsigned(score), &self);
                u8::try_from(score).map(Answer::Score).map_err(|_| off())
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Answer, E> {
                Ok(Answer::Text(text.to_owned()))
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
        assert!(serde_json::from_str::<Answers>(r#"{"score":9,"score":1}"#).is_err());
        assert!(serde_json::from_str::<Answers>(r#"{"score":9.5}"#).is_err());
        assert!(serde_json::from_str::<Answers>(r#"{"score":-1}"#).is_err());
    }
}
