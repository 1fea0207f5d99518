//! Descriptions of what each route takes and answers.

use asklet_protocol::audit::Log;
use asklet_protocol::bundle::BundleTaken;
use asklet_protocol::calls::survey::Usage;
use asklet_protocol::calls::team::{SiteRecord, SurveyRecord, Surveys};
use asklet_protocol::import::Imported;
use asklet_protocol::installs::Installs;
use asklet_protocol::keys::Keys;
use asklet_protocol::responses::{Response, ResponseChange};
use asklet_protocol::routes::{
    Access, ForwardedRoute, OperatorRoute, PublicRoute, Route, SurveyRoute, TeamRoute,
};
use asklet_shared::choice::ChoiceSummary;
use asklet_shared::config::Config;
use asklet_shared::definition::Definition;
use asklet_shared::display::Display;
use asklet_shared::pooled::SiteSummary;
use asklet_shared::settings::Settings;
use asklet_shared::summary::Summary;
use serde_json::{Map, Value, json};

use crate::openapi::operation::{Operation, operation};
use crate::openapi::{Schemas, examples};
use crate::routes::corrections::{Correct, Progress};
use crate::routes::displays::Exclude;
use crate::routes::installs::Report;
use crate::routes::keys::{KeyCreated, MakeKey};
use crate::routes::operator::{SiteCreated, Sites};
use crate::routes::preview::PreviewConfig;
use crate::routes::responses::LookUp;
use crate::routes::site::{EraseRespondent, RespondentErased, SecretCreated};
use crate::routes::survey::SetShards;
use crate::service::filter::ResponseFilter;
use crate::service::preview::Preview;

/// The files that the document names.
pub const FILES: [&str; 3] = ["openapi.json", "asklet.js", "integrity.json"];

/// The statuses of problems.
pub const PROBLEMS: &[u16] =
    &[400, 401, 403, 404, 408, 409, 410, 413, 415, 422, 429, 500, 503, 507];

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

