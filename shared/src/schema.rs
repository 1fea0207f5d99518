//! The schemas of types whose JSON differs from their fields.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::definition::appearance::Colour;
use crate::dimension::Dimension;
use crate::display::{Answer, Answers, Choice};
use crate::display_id::DisplayId;
use crate::problem::{Code, Problem};

/// Defines the JSON schema of a type; `$generator` knows the schemas of other types.
macro_rules! looks_like {
    ($type:ident, |$generator:pat_param| $schema:expr) => {
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema($generator: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    };
}

looks_like!(Colour, |_| json_schema!({
    "description": "A colour, as CSS writes it with six digits.",
    "type": "string",
    "pattern": "^#[0-9A-Fa-f]{6}$",
}));

looks_like!(DisplayId, |_| json_schema!({
    "description": "The id of a display: a UUID of version 7.",
    "type": "string",
    "format": "uuid",
    "pattern": "^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-7[0-9A-Fa-f]{3}-[89ABab][0-9A-Fa-f]{3}-[0-9A-Fa-f]{12}$",
}));

looks_like!(Dimension, |_| json_schema!({
    "description": "The name of a dimension.",
    "type": "string",
    "pattern": "^(version|variant|channel|device|language|country|touchpoint|page_group|trait\\.[a-z][a-z0-9_]{0,31})$",
}));

looks_like!(Answers, |generator| json_schema!({
    "description": "The answers by question id.",
    "type": "object",
    "additionalProperties": generator.subschema_for::<Answer>(),
}));

looks_like!(Answer, |generator| json_schema!({
    "description": "One answer: a score, a text, or what was chosen.",
    "oneOf": [
        { "type": "integer", "minimum": 0, "maximum": 255 },
        { "type": "string" },
        generator.subschema_for::<Choice>(),
    ],
}));

looks_like!(Choice, |_| json_schema!({
    "description": "The chosen options. `{\"other\": …}` stands for what was not offered.",
    "type": "array",
    "items": {
        "oneOf": [
            { "type": "string" },
            {
                "type": "object",
                "properties": { "other": { "type": "string" } },
                "required": ["other"],
            },
        ],
    },
}));

looks_like!(Code, |_| json_schema!({
    "description": "The stable name of a problem.",
    "type": "string",
    "enum": Code::ALL.iter().map(|code| code.name()).collect::<Vec<_>>(),
}));

looks_like!(Problem, |generator| json_schema!({
    "description": "What cannot be served, as a problem document (RFC 9457).",
    "type": "object",
    "properties": {
        "type": { "type": "string", "format": "uri" },
        "title": { "type": "string" },
        "status": { "type": "integer" },
        "detail": { "description": "A sentence about this case.", "type": "string" },
        "code": generator.subschema_for::<Code>(),
        "field": { "description": "The path of the field at fault.", "type": "string" },
        "limit": { "description": "The limit that it broke.", "type": "string" },
        "instance": {
            "description": "The request that it answers, such as `urn:asklet:request:4k2m9c0v7x`.",
            "type": "string",
            "format": "uri",
        },
    },
    "required": ["type", "title", "status", "detail", "code"],
    "additionalProperties": false,
}));
