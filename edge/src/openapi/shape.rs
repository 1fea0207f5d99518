//! Schemas in the shapes that client generators read. Generators recognise a list of names as an enum only if
//! it is written as one, and they invent names for objects that have none.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::openapi::SCHEMAS;

/// Schemas by name.
pub type Named = BTreeMap<String, Value>;

/// Returns the same schemas in these shapes.
pub fn shape(schemas: Named) -> Named {
    let mut named = Named::new();
    for (name, schema) in schemas {
        let shaped = choices(&name, schema, &mut named);
        add(&mut named, name, shaped);
    }
    for schema in named.values_mut() {
        plain(schema);
    }
    named
}

fn add(named: &mut Named, name: String, schema: Value) {
    let earlier = named.insert(name.clone(), schema);
    assert!(earlier.is_none(), "two schemas are called {name}");
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#{SCHEMAS}/{name}") })
}

/// Returns a schema whose choices are enums, or have names.
fn choices(name: &str, mut schema: Value, named: &mut Named) -> Value {
    for keyword in ["oneOf", "anyOf"] {
        let Some(members) = schema.get_mut(keyword).map(Value::take) else { continue };
        let members = members.as_array().cloned().unwrap_or_default();
        let (words, others): (Vec<_>, Vec<_>) =
            members.into_iter().partition(|member| member.get("const").is_some());
        if others.is_empty() {
            return one_of_words(schema.get("description"), &words);
        }
        let mut members = Vec::new();
        if !words.is_empty() {
            let name = format!("{name}Word");
            members.push(reference(&name));
            add(named, name, one_of_words(None, &words));
        }
        for other in others {
            members.push(member(name, other, named));
        }
        schema[keyword] = members.into();
    }
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        for (property, value) in properties {
            if is_inline_object(value) {
                let name = format!("{name}{}", camel(property));
                let shaped = choices(&name, value.take(), named);
                *value = reference(&name);
                add(named, name, shaped);
            }
        }
    }
    if let Some(items) = schema.get_mut("items")
        && items.get("oneOf").or(items.get("anyOf")).is_some()
    {
        let name = format!("{name}Item");
        let shaped = choices(&name, items.take(), named);
        *items = reference(&name);
        add(named, name, shaped);
    }
    schema
}

/// Returns one of several choices. An object gets a name, after its only member if it has just one.
fn member(name: &str, schema: Value, named: &mut Named) -> Value {
    if !is_inline_object(&schema) {
        return schema;
    }
    let properties = schema.get("properties").and_then(Value::as_object);
    let first = properties.and_then(|properties| properties.keys().next());
    let name = format!("{name}{}", first.map_or("Map".to_owned(), |first| camel(first)));
    let shaped = choices(&name, schema, named);
    add(named, name.clone(), shaped);
    reference(&name)
}

fn is_inline_object(schema: &Value) -> bool {
    let is_map = schema.get("additionalProperties").is_some_and(Value::is_object);
    schema["type"] == "object" && (schema.get("properties").is_some() || is_map)
}

/// Turns a choice of constants into an enum, whose description says what each constant means.
fn one_of_words(description: Option<&Value>, words: &[Value]) -> Value {
    let names: Vec<&Value> = words.iter().map(|word| &word["const"]).collect();
    let means = words.iter().filter_map(|word| {
        Some(format!("- `{}`: {}", word["const"].as_str()?, word.get("description")?.as_str()?))
    });
    let description = description.and_then(Value::as_str).map(|text| format!("{text}\n"));
    let description: Vec<String> = description.into_iter().chain(means).collect();
    json!({ "type": "string", "enum": names, "description": description.join("\n") })
}