/// Describes what a route takes and answers. The compiler asks for a line for each route.
pub fn describe(route: &Route, schemas: &mut Schemas) -> Operation {
    match route {
        Route::Public(PublicRoute::Health) => operation("health", "Whether it answers").answer(
            200,
            "It does.",
            schemas.made(
                "Health",
                json!({
                    "type": "object",
                    "properties": {
                        "status": { "type": "string", "enum": ["ok"] },
                        "tz": {
                            "type": ["string", "null"],
                            "description": "The newest release of the IANA time zone database whose rules \
                                the runtime shows that it knows, such as `2026e`; `null` before `2026a`.",
                        },
                    },
                    "required": ["status", "tz"],
                }),
            ),
        ),
        Route::Public(PublicRoute::Asset { file }) if file == "openapi.json" => {
            operation("openapi", "This document").answer(200, "It.", json!({ "type": "object" }))
        }
        Route::Public(PublicRoute::Asset { file }) if file == "integrity.json" => {
            operation("integrity", "The digests of the scripts, for pages that pin them").answer(
                200,
                "By the names of the files.",
                json!({ "type": "object", "additionalProperties": { "type": "string" } }),
            )
        }
        Route::Public(PublicRoute::Asset { .. }) => operation("script", "The script that pages paste")
            .other(
                200,
                "It; the files that it loads have digests in their names.",
                "text/javascript",
            )
            .bare(304, "The browser has it."),
        Route::Public(PublicRoute::Demo | PublicRoute::Preflight) => {
            unreachable!("it is not in the document")
        }
        Route::Public(PublicRoute::Config { .. }) => {
            operation("config", "Which surveys could be asked, and what to load for it")
                .answer(200, "What is live.", schemas.written::<Config>())
                .bare(304, "The browser has it.")
                .problems(&[404])
        }
        Route::Public(PublicRoute::ReportInstall { .. }) => {
            operation("reportInstall", "Reports what stood in the tag's way; as text/plain, too")
                .takes(schemas.read::<Report>(), json!({ "directive": "script-src" }))
                .bare(204, "It is noted.")
                .problems(&[403, 404, 415, 422])
        }
        Route::Forwarded(ForwardedRoute::Body { .. }) => operation("body", "A survey's texts in one language")
            .other(
                200,
                "Postcard behind one byte that names the format.",
                "application/octet-stream",
            )
            .problems(&[404, 429]),
        Route::Forwarded(ForwardedRoute::Collect { .. }) => operation("collect", "Takes the state of a display; as text/plain, too")
            .takes(
                schemas.read::<Display>(),
                json!({
                    "id": "019a3cb6-bc00-7cc3-98c4-dc0c0c07398f", "revision": 2, "version": 1,
                    "stage": "started", "language": "en", "answers": { "score": 9 },
                }),
            )
            .bare(204, "It is stored, or was already.")
            .problems(&[403, 404, 409, 410, 415, 422, 429, 507]),
        Route::Public(PublicRoute::Preview { language: None, .. }) => {
            operation("preview", "A draft, as a page is told of it")
                .answer(200, "What the config would say.", schemas.written::<PreviewConfig>())
                .problems(&[403, 404, 409, 422])
        }
        Route::Public(PublicRoute::Preview { .. }) => operation("previewBody", "A draft's texts in one language")
            .other(200, "As of a body.", "application/octet-stream")
            .problems(&[403, 404, 409, 422]),
        Route::Forwarded(ForwardedRoute::Hosted { .. }) => unreachable!("described by its method"),
        Route::Operator(OperatorRoute::Metrics) => {
            operation("metrics", "What this process has counted, for monitoring")
                .other(200, "Prometheus text format 0.0.4.", "text/plain")
        }
        Route::Operator(OperatorRoute::CreateSite) => operation("createSite", "Makes a site")
            .takes(schemas.read::<Settings>(), examples::settings())
            .answer(
                201,
                "The site with its first key, which is shown only here.",
                schemas.written::<SiteCreated>(),
            )
            .problems(&[422]),
        Route::Operator(OperatorRoute::ListSites) => operation("listSites", "All sites by their ids, 100 at a time")
            .query("after", json!({ "type": "string" }), "What the page before called `next`.")
            .answer(200, "A page.", schemas.written::<Sites>()),
        Route::Operator(OperatorRoute::TakeBundle { .. }) => {
            operation("takeBundle", "Takes a page of a site that moves here")
                .lines(None)
                .answer(200, "What became of it.", schemas.written::<BundleTaken>())
                .problems(&[409, 422])
        }
        Route::Operator(OperatorRoute::GiveBundle { .. }) => operation("giveBundle", "A page of everything of a site")
            .query("cursor", json!({ "type": "string" }), "What the page before called `next`.")
            .query("keys", json!({ "type": "boolean" }), "With the digests of the keys.")
            .other(200, "A page.", "application/x-ndjson")
            .problems(&[409]),
        Route::Team(request) => of_team(&request.route, schemas),
    }
}

