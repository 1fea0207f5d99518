//! JSON, read in one way: what does not read is told with its path.

mod path;

use asklet_shared::problem::{Code, Problem};
use serde::de::DeserializeOwned;

use crate::failure::Failure;
use path::At;

/// Why a text does not read.
pub struct Malformed {
    /// The path of what does not read; empty for the whole.
    path: String,
    error: serde_json::Error,
}

/// Reads a text that holds one value and nothing after it.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, Malformed> {
    serde_json::from_str(text).map_err(|error| Malformed::of(text, error))
}

/// Reads what a caller sent, which is an object. A list would be read as the fields of one, in the order
/// in which the code has them.
pub fn read_sent<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    read(object(bytes)?).map_err(Malformed::told)
}

/// The text of an object, by how it begins. Apart from the reading, which is in the module once for
/// each type.
#[inline(never)]
fn object(bytes: &[u8]) -> Result<&str, Problem> {
    let text = std::str::from_utf8(bytes).map_err(malformed_utf8)?;
    if text.trim_start_matches([' ', '\t', '\r', '\n']).starts_with('{') {
        return Ok(text);
    }
    Err(Problem::new(Code::MalformedJson, "this is no JSON object"))
}

/// Where what a caller sent is not UTF-8.
pub fn malformed_utf8(error: std::str::Utf8Error) -> Problem {
    let detail = format!("byte {} is not UTF-8", error.valid_up_to());
    Problem::new(Code::MalformedUtf8, detail)
}

impl Malformed {
    #[inline(never)]
    fn of(text: &str, error: serde_json::Error) -> Self {
        let lines = text.split_inclusive('\n').take(error.line().saturating_sub(1));
        let read = lines.map(str::len).sum::<usize>() + error.column();
        let detail = error.to_string();
        let lacks = ["missing field", "invalid length"].iter().any(|it| detail.starts_with(it));
        let at = if lacks { At::Whole } else { At::Value };
        Self { path: path::path(text, read, at), error }
    }

    /// What the caller is told who sent it.
    #[inline(never)]
    fn told(self) -> Problem {
        let problem = Problem::new(Code::MalformedJson, self.error.to_string());
        if self.path.is_empty() { problem } else { problem.at(self.path) }
    }
}

impl From<Malformed> for Failure {
    /// What we wrote ourselves and cannot read is a fault of ours.
    fn from(Malformed { path, error }: Malformed) -> Self {
        Self::Broken(format!("{path}: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use asklet_shared::definition::Definition;
    use serde_json::{Value, json};

    use super::*;

    #[derive(serde::Deserialize)]
    struct Pair {
        a: u8,
        b: u8,
    }

    fn definition() -> Value {
        json!({
            "name": "Relationship",
            "language": "en",
            "questions": [
                { "id": "score", "text": "How likely?", "answer": { "rating": {
                    "scale": "nps", "low": "Not likely", "high": { "en": "Likely", "de": "Ja" },
                } } },
                { "id": "why", "text": "Why \"so\"?", "answer": { "text": {} } },
            ],
            "primary": "score",
            "thanks": { "text": "Thanks!" },
            "triggers": [{ "delay": 0 }],
            "appearance": { "theme": { "light": { "text": "#000000" } } },
        })
    }

    /// Sets what a path of JSON pointers leads to, and returns the field that the reader names.
    fn broken(pointer: &str, value: Value, pretty: bool) -> Option<String> {
        let mut json = definition();
        *json.pointer_mut(pointer).unwrap() = value;
        let text =
            if pretty { serde_json::to_string_pretty(&json) } else { serde_json::to_string(&json) };
        read_sent::<Definition>(text.unwrap().as_bytes()).unwrap_err().field
    }

    #[test]
    fn what_does_not_read_is_named_by_its_path() {
        for (pointer, value, field) in [
            ("/name", json!(5), "name"),
            ("/questions", json!("none"), "questions"),
            ("/questions/1", json!([]), "questions[1]"),
            ("/questions/1/id", json!({}), "questions[1].id"),
            ("/questions/1", json!({ "id": "why" }), "questions[1]"),
            ("/questions/0/text", json!(5), "questions[0].text"),
            ("/questions/0/answer/rating/high", json!(null), "questions[0].answer.rating.high"),
            (
                "/questions/0/answer/rating/scale",
                json!("stars"),
                "questions[0].answer.rating.scale",
            ),
            (
                "/questions/1/answer/text",
                json!({ "max_length": -1 }),
                "questions[1].answer.text.max_length",
            ),
            ("/triggers/0/delay", json!(1.5), "triggers[0].delay"),
            ("/thanks", json!({ "text": "Bye", "by": "us" }), "thanks.by"),
            ("/thanks", json!({}), "thanks"),
            ("/appearance/theme/light/text", json!("black"), "appearance.theme.light.text"),
        ] {
            for pretty in [false, true] {
                assert_eq!(broken(pointer, value.clone(), pretty).as_deref(), Some(field));
            }
        }
    }

    #[test]
    fn a_list_is_no_object_though_its_elements_would_do_for_the_fields() {
        let read = |text: &str| read_sent::<Pair>(text.as_bytes()).map(|pair| (pair.a, pair.b));
        assert_eq!(read(" \r\n\t{\"a\": 1, \"b\": 2}").unwrap(), (1, 2));
        for text in ["[1, 2]", " [1, 2]", "\"a\"", "null", "1", ""] {
            let refused = read(text).unwrap_err();
            assert_eq!((refused.code, refused.field), (Code::MalformedJson, None), "{text}");
        }
    }

    #[test]
    fn a_text_that_is_no_json_is_told_without_a_panic() {
        for text in
            ["", "{", "[[[", "{\"a", "{\"name\":\"\\", "\u{feff}{}", "{}{}", "nul", "\"\\u12"]
        {
            assert!(read_sent::<Definition>(text.as_bytes()).is_err(), "{text}");
        }
        let whole = definition().to_string();
        for end in (0..whole.len()).filter(|end| whole.is_char_boundary(*end)) {
            assert!(read_sent::<Definition>(&whole.as_bytes()[..end]).is_err());
        }
    }
}
