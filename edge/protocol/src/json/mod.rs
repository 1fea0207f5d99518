//! Reads all JSON in one way: an error names the path of the field that could not be read.

pub mod patch;
mod path;
mod words;

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use asklet_shared::json::with_plain_integers;
use asklet_shared::problem::{Code, Problem};
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::failure::Failure;
use crate::json::path::At;

/// Why a text could not be read as JSON of the expected type. For a text that we wrote, this is a fault of
/// ours.
#[derive(Debug)]
pub struct Malformed {
    /// The path of the field that could not be read; empty for the whole text.
    path: String,
    /// The error message of serde.
    detail: String,
}

/// Reads a text that holds exactly one value.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, Malformed> {
    serde_json::from_str(text).map_err(|error| Malformed::of(text, error))
}

/// Reads the body of a request, which must be an object. Without this check, serde would accept a list as the
/// fields in the order in which the code declares them.
pub fn read_sent<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    read(&object(bytes)?).map_err(Malformed::into_problem)
}

/// Returns the text of an object after a check of how it begins. This is a function apart from the reading,
/// because the module contains the reading once for each type.
#[inline(never)]
fn object(bytes: &[u8]) -> Result<Cow<'_, str>, Problem> {
    let text = without_mark(std::str::from_utf8(bytes).map_err(malformed_utf8)?);
    if text.trim_start_matches([' ', '\t', '\r', '\n']).starts_with('{') {
        return Ok(with_plain_integers(text));
    }
    Err(Problem::new(Code::MalformedJson, "the body is not a JSON object"))
}

/// Removes the byte order mark that some programs put before a text.
pub fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// Writes a value on one line. JSON does not escape three characters that some programs take for the end of a
/// line: U+0085, U+2028 and U+2029.
pub fn line(value: &impl Serialize) -> Result<String, Failure> {
    Ok(on_one_line(serde_json::to_string(value)?))
}

#[inline(never)]
fn on_one_line(json: String) -> String {
    const ENDS: [(char, &str); 3] =
        [('\u{85}', "\\u0085"), ('\u{2028}', "\\u2028"), ('\u{2029}', "\\u2029")];
    let escape = |json: String, (end, escaped)| match json.contains(end) {
        true => json.replace(end, escaped),
        false => json,
    };
    ENDS.into_iter().fold(json, escape)
}

/// Returns the problem for a request body that is not UTF-8, with the place of the first wrong byte.
pub fn malformed_utf8(error: std::str::Utf8Error) -> Problem {
    let detail = format!("byte {} is not UTF-8", error.valid_up_to());
    Problem::new(Code::MalformedUtf8, detail)
}

impl Malformed {
    #[inline(never)]
    fn of(text: &str, error: serde_json::Error) -> Self {
        let lines = text.split_inclusive('\n').take(error.line().saturating_sub(1));
        let read = lines.map(str::len).sum::<usize>() + error.column();
        let mut detail = error.to_string();
        if error.is_syntax() && serde_json::from_str::<IgnoredAny>(text).is_ok() {
            // If a number is given where one of several names is expected, serde says that the text is not
            // JSON.
            detail = format!("{} at line {}", words::NO_SHAPE, error.line());
        }
        // serde_json tells what went wrong only as a sentence. If a later release words it otherwise, the tests
        // below fail.
        let lacks = ["missing field", "invalid length"].iter().any(|it| detail.starts_with(it));
        let at = if lacks { At::Whole } else { At::Value };
        Self { path: path::path(text, read, at), detail }
    }

    /// Returns the problem for the caller who sent the text.
    #[inline(never)]
    fn into_problem(self) -> Problem {
        let (detail, expected) = words::plain(&self.detail);
        let field = Some(self.path).filter(|path| !path.is_empty());
        Problem { field, limit: expected, ..Problem::new(Code::MalformedJson, detail) }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.detail)
    }
}

impl Error for Malformed {}

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

    /// Sets the value at a JSON pointer, and returns the field that the reader's error names.
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
    fn no_reader_of_lines_finds_the_end_of_one_within_a_value() {
        let text = "a\u{85}b\u{2028}c\u{2029}d\u{b}e\u{c}f\u{1c}g\r\nh";
        let written = line(&json!({ "why": text })).unwrap();
        // Python's splitlines() splits at most of these.
        let ends = [
            '\n', '\r', '\u{b}', '\u{c}', '\u{1c}', '\u{1d}', '\u{1e}', '\u{85}', '\u{2028}',
            '\u{2029}',
        ];
        assert!(!written.contains(ends), "{written}");
        assert_eq!(serde_json::from_str::<Value>(&written).unwrap()["why"], text);
    }

    #[test]
    fn a_byte_order_mark_is_skipped_and_a_whole_number_is_an_integer() {
        let read = |text: &str| read_sent::<Pair>(text.as_bytes()).map(|pair| (pair.a, pair.b));
        assert_eq!(read("\u{feff}{\"a\": 1, \"b\": 2}").unwrap(), (1, 2));
        assert_eq!(read("{\"a\": 1.0, \"b\": 2e1}").unwrap(), (1, 20));
        assert!(read("\u{feff}\u{feff}{\"a\": 1, \"b\": 2}").is_err());
    }

    #[test]
    fn what_was_expected_is_said_in_the_words_of_json() {
        for (pointer, value, limit) in [
            ("/name", json!(5), "a text"),
            ("/questions", json!({}), "a list"),
            ("/questions/0", json!(true), "an object"),
            ("/questions/0/text", json!(5), "a text, or an object of texts by language"),
            ("/questions/0/answer", json!(7), "none of the shapes"),
            ("/questions/0/answer/rating/scale", json!([]), "none of the shapes"),
            (
                "/questions/1/answer/text",
                json!({ "max_length": "9" }),
                "an integer from 0 to 65535",
            ),
            (
                "/questions/1/answer/text",
                json!({ "max_length": 70_000 }),
                "an integer from 0 to 65535",
            ),
            ("/triggers/0/delay", json!(1.5), "an integer from 0 to 4294967295"),
        ] {
            let mut json = definition();
            *json.pointer_mut(pointer).unwrap() = value;
            let problem = read_sent::<Definition>(json.to_string().as_bytes()).unwrap_err();
            let said = format!("{} {}", problem.detail, problem.limit.clone().unwrap_or_default());
            assert!(said.contains(limit), "{problem:?}");
            for ours in ["u8", "u16", "u32", "struct ", "enum ", "sequence", "variant"] {
                assert!(!said.contains(ours), "{problem:?}");
            }
        }
    }

    #[test]
    fn a_text_that_is_no_json_is_told_without_a_panic() {
        for text in ["", "{", "[[[", "{\"a", "{\"name\":\"\\", "\u{feff}", "{}{}", "nul", "\"\\u12"]
        {
            assert!(read_sent::<Definition>(text.as_bytes()).is_err(), "{text}");
        }
        let whole = definition().to_string();
        for end in (0..whole.len()).filter(|end| whole.is_char_boundary(*end)) {
            assert!(read_sent::<Definition>(&whole.as_bytes()[..end]).is_err());
        }
    }
}