/// Describes a route of a site.
fn of_team(route: &TeamRoute, schemas: &mut Schemas) -> Operation {
    match route {
        TeamRoute::GetSite => operation("getSite", "A site's settings").answer(
            200,
            "They.",
            schemas.written::<SiteRecord>(),
        ),
        TeamRoute::ReplaceSite => operation("changeSite", "Replaces a site's settings")
            .takes(schemas.read::<Settings>(), examples::settings())
            .answer(200, "They.", schemas.written::<SiteRecord>())
            .problems(&[422]),
        TeamRoute::PatchSite => operation("patchSite", "Changes some of a site's settings")
            .takes(
                patch("SettingsPatch", schemas),
                json!({ "rest_days": 14, "privacy": { "page": "none" } }),
            )
            .answer(200, "All of them.", schemas.written::<SiteRecord>())
            .problems(&[422]),
        TeamRoute::DeleteSite => {
            operation("deleteSite", "Removes a site with everything in it").bare(204, "It is gone.")
        }
        TeamRoute::CreateKey => operation("createKey", "Makes a key")
            .takes(schemas.read::<MakeKey>(), json!({ "name": "Dashboard", "scope": "read" }))
            .answer(201, "The key, which is shown only here.", schemas.written::<KeyCreated>())
            .problems(&[409, 422]),
        TeamRoute::ListKeys => operation("listKeys", "A site's keys, without their secrets")
            .answer(200, "They.", schemas.written::<Keys>()),
        TeamRoute::RevokeKey { .. } => {
            operation("revokeKey", "Revokes a key").bare(204, "It is dead.").problems(&[409])
        }
        TeamRoute::ListInstalls => operation(
            "installs",
            "Where the tag runs, and what stands in its way",
        )
        .answer(200, "By origin.", schemas.written::<Installs>()),
        TeamRoute::Audit => operation("audit", "What was changed by which key, newest first")
            .query(
                "before",
                json!({ "type": "integer", "minimum": 0 }),
                "What the page before called `next`.",
            )
            .answer(200, "A page.", schemas.written::<Log>()),
        TeamRoute::CreateIdentitySecret => {
            operation("createIdentitySecret", "Makes an identity secret")
                .answer(
                    201,
                    "The secret, which is shown only here.",
                    schemas.written::<SecretCreated>(),
                )
                .problems(&[409])
        }
        TeamRoute::RemoveIdentitySecret { .. } => {
            operation("removeIdentitySecret", "Removes an identity secret").bare(204, "It is gone.")
        }
        TeamRoute::EraseRespondent => {
            operation("eraseRespondent", "Erases everything of a respondent")
                .takes(schemas.read::<EraseRespondent>(), json!({ "respondent": "customer-17" }))
                .answer(200, "How many displays that were.", schemas.written::<RespondentErased>())
        }
        TeamRoute::LookUpRespondent => operation("lookUpRespondent", "Everything of a respondent")
            .takes(schemas.read::<LookUp>(), json!({ "respondent": "customer-17" }))
            .answer(200, "A page.", page(schemas)),
        TeamRoute::Summary => period(operation("siteSummary", "A site's surveys together")).answer(
            200,
            "A pool for each metric and scale.",
            schemas.written::<SiteSummary>(),
        ),
        TeamRoute::CreateSurvey => operation("createSurvey", "Makes a draft")
            .takes(schemas.read::<Definition>(), examples::definition())
            .answer(201, "The survey.", schemas.written::<SurveyRecord>())
            .problems(&[409, 422]),
        TeamRoute::ListSurveys => operation(
            "listSurveys",
            "A site's surveys, without their drafts",
        )
        .answer(200, "All of them.", schemas.written::<Surveys>()),
        TeamRoute::Survey { route, .. } => of_survey(route, schemas),
    }
}

