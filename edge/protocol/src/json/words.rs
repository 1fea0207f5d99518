//! Rewrites error messages of serde in the words of JSON: serde names types of the code, which no caller knows.
//!
//! serde_json passes on what was found and what was expected only as a sentence, so this reads sentences. One that
//! is worded otherwise in a later release is shown as it is, and the tests of [`super`] fail.

/// The message for a value that must have one of several shapes and has none of them.
pub const NO_SHAPE: &str = "the value has none of the shapes that are taken here";

/// The words that precede what serde expected.
const EXPECTED: &str = ", expected ";

/// Returns a message of serde in the words of JSON, and what serde expected if the message says so.
pub fn plain(sentence: &str) -> (String, Option<String>) {
    let (said, place) = match sentence.rfind(" at line ") {
        Some(at) => sentence.split_at(at),
        None => (sentence, ""),
    };
    if said.starts_with("data did not match any variant") {
        return (format!("{NO_SHAPE}{place}"), None);
    }
    // The message quotes the value before these words, and the value may contain the same words: the last match
    // counts.
    let Some((before, expected)) = said.rsplit_once(EXPECTED) else {
        return (sentence.to_owned(), None);
    };
    let expected = in_words(expected);
    let found = before.strip_prefix("invalid type: ").map(|found| match found {
        "map" => "invalid type: an object".to_owned(),
        "sequence" => "invalid type: a list".to_owned(),
        other => match other.strip_prefix("floating point ") {
            Some(number) => format!("invalid type: the number {number}"),
            None => format!("invalid type: {other}"),
        },
    });
    let found = found.as_deref().unwrap_or(before);
    (format!("{found}{EXPECTED}{expected}{place}"), Some(expected))
}

/// Returns the JSON name of what serde expected.
fn in_words(expected: &str) -> String {
    let integer = |most: u64| format!("an integer from 0 to {most}");
    match expected {
        "u8" => integer(u8::MAX.into()),
        "u16" => integer(u16::MAX.into()),
        "u32" => integer(u32::MAX.into()),
        "u64" | "usize" => "an integer of 0 or more".to_owned(),
        "a string" | "a borrowed string" | "string" => "a text".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a map" | "map" => "an object".to_owned(),
        "a sequence" => "a list".to_owned(),
        "string or map" => "a text or an object".to_owned(),
        "variant identifier" | "field identifier" => "a name".to_owned(),
        "unit" | "unit variant" => "null".to_owned(),
        other if other.starts_with("struct ") => "an object".to_owned(),
        other if other.starts_with("struct variant ") => "an object".to_owned(),
        other if other.starts_with("enum ") => "a text or an object".to_owned(),
        other if other.starts_with("unit variant ") => "a text".to_owned(),
        other => other.to_owned(),
    }
}
