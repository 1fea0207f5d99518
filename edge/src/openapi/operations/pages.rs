//! The routes that need no credential: those that pages, browsers and monitors call.

use asklet_protocol::routes::{ForwardedRoute, PublicRoute};
use asklet_shared::config::Config;
use asklet_shared::display::Display;
use serde_json::json;

use crate::openapi::Schemas;
use crate::openapi::operation::{Operation, operation};
use crate::routes::installs::Report;
use crate::routes::preview::PreviewConfig;

/// Describes a route that the Worker answers itself.
#[expect(clippy::too_many_lines, reason = "a table: a line for each route")]
pub fn public(route: &PublicRoute, schemas: &mut Schemas) -> Operation {
    match route {
        PublicRoute::Health => operation("health", "Whether it answers").answer(
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
        PublicRoute::Asset { file } if file == "openapi.json" => {
            operation("openapi", "This document").answer(200, "It.", json!({ "type": "object" }))
        }
        PublicRoute::Asset { file } if file == "integrity.json" => {
            operation("integrity", "The digests of the scripts, for pages that pin them").answer(
                200,
                "By the names of the files.",
                json!({ "type": "object", "additionalProperties": { "type": "string" } }),
            )
        }
        PublicRoute::Asset { .. } => operation("script", "The script that pages paste")
            .other(
                200,
                "It; the files that it loads have digests in their names.",
                "text/javascript",
            )
            .bare(304, "The browser has it."),
        PublicRoute::Demo | PublicRoute::Preflight => {
            unreachable!("it is not in the document")
        }
        PublicRoute::Config { .. } => {
            operation("config", "Which surveys could be asked, and what to load for it")
                .answer(200, "What is live.", schemas.written::<Config>())
                .bare(304, "The browser has it.")
                .problems(&[404])
        }
        PublicRoute::ReportInstall { .. } => {
            operation("reportInstall", "Reports what stood in the tag's way; as text/plain, too")
                .takes(schemas.read::<Report>(), json!({ "directive": "script-src" }))
                .bare(204, "It is noted.")
                .problems(&[403, 404, 415, 422])
        }
        PublicRoute::Preview { language: None, .. } => {
            operation("preview", "A draft, as a page is told of it")
                .answer(200, "What the config would say.", schemas.written::<PreviewConfig>())
                .problems(&[403, 404, 409, 422])
        }
        PublicRoute::Preview { .. } => operation("previewBody", "A draft's texts in one language")
            .other(200, "As of a body.", "application/octet-stream")
            .problems(&[403, 404, 409, 422]),
    }
}

/// Describes a route that is forwarded to a survey.
pub fn forwarded(route: &ForwardedRoute, schemas: &mut Schemas) -> Operation {
    match route {
        ForwardedRoute::Body { .. } => operation("body", "A survey's texts in one language")
            .other(
                200,
                "Postcard behind one byte that names the format.",
                "application/octet-stream",
            )
            .problems(&[404, 429]),
        ForwardedRoute::Collect { .. } => {
            operation("collect", "Takes the state of a display; as text/plain, too")
                .takes(
                    schemas.read::<Display>(),
                    json!({
                        "id": "019a3cb6-bc00-7cc3-98c4-dc0c0c07398f", "revision": 2, "version": 1,
                        "stage": "started", "language": "en", "answers": { "score": 9 },
                    }),
                )
                .bare(204, "It is stored, or was already.")
                .problems(&[403, 404, 409, 410, 415, 422, 429, 507])
        }
        ForwardedRoute::Hosted { .. } => unreachable!("described by its method"),
    }
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