/// Describes a route of a survey.
fn of_survey(route: &SurveyRoute, schemas: &mut Schemas) -> Operation {
    match route {
        SurveyRoute::Get
        | SurveyRoute::Replace
        | SurveyRoute::Patch
        | SurveyRoute::Delete
        | SurveyRoute::Duplicate
        | SurveyRoute::Publish
        | SurveyRoute::Pause
        | SurveyRoute::Resume
        | SurveyRoute::Archive
        | SurveyRoute::RefuseIntake
        | SurveyRoute::AcceptIntake
        | SurveyRoute::SetShards => of_draft(route, schemas),
        SurveyRoute::Summary => {
            let either = json!({ "anyOf": [schemas.written::<Summary>(), schemas.written::<ChoiceSummary>()] });
            let either = schemas.made("SurveySummary", either);
            filters(period(operation("summary", "What a survey's answers come to")))
                .query(
                    "question",
                    json!({ "type": "string" }),
                    "Another rating or choice than the primary one.",
                )
                .query("by", json!({ "type": "string" }), "A dimension: adds a breakdown.")
                .query(
                    "per",
                    words(&["respondent"]),
                    "Counts each respondent's latest answer.",
                )
                .answer(200, "The summary of a rating, or of a choice.", either)
        }
        SurveyRoute::QueryResponses => {
            operation("queryResponses", "Single responses, newest first")
                .takes(
                    schemas.read::<ResponseFilter>(),
                    json!({ "category": ["detractor"], "has_comment": true, "limit": 20 }),
                )
                .answer(200, "A page.", page(schemas))
        }
        SurveyRoute::ListResponses => {
            let either = json!({ "anyOf": [page(schemas), changes(schemas)] });
            let either = schemas.made("ResponsesOrChanges", either);
            found(operation(
                "responses",
                "Single responses, newest first, or in the order of their last changes",
            ))
            .query("order", words(&["asc", "desc"]), "`asc` follows changes.")
            .query(
                "after",
                json!({ "type": "string" }),
                "With `order=asc`: what the page before called `next`.",
            )
            .query(
                "limit",
                json!({ "type": "integer", "minimum": 1, "maximum": 200 }),
                "How many; 50 if left out.",
            )
            .query("cursor", json!({ "type": "string" }), "What the page before called `next`.")
            .answer(200, "A page of responses, or of changes.", either)
        }
        SurveyRoute::Export => found(operation(
            "export",
            "All responses as a stream, in the order in which they first arrived",
        ))
        .query("format", words(&["ndjson", "csv"]), "`ndjson` if left out.")
        .query(
            "escape_formulas",
            json!({ "type": "boolean" }),
            "With `format=csv`: whether texts that a spreadsheet would take for formulas are marked; `true` if left out.",
        )
        .exported(),
        SurveyRoute::DeleteDisplay { .. } => {
            operation("deleteResponse", "Removes a display").bare(204, "It is gone.")
        }
        SurveyRoute::CreatePreview => {
            operation("createPreview", "Makes an address of the draft, for an hour")
                .answer(201, "The address.", schemas.written::<Preview>())
                .problems(&[409, 422])
        }
        SurveyRoute::RevokePreviews => {
            operation("revokePreviews", "Ends all previews of a survey").bare(204, "They are over.")
        }
        SurveyRoute::Usage => operation("usage", "How much a survey stores and writes").answer(
            200,
            "Over all shards.",
            schemas.written::<Usage>(),
        ),
        SurveyRoute::Import => {
            operation("import", "Takes displays that a program tells of, a line each")
                .query(
                    "shard",
                    json!({ "type": "integer", "minimum": 0, "maximum": 7 }),
                    "The shard; 0 if left out.",
                )
                .lines(Some(json!(
                    "{\"time\": \"2024-05-01T12:00:00Z\", \"question\": \"score\", \"score\": 9}\n"
                )))
                .answer(200, "What became of the lines.", schemas.written::<Imported>())
                .problems(&[409, 507])
        }
        SurveyRoute::Correct => {
            operation("correct", "Excludes, includes or deletes all displays that a filter finds")
                .takes(
                    schemas.read::<Correct>(),
                    json!({
                        "action": "exclude", "reason": "spam", "dry_run": true,
                        "filter": { "received_from": "2026-11-22T06:00:00Z", "unanswered": true },
                    }),
                )
                .answer(200, "How far it came.", schemas.written::<Progress>())
                .problems(&[422])
        }
        SurveyRoute::Exclude { .. } => {
            operation("excludeResponse", "Counts a display nowhere any more")
                .takes(schemas.read::<Exclude>(), json!({ "reason": "a test of ours" }))
                .bare(204, "It is kept and counts nowhere.")
                .problems(&[422])
        }
        SurveyRoute::Include { .. } => {
            operation("includeResponse", "Counts a display again").bare(204, "It counts.")
        }
    }
}

