//! The OpenAPI document (3.1), `docs/openapi.json`, which the Worker serves as `/openapi.json`. It is made from
//! the table of routes and from the types that the code reads and writes. The tests make it, so none of this
//! code is in the Worker. If the document differs from the code, a test fails.

mod examples;
mod operation;
mod operations;
mod shape;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use asklet_protocol::routes::{Access, ENDPOINTS, ForwardedRoute, Found, Route, find};
use asklet_shared::problem::{Code, Problem};
use schemars::JsonSchema;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value, json};

use crate::openapi::operation::Operation;
use crate::openapi::operations::{FILES, describe, hosted};

/// The path of the stored document.
const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json");

/// The place of the types' schemas in the document.
const SCHEMAS: &str = "/components/schemas";

/// The schemas of the types. In types that the code reads, a field with a default may be left out. In types
/// that the code writes, some fields are left out if they have no content.
struct Schemas {
    read: SchemaGenerator,
    written: SchemaGenerator,
    /// Schemas of values without a type, since the code writes them in pieces.
    made: BTreeMap<String, Value>,
}

impl Schemas {
    fn new() -> Self {
        let settings = || {
            SchemaSettings::draft2020_12()
                .with(|settings| settings.definitions_path = SCHEMAS.into())
        };
        let read = settings().for_deserialize().into_generator();
        let written = settings().for_serialize().into_generator();
        Self { read, written, made: BTreeMap::new() }
    }

    /// Adds the schema of a value without a type, under a name of its own.
    fn made(&mut self, name: &str, schema: Value) -> Value {
        self.made.insert(name.to_owned(), schema);
        json!({ "$ref": format!("#{SCHEMAS}/{name}") })
    }

    /// Returns the schema of a type that requests carry.
    fn read<T: JsonSchema>(&mut self) -> Value {
        self.read.subschema_for::<T>().to_value()
    }

    /// Returns the schema of a type that answers carry.
    fn written<T: JsonSchema>(&mut self) -> Value {
        self.written.subschema_for::<T>().to_value()
    }

    /// Adds all schemas to the document by name, and adapts the references to them. A type has two schemas if
    /// the code reads it in another form than it writes it.
    fn settle(mut self, mut document: Value) -> Value {
        let mut schemas = self.written.take_definitions(true);
        let read = self.read.take_definitions(true);
        // A type that refers to a type with two schemas has two schemas itself.
        let mut renamed: Vec<String> = Vec::new();
        loop {
            let refers = |schema: &Value| {
                let text = schema.to_string();
                renamed.iter().any(|name| text.contains(&format!("\"#{SCHEMAS}/{name}\"")))
            };
            let other = read.iter().find(|(name, schema)| {
                let differs = schemas.get(*name).is_some_and(|written| written != *schema);
                !renamed.contains(name)
                    && (differs || schemas.contains_key(*name) && refers(schema))
            });
            match other {
                Some((name, _)) => renamed.push(name.clone()),
                None => break,
            }
        }
        let as_read = |value: &Value| rename(value, &renamed, "Input");
        for (name, schema) in &read {
            let name = if renamed.contains(name) { format!("{name}Input") } else { name.clone() };
            schemas.insert(name, as_read(schema));
        }
        let paths = document["paths"].as_object_mut().expect("paths");
        for operation in
            paths.values_mut().flat_map(|path| path.as_object_mut().expect("path").values_mut())
        {
            if let Some(body) = operation.get_mut("requestBody") {
                *body = as_read(body);
            }
        }
        let all = schemas.into_iter().chain(self.made).collect();
        document["components"]["schemas"] = json!(shape::shape(all));
        document
    }
}

/// Returns a schema in which references to some names get an ending.
fn rename(value: &Value, names: &[String], ending: &str) -> Value {
    match value {
        Value::Object(object) => object
            .iter()
            .map(|(key, value)| {
                let renamed = value.as_str().filter(|_| key == "$ref").and_then(|reference| {
                    let name = reference.rsplit('/').next()?;
                    names
                        .iter()
                        .any(|other| other == name)
                        .then(|| json!(format!("{reference}{ending}")))
                });
                (key.clone(), renamed.unwrap_or_else(|| rename(value, names, ending)))
            })
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(items) => items.iter().map(|item| rename(item, names, ending)).collect(),
        other => other.clone(),
    }
}

