//! Parameters and schemas that several routes have.

use asklet_protocol::responses::{Response, ResponseChange};
use serde_json::{Map, Value, json};

use crate::openapi::Schemas;
use crate::openapi::operation::Operation;

/// Returns the schema of a body that says what changes (RFC 7396).
pub fn patch(name: &str, schemas: &mut Schemas) -> Value {
    let what = "What changes; `null` sets a field to its default, and what is left out stays.";
    let schema = json!({ "description": what, "type": "object", "additionalProperties": true });
    schemas.made(name, schema)
}

/// Returns the schema of a page of responses, as shards write its parts.
pub fn page(schemas: &mut Schemas) -> Value {
    let next = json!({
        "description": "The cursor of the next page; `null` after the last.",
        "type": ["string", "null"],
    });
    let list = list(schemas.written::<Response>(), json!({ "next": next }));
    schemas.made("ResponsePage", list)
}

/// Returns the schema of a page of changes.
pub fn changes(schemas: &mut Schemas) -> Value {
    let next = json!({ "description": "From where to go on.", "type": "string" });
    let more = json!({ "description": "Whether there is more at once.", "type": "boolean" });
    let list = list(schemas.written::<ResponseChange>(), json!({ "next": next, "more": more }));
    schemas.made("ChangePage", list)
}

/// Returns the schema of a list of responses with further fields.
fn list(item: Value, mut fields: Value) -> Value {
    fields["responses"] = json!({ "type": "array", "items": item });
    let required: Vec<_> = fields.as_object().into_iter().flat_map(Map::keys).cloned().collect();
    json!({
        "type": "object",
        "properties": fields,
        "required": required,
        "additionalProperties": false,
    })
}

/// Adds the period that a summary covers.
pub fn period(operation: Operation) -> Operation {
    let time = || json!({ "type": "string" });
    operation
        .query(
            "from",
            time(),
            "RFC 3339, a date, or milliseconds since the epoch; rounded down to a quarter of an hour.",
        )
        .query("to", time(), "The same, rounded up; now if left out.")
        .query("tz", time(), "The IANA zone whose calendar divides the trend.")
        .query(
            "interval",
            words(&["hour", "day", "week", "month", "quarter"]),
            "Adds a trend. Needs `from`.",
        )
        .query("compare", words(&["previous"]), "Adds the change. Needs `from`.")
}

/// Adds the filters by dimension.
pub fn filters(operation: Operation) -> Operation {
    let texts = json!({ "type": "array", "items": { "type": "string" } });
    operation.query("where", texts, "A dimension, a colon and a value; may be repeated.")
}

/// Adds the filters of single responses.
pub fn found(operation: Operation) -> Operation {
    let score = || json!({ "type": "integer", "minimum": 0, "maximum": 10 });
    let text = || json!({ "type": "string" });
    filters(operation)
        .query("question", text(), "The question that scores and comments are of.")
        .query(
            "category",
            json!({ "type": "array", "items": { "type": "string" } }),
            "What the score means; may be repeated.",
        )
        .query("score_from", score(), "The lowest score.")
        .query("score_to", score(), "The highest score.")
        .query("has_comment", json!({ "type": "boolean" }), "Whether there is a comment.")
        .query("text", text(), "What a comment holds, whatever its case and accents.")
        .query("from", text(), "Shown then or later.")
        .query("to", text(), "Shown before.")
        .query(
            "unanswered",
            json!({ "type": "boolean" }),
            "`true`: displays without an answer, too; they are left out otherwise.",
        )
        .query(
            "excluded",
            json!({ "type": "boolean" }),
            "Only displays that were excluded, or only others; both if left out.",
        )
}

/// Returns the schema of a text that is one of some words.
pub fn words(words: &[&str]) -> Value {
    json!({ "type": "string", "enum": words })
}
