//! The routes of a survey.

use asklet_protocol::calls::survey::Usage;
use asklet_protocol::calls::team::SurveyRecord;
use asklet_protocol::import::Imported;
use asklet_protocol::routes::SurveyRoute;
use asklet_shared::definition::Definition;
use serde_json::json;

use crate::openapi::operation::{Operation, operation};
use crate::openapi::operations::shapes::{changes, filters, found, page, patch, period, words};
use crate::openapi::{Schemas, examples};
use crate::routes::corrections::{Correct, Progress};
use crate::routes::displays::Exclude;
use crate::routes::survey::SetShards;
use crate::service::filter::ResponseFilter;
use crate::service::preview::Preview;
use crate::service::summary::SurveySummary;

/// Describes a route of a survey.
#[expect(clippy::too_many_lines, reason = "a table: a line for each route")]
pub fn describe(route: &SurveyRoute, schemas: &mut Schemas) -> Operation {
    let record = schemas.written::<SurveyRecord>();
    let answers = |id, summary| {
        operation(id, summary).conditional().answer(200, "The survey.", record.clone())
    };
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
                .conditional()
                .bare(204, "It is gone.")
        }
        SurveyRoute::Duplicate => operation("duplicateSurvey", "Makes a new draft like this one")
            .conditional()
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
        SurveyRoute::Get => operation("getSurvey", "A survey with its draft")
            .tagged()
            .answer(200, "The survey.", record),
        SurveyRoute::Summary => {
            let either = schemas.written::<SurveySummary>();
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