/// Removes what generators misunderstand: with some of them a `default` makes a field required, and the sizes
/// of integers are those of Rust.
fn plain(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            plain_object(object);
            for (name, value) in object.iter_mut() {
                if name != "enum" && name != "example" {
                    plain(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(plain),
        _ => {}
    }
}

fn plain_object(schema: &mut Map<String, Value>) {
    // A property may also be named `default`. Then its value is a schema.
    let is_schema = |value: &Value| {
        ["type", "$ref", "oneOf", "anyOf"].iter().any(|keyword| value.get(keyword).is_some())
    };
    if let Some(default) = schema.remove("default") {
        if is_schema(&default) {
            schema.insert("default".to_owned(), default);
        } else if !default.is_null() {
            let text = schema.get("description").and_then(Value::as_str).unwrap_or_default();
            let text = format!("{text}\n\n`{default}` if left out.");
            schema.insert("description".to_owned(), text.trim().into());
        }
    }
    // A tuple becomes a list of fixed length, which all generators know.
    if let Some(first) = schema.remove("prefixItems").and_then(|all| all.get(0).cloned()) {
        schema.insert("items".to_owned(), first);
    }
    let format = match schema.get("format").and_then(Value::as_str) {
        Some("uint8" | "uint16" | "int16") => "int32",
        Some("uint32" | "uint64" | "uint") => "int64",
        _ => return,
    };
    schema.insert("format".to_owned(), format.into());
}

fn camel(name: &str) -> String {
    let words = name.split('_').map(|word| {
        let (first, rest) = word.split_at_checked(1).unwrap_or_default();
        first.to_uppercase() + rest
    });
    words.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_enums_or_have_names() {
        let object = |name: &str, value: Value| json!({ "type": "object", "properties": { name: value }, "required": [name] });
        let range = object("from", json!({ "type": "integer", "format": "uint8" }));
        let schemas = [
            (
                "Stage".to_owned(),
                json!({ "description": "How far.", "oneOf": [
                    { "const": "shown", "description": "In a page.", "type": "string" },
                    { "const": "seen", "description": "In view.", "type": "string" },
                ] }),
            ),
            (
                "Expected".to_owned(),
                json!({ "oneOf": [
                    { "const": "any", "type": "string" },
                    object("every_score", range.clone()),
                    { "$ref": "#/components/schemas/Stage" },
                ] }),
            ),
        ];
        let shaped = shape(schemas.into_iter().collect());
        assert_eq!(shaped["Stage"]["enum"], json!(["shown", "seen"]));
        let told = shaped["Stage"]["description"].as_str().unwrap();
        assert_eq!(told, "How far.\n\n- `shown`: In a page.\n- `seen`: In view.");
        let members = ["ExpectedWord", "ExpectedEveryScore", "Stage"].map(reference);
        assert_eq!(shaped["Expected"]["oneOf"], json!(members));
        let inner = &shaped["ExpectedEveryScore"]["properties"]["every_score"];
        assert_eq!(*inner, reference("ExpectedEveryScoreEveryScore"));
        let from = &shaped["ExpectedEveryScoreEveryScore"]["properties"]["from"];
        assert_eq!(from["format"], "int32");
    }

    #[test]
    fn a_tuple_is_a_list_of_so_many() {
        let text = json!({ "type": "string" });
        let tuple = json!({ "type": "array", "prefixItems": [text, text], "minItems": 2 });
        let shaped = shape([("Pair".to_owned(), tuple)].into());
        assert_eq!(shaped["Pair"], json!({ "type": "array", "items": text, "minItems": 2 }));
    }

    #[test]
    fn a_default_is_told_in_words() {
        let schemas = [(
            "Limits".to_owned(),
            json!({ "type": "object", "properties": {
                "most": { "type": "integer", "description": "The most.", "default": 300 },
                "default": { "type": "string" },
            } }),
        )];
        let shaped = &shape(schemas.into_iter().collect())["Limits"]["properties"];
        assert_eq!(shaped["most"]["description"], "The most.\n\n`300` if left out.");
        assert!(shaped["most"].get("default").is_none() && shaped["default"].is_object());
    }
}
