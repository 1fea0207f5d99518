//! Descriptions of what each route takes and answers.

mod operator;
mod pages;
mod shapes;
mod site;
mod survey;

use asklet_protocol::routes::{Access, Route};
use serde_json::{Value, json};

use crate::openapi::Schemas;
use crate::openapi::operation::Operation;
pub use crate::openapi::operations::pages::hosted;

/// The files that the document names.
pub const FILES: [&str; 3] = ["openapi.json", "asklet.js", "integrity.json"];

/// The statuses of problems.
pub const PROBLEMS: &[u16] =
    &[400, 401, 403, 404, 408, 409, 410, 412, 413, 415, 422, 429, 500, 503, 507];

/// Returns what a status means, whatever the route.
pub fn reason(status: u16) -> &'static str {
    match status {
        400 => "The body or a parameter cannot be read.",
        401 => "No credential, or one that is not known.",
        403 => "The credential, or the page's origin, may not do this.",
        404 => "There is no such thing.",
        408 => "The body did not arrive in time.",
        409 => "It contradicts what is there.",
        410 => "The survey is closed.",
        412 => "It was changed since it was read.",
        413 => "The body is too large.",
        415 => "The content type is not taken.",
        422 => "It breaks a rule.",
        429 => "Too many requests; `Retry-After` says when to come again.",
        500 => "Something broke on the server; the same request can be repeated.",
        503 => "It cannot be done now; the same request can be repeated.",
        507 => "The survey is full; the same request can be repeated once it is not.",
        _ => unreachable!("a status without a reason"),
    }
}

/// Returns the description of a parameter in a path.
pub fn path_parameter(name: &str) -> Value {
    let (schema, description) = match name {
        "site" => (json!({ "type": "string" }), "The site's id."),
        "survey" => (json!({ "type": "string" }), "The survey's id."),
        "display" => (json!({ "type": "string" }), "The display's id."),
        "id" => (json!({ "type": "string" }), "Its id."),
        "digest" => (
            json!({ "type": "string", "pattern": "^[0-9a-f]{16}$" }),
            "The body's, from the config.",
        ),
        "shard" => (json!({ "type": "string" }), "One of the config's shards."),
        "token" => (json!({ "type": "string" }), "The preview's."),
        "language" => (json!({ "type": "string" }), "A BCP 47 tag."),
        other => unreachable!("{other} is not described"),
    };
    json!({ "name": name, "in": "path", "required": true, "schema": schema, "description": description })
}

/// Returns the description of the header by which a request is carried out only once.
pub fn idempotency_key() -> Value {
    json!({
        "name": "Idempotency-Key",
        "in": "header",
        "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$" },
        "description": "A name for this request, so that it is carried out once however often it is sent within a day.",
    })
}

/// Returns the description of the header by which a change is made only to what the caller read.
pub fn if_match() -> Value {
    json!({
        "name": "If-Match",
        "in": "header",
        "schema": { "type": "string" },
        "description": "The `ETag` of what was read: the change is made only if it is still like that.",
    })
}

/// Describes what a route takes and answers. The compiler asks for a line for each route.
pub fn describe(route: &Route, schemas: &mut Schemas) -> Operation {
    match route {
        Route::Public(route) => pages::public(route, schemas),
        Route::Forwarded(route) => pages::forwarded(route, schemas),
        Route::Operator(route) => operator::describe(route, schemas),
        Route::Team(request) => site::describe(&request.route, schemas),
    }
}

/// Returns the tag under which the operations of a path are grouped.
pub fn tag(path: &str, access: Access) -> &'static str {
    let below = path.split('/').skip(4).collect::<Vec<_>>();
    match (access, below.as_slice()) {
        (Access::Page | Access::Public, _) => "pages",
        (Access::Operator, _) => "operator",
        (_, [.., "summary"]) => "summaries",
        (_, ["respondents", _] | [_, _, "responses" | "export" | "import" | "displays", ..]) => {
            "responses"
        }
        (_, ["surveys", ..]) => "surveys",
        _ => "site",
    }
}

/// All tags, with their descriptions.
pub const TAGS: [(&str, &str); 6] = [
    ("pages", "What pages, browsers and monitors call, without a key."),
    ("operator", "What the operator calls, with the admin token."),
    ("site", "Settings, keys, secrets and the log of a site."),
    ("surveys", "Drafts, what is live, previews and shards."),
    ("summaries", "Scores with their intervals, trends and breakdowns."),
    ("responses", "Single responses: read, exported, imported, corrected and erased."),
];
