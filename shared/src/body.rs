//! The body of a survey: what the widget needs to show it in one language, and nothing else.
//!
//! It travels as postcard behind one byte that names the wire format, and its address holds a digest
//! of those bytes, so a body never changes and may be cached forever.

use serde::{Deserialize, Serialize};

use crate::definition::{Definition, Question};

/// The wire format that this release writes and reads: the first byte of a body.
pub const WIRE_FORMAT: u8 = 1;

/// Everything that the widget shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    /// The language of the texts, as a BCP 47 tag.
    pub language: String,
    /// The questions, in order.
    pub questions: Vec<Question>,
    /// What stands at the end.
    pub thanks: String,
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
    /// The body of a definition.
    pub fn of(definition: &Definition) -> Self {
        Self {
            language: definition.language.clone(),
            questions: definition.questions.clone(),
            thanks: definition.thanks.clone(),
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
        let body = Body::of(&nps_with_comment());
        let mut bytes = body.encode().unwrap();
        assert_eq!(Body::decode(&bytes), Ok(body));
        assert_eq!(Body::decode(&bytes[..9]), Err(BodyError::Malformed));
        bytes[0] = WIRE_FORMAT + 1;
        assert_eq!(Body::decode(&bytes), Err(BodyError::WireFormat));
        assert_eq!(Body::decode(&[]), Err(BodyError::WireFormat));
    }
}
