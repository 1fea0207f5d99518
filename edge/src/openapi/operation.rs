//! The description of what a route takes and answers.

use serde_json::{Map, Value, json};

/// What a route takes and answers.
#[derive(Default)]
pub struct Operation {
    pub id: &'static str,
    pub summary: &'static str,
    pub parameters: Vec<Value>,
    pub body: Option<Value>,
    pub answers: Map<String, Value>,
    /// The statuses of problems besides those that all routes of its kind have.
    pub problems: &'static [u16],
    /// Whether its answers have a tag.
    pub is_tagged: bool,
    /// Whether it takes the tag of what was read.
    pub takes_tag: bool,
    /// Whether problems are answered as pages, for people.
    pub tells_people: bool,
}

/// Returns an operation that takes and answers nothing yet.
pub fn operation(id: &'static str, summary: &'static str) -> Operation {
    Operation { id, summary, ..Operation::default() }
}

impl Operation {
    pub fn query(mut self, name: &str, schema: Value, description: &str) -> Self {
        let parameter =
            json!({ "name": name, "in": "query", "schema": schema, "description": description });
        self.parameters.push(parameter);
        self
    }

    /// Adds a body in JSON. Client generators take only one media type, and not all of those that the route
    /// does.
    pub fn takes(mut self, schema: Value, example: Value) -> Self {
        let media = json!({ "schema": schema, "example": example });
        self.body = Some(json!({ "required": true, "content": { "application/json": media } }));
        self
    }

    /// Adds a body of lines of JSON, in a media type that client generators know.
    pub fn lines(mut self, example: Option<Value>) -> Self {
        let mut media = json!({ "schema": { "type": "string", "format": "binary" } });
        if let Some(example) = example {
            media["example"] = example;
        }
        self.body = Some(json!({
            "description": "Lines of JSON (NDJSON).",
            "required": true,
            "content": { "application/octet-stream": media },
        }));
        self
    }

    /// Adds an answer in JSON.
    pub fn answer(mut self, status: u16, description: &str, schema: Value) -> Self {
        let content = json!({ "application/json": { "schema": schema } });
        let answer = json!({ "description": description, "content": content });
        self.answers.insert(status.to_string(), answer);
        self
    }

    /// Adds an answer in another media type.
    pub fn other(mut self, status: u16, description: &str, media_type: &str) -> Self {
        let answer = json!({ "description": description, "content": { media_type: {} } });
        self.answers.insert(status.to_string(), answer);
        self
    }

    /// Adds an answer without a body.
    pub fn bare(mut self, status: u16, description: &str) -> Self {
        self.answers.insert(status.to_string(), json!({ "description": description }));
        self
    }

    /// Adds an answer with lines of responses, or a table.
    pub fn exported(mut self) -> Self {
        let answer = json!({
            "description": "The stream, of a response a line. Where something fails the last line says so instead.",
            "content": {
                "application/x-ndjson": { "schema": { "type": "string" } },
                "text/csv": { "schema": { "type": "string" } },
            },
        });
        self.answers.insert("200".to_owned(), answer);
        self
    }

    /// Says that the answers have a tag.
    pub fn tagged(mut self) -> Self {
        self.is_tagged = true;
        self
    }

    /// Says that it takes the tag of what was read, and that its answers have one.
    pub fn conditional(mut self) -> Self {
        self.takes_tag = true;
        self.tagged()
    }

    pub fn problems(mut self, problems: &'static [u16]) -> Self {
        self.problems = problems;
        self
    }
}
