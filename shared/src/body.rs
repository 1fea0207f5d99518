//! The body of a survey: what the widget needs to show it in one language, and nothing else.
//!
//! It travels as postcard behind one byte that names the wire format, and its address holds a digest
//! of those bytes, so a body never changes and may be cached forever.

use serde::{Deserialize, Serialize};

use crate::definition::question::{AnswerKind, ChoiceOption, Options, Question, Rating};
use crate::definition::text::{self, Text};
use crate::definition::{Definition, Link, Thank};
use crate::metrics::Category;

/// The wire format that this release writes and reads: the first byte of a body.
pub const WIRE_FORMAT: u8 = 1;

/// Everything that the widget shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    /// The language of the texts, as a BCP 47 tag.
    pub language: String,
    /// Whether that language is written from right to left.
    pub right_to_left: bool,
    /// The questions, in order.
    pub questions: Vec<Question<String>>,
    /// The id of the question whose category chooses the thanks.
    pub primary: String,
    /// What stands at the end for everybody who is in none of the categories below.
    pub thanks: Thank<String>,
    /// What stands there instead for those in a category.
    pub thanks_by_category: Vec<(Category, Thank<String>)>,
    /// The widget's own words.
    pub strings: Strings,
}

/// The words that are the widget's and not the survey's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Strings {
    /// The button that closes the survey.
    pub close: String,
    /// The button that leads to the next question.
    pub next: String,
    /// The button after the last question.
    pub send: String,
    /// Said beside a question that may be left empty.
    pub optional: String,
}

/// Why bytes are not a body that this release can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyError {
    /// The first byte names another wire format, or there is none.
    WireFormat,
    /// The bytes behind it do not decode.
    Malformed,
}

impl Body {
    /// The body of a definition in a language that it speaks.
    pub fn of(definition: &Definition, language: &str) -> Self {
        let say = |text: &Text| text.in_language(language, &definition.language).to_owned();
        let link = |link: &Option<Link>| {
            link.as_ref().map(|link| Link { url: link.url.clone(), text: say(&link.text) })
        };
        let thanks = &definition.thanks;
        let by_category = thanks.by_category.iter().map(|(category, thank)| {
            (*category, Thank { text: say(&thank.text), link: link(&thank.link) })
        });
        let questions = definition.questions.iter().map(|question| Question {
            id: question.id.clone(),
            text: say(&question.text),
            answer: match &question.answer {
                AnswerKind::Rating(rating) => AnswerKind::Rating(Rating {
                    scale: rating.scale,
                    direction: rating.direction,
                    low: say(&rating.low),
                    high: say(&rating.high),
                }),
                AnswerKind::Text(limits) => AnswerKind::Text(limits.clone()),
                AnswerKind::Choice(Options { options, multiple, other }) => {
                    let option = |ChoiceOption { id, text }: &ChoiceOption| ChoiceOption {
                        id: id.clone(),
                        text: say(text),
                    };
                    AnswerKind::Choice(Options {
                        options: options.iter().map(option).collect(),
                        multiple: *multiple,
                        other: other.clone(),
                    })
                }
            },
            show_if: question.show_if.clone(),
        });
        Self {
            language: language.to_owned(),
            right_to_left: text::is_right_to_left(language),
            questions: questions.collect(),
            primary: definition.primary.clone(),
            thanks: Thank { text: say(&thanks.text), link: link(&thanks.link) },
            thanks_by_category: by_category.collect(),
            strings: Strings {
                close: "Close".to_owned(),
                next: "Next".to_owned(),
                send: "Send".to_owned(),
                optional: "Optional".to_owned(),
            },
        }
    }

    /// The bytes that travel.
    pub fn encode(&self) -> Result<Vec<u8>, postcard::Error> {
        postcard::to_extend(self, vec![WIRE_FORMAT])
    }

    /// Reads what [`Body::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self, BodyError> {
        match bytes.split_first() {
            Some((&WIRE_FORMAT, body)) => {
                postcard::from_bytes(body).map_err(|_| BodyError::Malformed)
            }
            _ => Err(BodyError::WireFormat),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::tests::nps_with_comment;

    #[test]
    fn a_body_survives_the_wire_and_another_format_is_told_apart() {
        let body = Body::of(&nps_with_comment(), "en");
        let mut bytes = body.encode().unwrap();
        assert_eq!(Body::decode(&bytes), Ok(body));
        assert_eq!(Body::decode(&bytes[..9]), Err(BodyError::Malformed));
        bytes[0] = WIRE_FORMAT + 1;
        assert_eq!(Body::decode(&bytes), Err(BodyError::WireFormat));
        assert_eq!(Body::decode(&[]), Err(BodyError::WireFormat));
    }

    #[test]
    fn a_body_speaks_one_language() {
        let body = Body::of(&nps_with_comment(), "de");
        assert_eq!(body.questions[0].text, "Würden Sie uns empfehlen?");
        assert_eq!(body.questions[1].text, "Why?");
    }
}