/// Returns the whole document.
fn document() -> Value {
    let mut schemas = Schemas::new();
    let problem = schemas.written::<Problem>();
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for (method, path, sample) in samples() {
        let Found { endpoint, route } = find(method, &sample).expect("a route");
        let operation = match route {
            Route::Forwarded(ForwardedRoute::Hosted { .. }) => hosted(method),
            ref route => describe(route, &mut schemas),
        };
        let (access, takes_parameters) = (endpoint.access(), endpoint.takes_parameters);
        assert!(takes_parameters || operation.parameters.is_empty(), "{method} {path}");
        assert!(access.is_public() || !takes_parameters || !operation.parameters.is_empty());
        assert!(operation.id == endpoint.id || endpoint.id == "asset", "{method} {path}");
        let rendered = operation.render((method, &path), access);
        paths.entry(path).or_default().insert(method.to_lowercase(), rendered);
    }
    let problems: BTreeMap<String, Value> = operations::PROBLEMS
        .iter()
        .map(|status| {
            let example = examples::problem(*status);
            let content =
                json!({ "application/problem+json": { "schema": problem, "example": example } });
            let response =
                json!({ "description": operations::reason(*status), "content": content });
            (status.to_string(), response)
        })
        .collect();
    let document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Asklet",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Surveys in pages, and what came of them. docs/api.md tells it in words.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "tags": operations::TAGS.map(|(name, what)| json!({ "name": name, "description": what })),
        "paths": paths,
        "components": {
            "responses": problems,
            "securitySchemes": {
                "key": { "type": "http", "scheme": "bearer", "description": "A key of the site." },
                "operator": { "type": "http", "scheme": "bearer", "description": "The deployment's admin token." },
            },
        },
    });
    schemas.settle(document)
}

/// Returns each method and path of the document, with a path that leads to it, except the demo, which is for
/// trying out.
fn samples() -> Vec<(&'static str, String, String)> {
    let mut samples = Vec::new();
    for endpoint in ENDPOINTS.iter().filter(|endpoint| endpoint.id != "demo") {
        let files: &[&str] = if endpoint.id == "asset" { &FILES } else { &[""] };
        for file in files {
            let path = endpoint.path.replace("{file}", file);
            let sample = path.replace("{shard}", "0").replace("{digest}", "0123456789abcdef");
            samples.push((endpoint.method, path, sample));
        }
    }
    samples
}

impl Operation {
    /// Renders the operation for its place in the document.
    fn render(&self, (method, path): (&str, &str), access: Access) -> Value {
        // A request that only reads does not need an idempotency key.
        let is_change = matches!(access, Access::Team { .. })
            && method == "POST"
            && !["queryResponses", "lookUpRespondent", "createPreview"].contains(&self.id);
        let mut parameters: Vec<Value> = path
            .split('/')
            .filter_map(|step| step.strip_prefix('{')?.strip_suffix('}'))
            .map(operations::path_parameter)
            .collect();
        parameters.extend(self.parameters.iter().cloned());
        if is_change {
            parameters.push(operations::idempotency_key());
        }
        if self.takes_tag {
            parameters.push(operations::if_match());
        }
        let mut responses = self.answers_with_examples();
        if self.is_tagged {
            let header =
                json!({ "description": "The tag of this state.", "schema": { "type": "string" } });
            for answer in responses.values_mut().filter(|answer| answer["content"].is_object()) {
                answer["headers"] = json!({ "ETag": header });
            }
        }
        if self.takes_tag {
            responses.insert("412".to_owned(), json!({ "$ref": "#/components/responses/412" }));
        }
        self.add_problems(&mut responses, access, is_change);
        let security = match access {
            Access::Page | Access::Public => json!([]),
            Access::Operator => json!([{ "operator": [] }]),
            Access::Team { or_operator: false, .. } => json!([{ "key": [] }]),
            Access::Team { .. } => json!([{ "key": [] }, { "operator": [] }]),
        };
        let mut rendered = json!({
            "operationId": self.id,
            "summary": self.summary,
            "tags": [operations::tag(path, access)],
            "parameters": parameters,
            "responses": responses,
            "security": security,
        });
        rendered["description"] = match access {
            Access::Page | Access::Public => json!("Needs no key."),
            Access::Operator => json!("Needs the admin token."),
            Access::Team { scope, .. } => json!(format!("Needs the scope `{}`.", scope.name())),
        };
        if let Some(body) = &self.body {
            rendered["requestBody"] = body.clone();
        }
        assert!(method != "GET" || self.body.is_none(), "a GET has no body");
        rendered
    }