/// Describes a route that answers with the survey after the change.
fn of_draft(route: &SurveyRoute, schemas: &mut Schemas) -> Operation {
    let record = schemas.written::<SurveyRecord>();
    let answers = |id, summary| operation(id, summary).answer(200, "The survey.", record.clone());
    match route {
        SurveyRoute::Replace => answers("changeSurvey", "Replaces the draft")
            .takes(schemas.read::<Definition>(), examples::definition())
            .problems(&[409, 422]),
        SurveyRoute::Patch => answers("patchSurvey", "Changes something of the draft")
            .takes(
                patch("DefinitionPatch", schemas),
                json!({ "quota": 500, "thanks": { "text": "Thanks!" } }),
            )
            .problems(&[409, 422]),
        SurveyRoute::Delete => {
            operation("deleteSurvey", "Removes a survey with everything that was collected")
                .bare(204, "It is gone.")
        }
        SurveyRoute::Duplicate => operation("duplicateSurvey", "Makes a new draft like this one")
            .answer(201, "The copy.", record)
            .problems(&[409]),
        SurveyRoute::Publish => {
            answers("publishSurvey", "Makes the draft the next version, live").problems(&[409, 422])
        }
        SurveyRoute::Pause => answers("pauseSurvey", "Stops asking for now").problems(&[409]),
        SurveyRoute::Resume => answers("resumeSurvey", "Asks again").problems(&[409]),
        SurveyRoute::Archive => answers("archiveSurvey", "Stops asking for good").problems(&[409]),
        SurveyRoute::RefuseIntake => answers("refuseIntake", "Has all displays refused, for good"),
        SurveyRoute::AcceptIntake => {
            answers("acceptIntake", "Has displays taken again").problems(&[409])
        }
        SurveyRoute::SetShards => answers("setShards", "Spreads new displays over more objects")
            .takes(schemas.read::<SetShards>(), json!({ "shards": 2 }))
            .problems(&[409, 422]),
        _ => answers("getSurvey", "A survey with its draft"),
    }
}

/// Returns the schema of a body that says what changes (RFC 7396).
fn patch(name: &str, schemas: &mut Schemas) -> Value {
    let what = "What changes; `null` sets a field to its default, and what is left out stays.";
    let schema = json!({ "description": what, "type": "object", "additionalProperties": true });
    schemas.made(name, schema)
}

/// Describes the hosted page, whose two methods are one route.
pub fn hosted(method: &str) -> Operation {
    let page = |operation: Operation| {
        let operation = operation
            .query("lang", json!({ "type": "string" }), "The language to ask in.")
            .query("frame", json!({ "type": "string" }), "It stands in a frame.")
            .query("preview", json!({ "type": "string" }), "The token of a preview.")
            .other(200, "The page.", "text/html")
            .problems(&[400, 403, 404, 408, 409, 410, 413, 415, 422, 429, 507]);
        Operation { tells_people: true, ..operation }
    };
    if method == "GET" {
        page(operation("hostedPage", "The survey as a page of its own"))
    } else {
        let form = json!({
            "required": true,
            "content": { "application/x-www-form-urlencoded": { "schema": { "type": "object" } } },
        });
        Operation { body: Some(form), ..page(operation("sendHostedPage", "Takes the page's form")) }
    }
}

/// Returns the schema of a page of responses, as shards write its parts.
fn page(schemas: &mut Schemas) -> Value {
    let next = json!({
        "description": "The cursor of the next page; `null` after the last.",
        "type": ["string", "null"],
    });
    let list = list(schemas.written::<Response>(), json!({ "next": next }));
    schemas.made("ResponsePage", list)
}

/// Returns the schema of a page of changes.
fn changes(schemas: &mut Schemas) -> Value {
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

fn period(operation: Operation) -> Operation {
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

fn filters(operation: Operation) -> Operation {
    let texts = json!({ "type": "array", "items": { "type": "string" } });
    operation.query("where", texts, "A dimension, a colon and a value; may be repeated.")
}

/// Adds the filters of single responses.
fn found(operation: Operation) -> Operation {
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
fn words(words: &[&str]) -> Value {
    json!({ "type": "string", "enum": words })
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
