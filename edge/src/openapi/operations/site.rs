//! The routes of a site.

use asklet_protocol::audit::Log;
use asklet_protocol::calls::team::{SiteRecord, SurveyRecord, Surveys};
use asklet_protocol::installs::Installs;
use asklet_protocol::keys::Keys;
use asklet_protocol::routes::TeamRoute;
use asklet_shared::definition::Definition;
use asklet_shared::pooled::SiteSummary;
use asklet_shared::settings::Settings;
use serde_json::json;

use crate::openapi::operation::{Operation, operation};
use crate::openapi::operations::shapes::{page, patch, period};
use crate::openapi::operations::survey;
use crate::openapi::{Schemas, examples};
use crate::routes::keys::{KeyCreated, MakeKey};
use crate::routes::responses::LookUp;
use crate::routes::site::{EraseRespondent, RespondentErased, SecretCreated};
use crate::service::overview::Overview;

/// Describes a route of a site.
#[expect(clippy::too_many_lines, reason = "a table: a line for each route")]
pub fn describe(route: &TeamRoute, schemas: &mut Schemas) -> Operation {
    match route {
        TeamRoute::GetSite => operation("getSite", "A site's settings").tagged().answer(
            200,
            "They.",
            schemas.written::<SiteRecord>(),
        ),
        TeamRoute::ReplaceSite => operation("changeSite", "Replaces a site's settings")
            .conditional()
            .takes(schemas.read::<Settings>(), examples::settings())
            .answer(200, "They.", schemas.written::<SiteRecord>())
            .problems(&[422]),
        TeamRoute::PatchSite => operation("patchSite", "Changes some of a site's settings")
            .conditional()
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
        TeamRoute::Overview => {
            period(operation("overview", "Each survey with the summary of its primary question"))
                .answer(200, "All of them, oldest first.", schemas.written::<Overview>())
        }
        TeamRoute::CreateSurvey => operation("createSurvey", "Makes a draft")
            .tagged()
            .takes(schemas.read::<Definition>(), examples::definition())
            .answer(201, "The survey.", schemas.written::<SurveyRecord>())
            .problems(&[409, 422]),
        TeamRoute::ListSurveys => operation(
            "listSurveys",
            "A site's surveys, without their drafts",
        )
        .answer(200, "All of them.", schemas.written::<Surveys>()),
        TeamRoute::Survey { route, .. } => survey::describe(route, schemas),
    }
}