    fn answers_with_examples(&self) -> Map<String, Value> {
        let mut responses = self.answers.clone();
        for answer in responses.values_mut() {
            let content = answer.get_mut("content").and_then(Value::as_object_mut);
            for (media_type, media) in content.into_iter().flatten() {
                let mut examples = examples::answers(self.id, media_type);
                match examples.len() {
                    0 => {}
                    1 => media["example"] = examples.remove(0).1,
                    _ => {
                        let named = |(name, value): (&str, Value)| {
                            (name.to_owned(), json!({ "value": value }))
                        };
                        media["examples"] = examples.into_iter().map(named).collect();
                    }
                }
            }
        }
        responses
    }

    /// Adds the problems that routes of this kind have, and those of this one.
    fn add_problems(&self, responses: &mut Map<String, Value>, access: Access, is_change: bool) {
        let team: &[u16] = if access.is_public() { &[] } else { &[401, 403, 404, 429] };
        let body: &[u16] = if self.body.is_some() { &[400, 408, 413, 415] } else { &[] };
        let query: &[u16] = if self.takes_query(access) { &[400] } else { &[] };
        let repeated: &[u16] = if is_change { &[400, 422] } else { &[] };
        for status in [team, body, query, repeated, self.problems, &[500, 503]].concat() {
            let problem = if self.tells_people {
                json!({
                    "description": operations::reason(status),
                    "content": { "text/html": {}, "application/problem+json": { "schema": { "$ref": format!("#{SCHEMAS}/Problem") } } },
                })
            } else {
                json!({ "$ref": format!("#/components/responses/{status}") })
            };
            responses.insert(status.to_string(), problem);
        }
    }

    fn takes_query(&self, access: Access) -> bool {
        !access.is_public() || !self.parameters.is_empty()
    }
}

/// Returns the document as text.
fn text() -> String {
    format!("{:#}\n", document())
}

#[test]
fn the_document_is_that_of_the_code() {
    let text = text();
    if std::env::var_os("ASKLET_WRITE_OPENAPI").is_some() {
        fs::write(KEPT, &text).expect("the document is written");
    }
    let kept = fs::read_to_string(Path::new(KEPT)).unwrap_or_default();
    assert!(
        kept == text,
        "docs/openapi.json is not that of the code; make it anew with \
         ASKLET_WRITE_OPENAPI=1 cargo test --package asklet-edge openapi"
    );
}

#[test]
fn a_problem_has_no_field_that_its_schema_lacks() {
    let problem = Problem {
        instance: Some("urn:asklet:request:4k2m9c0v7x".to_owned()),
        ..Problem::new(Code::InvalidQuery, "a detail").at("from").limit("a limit")
    };
    let document = document();
    let schema = &document["components"]["schemas"]["Problem"];
    let problem = json!(problem);
    let written: BTreeSet<_> = problem.as_object().expect("an object").keys().collect();
    let known: BTreeSet<_> = schema["properties"].as_object().expect("properties").keys().collect();
    assert_eq!(written, known);
}

#[test]
fn every_reference_leads_somewhere_and_every_id_is_once() {
    let document = document();
    let mut ids = Vec::new();
    let mut references = Vec::new();
    walk(&document, &mut |key, value| match key {
        "operationId" => ids.push(value.to_string()),
        "$ref" => references.push(value.as_str().expect("a text").to_owned()),
        _ => {}
    });
    assert!(references.iter().all(|reference| document.pointer(&reference[1..]).is_some()));
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count);
}

#[test]
fn every_answer_in_json_has_an_example_unless_its_schema_says_all() {
    let document = document();
    let operations = document["paths"].as_object().expect("paths").values();
    for operation in operations.flat_map(|path| path.as_object().expect("operations").values()) {
        for (status, answer) in operation["responses"].as_object().expect("responses") {
            let media = &answer["content"]["application/json"];
            let has_example = media.get("example").or(media.get("examples")).is_some();
            let id = operation["operationId"].as_str().expect("an id");
            let is_said = matches!(id, "health" | "openapi");
            assert!(media.is_null() || has_example || is_said, "{id} {status}");
        }
    }
}

fn walk(value: &Value, found: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                found(key, value);
                walk(value, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| walk(item, found)),
        _ => {}
    }
}
