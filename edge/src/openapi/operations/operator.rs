//! The routes that take the deployment's admin token.

use asklet_protocol::bundle::BundleTaken;
use asklet_protocol::routes::OperatorRoute;
use asklet_shared::settings::Settings;
use serde_json::json;

use crate::openapi::operation::{Operation, operation};
use crate::openapi::{Schemas, examples};
use crate::routes::operator::{SiteCreated, Sites};

/// Describes a route of the operator.
pub fn describe(route: &OperatorRoute, schemas: &mut Schemas) -> Operation {
    match route {
        OperatorRoute::Metrics => operation(
            "metrics",
            "What this process has counted, for monitoring",
        )
        .other(200, "Prometheus text format 0.0.4.", "text/plain"),
        OperatorRoute::CreateSite => operation("createSite", "Makes a site")
            .takes(schemas.read::<Settings>(), examples::settings())
            .answer(
                201,
                "The site with its first key, which is shown only here.",
                schemas.written::<SiteCreated>(),
            )
            .problems(&[422]),
        OperatorRoute::ListSites => operation("listSites", "All sites by their ids, 100 at a time")
            .query("after", json!({ "type": "string" }), "What the page before called `next`.")
            .answer(200, "A page.", schemas.written::<Sites>()),
        OperatorRoute::TakeBundle { .. } => {
            operation("takeBundle", "Takes a page of a site that moves here")
                .lines(None)
                .answer(200, "What became of it.", schemas.written::<BundleTaken>())
                .problems(&[409, 422])
        }
        OperatorRoute::GiveBundle { .. } => {
            operation("giveBundle", "A page of everything of a site")
                .query("cursor", json!({ "type": "string" }), "What the page before called `next`.")
                .query("keys", json!({ "type": "boolean" }), "With the digests of the keys.")
                .other(200, "A page.", "application/x-ndjson")
                .problems(&[409])
        }
    }
}
