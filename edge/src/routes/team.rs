//! The routes that take a key of a site: which module answers a route.

use asklet_protocol::calls::team::{Intake, SurveyAction};
use asklet_protocol::failure::Failure;
use asklet_protocol::routes::{SurveyRoute, TeamRoute};
use asklet_shared::definition::Status;
use worker::{Request, Response};

use super::{corrections, displays, export, installs, keys, responses, site, survey};
use crate::service::caller::Team;

/// Answers a request of a team or of the operator.
pub async fn answer(team: &Team, request: Request, route: TeamRoute) -> Result<Response, Failure> {
    match route {
        TeamRoute::GetSite => site::get(team).await,
        TeamRoute::ReplaceSite => site::replace(team, request).await,
        TeamRoute::PatchSite => site::patch(team, request).await,
        TeamRoute::DeleteSite => site::delete(team).await,
        TeamRoute::ListKeys => keys::list(team).await,
        TeamRoute::CreateKey => keys::create(team, request).await,
        TeamRoute::RevokeKey { id } => keys::revoke(team, id).await,
        TeamRoute::ListInstalls => installs::list(team).await,
        TeamRoute::Audit => keys::log(team, request).await,
        TeamRoute::CreateIdentitySecret => site::create_identity_secret(team).await,
        TeamRoute::RemoveIdentitySecret { id } => site::remove_identity_secret(team, id).await,
        TeamRoute::EraseRespondent => site::erase_respondent(team, request).await,
        TeamRoute::LookUpRespondent => responses::look_up(team, request).await,
        TeamRoute::Summary => site::summary(team, request).await,
        TeamRoute::Overview => site::overview(team, request).await,
        TeamRoute::ListSurveys => survey::list(team).await,
        TeamRoute::CreateSurvey => survey::create(team, request).await,
        TeamRoute::Survey { survey, route } => of_survey(team, request, &survey, route).await,
    }
}

/// Answers a request about one survey.
async fn of_survey(
    team: &Team,
    request: Request,
    id: &str,
    route: SurveyRoute,
) -> Result<Response, Failure> {
    let act = |action| survey::act(team, id, action);
    match route {
        SurveyRoute::Get => act(SurveyAction::Read).await,
        SurveyRoute::Replace => survey::replace(team, request, id).await,
        SurveyRoute::Patch => survey::patch(team, request, id).await,
        SurveyRoute::Delete => survey::delete(team, id).await,
        SurveyRoute::Duplicate => survey::duplicate(team, id).await,
        SurveyRoute::Publish => act(SurveyAction::Publish).await,
        SurveyRoute::Pause => act(SurveyAction::SetStatus(Status::Paused)).await,
        SurveyRoute::Resume => act(SurveyAction::SetStatus(Status::Live)).await,
        SurveyRoute::Archive => act(SurveyAction::SetStatus(Status::Archived)).await,
        SurveyRoute::RefuseIntake => act(SurveyAction::SetIntake(Intake::Refused)).await,
        SurveyRoute::AcceptIntake => act(SurveyAction::SetIntake(Intake::Open)).await,
        SurveyRoute::SetShards => survey::set_shards(team, request, id).await,
        SurveyRoute::Summary => survey::summary(team, request, id).await,
        SurveyRoute::CreatePreview => survey::create_preview(team, id).await,
        SurveyRoute::RevokePreviews => survey::revoke_previews(team, id).await,
        SurveyRoute::Usage => survey::usage(team, id).await,
        SurveyRoute::Import => displays::import(team, request, id).await,
        SurveyRoute::ListResponses => responses::list(team, request, id).await,
        SurveyRoute::QueryResponses => responses::query(team, request, id).await,
        SurveyRoute::Export => export::export(team, request, id).await,
        SurveyRoute::Correct => corrections::correct(team, request, id).await,
        SurveyRoute::DeleteDisplay { display } => displays::delete(team, id, &display).await,
        SurveyRoute::Exclude { display } => displays::exclude(team, request, id, &display).await,
        SurveyRoute::Include { display } => displays::include(team, id, &display).await,
    }
}
