//! The routes of surveys: drafts, their status, previews, and summaries.

use asklet_protocol::calls::team::{SiteRecord, SurveyAction, TeamCall};
use asklet_protocol::failure::Failure;
use asklet_shared::definition::Definition;
use asklet_shared::validate::{self, DEFINITION_LIMIT};
use serde::Deserialize;
use worker::{Date, Request, Response};

use crate::http::{respond, url};
use crate::service::caller::Team;
use crate::service::preview::Preview;
use crate::service::shards::Shards;
use crate::service::summary::{self, SummaryQuery};

/// The body of `POST …/shards`.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SetShards {
    shards: u16,
}

/// `GET /v1/sites/{site}/surveys`
pub async fn list(team: &Team) -> Result<Response, Failure> {
    respond::written(200, team.ask(TeamCall::Surveys).await?)
}

/// `POST /v1/sites/{site}/surveys`
pub async fn create(team: &Team, mut request: Request) -> Result<Response, Failure> {
    let draft = read_definition(team, &mut request).await?;
    let survey = team.seal.new_survey(&team.site)?;
    respond::tagged(201, team.ask(TeamCall::CreateSurvey { survey, draft }).await?)
}

/// Does something with a survey, and answers with its new state.
pub async fn act(team: &Team, survey: &str, action: SurveyAction) -> Result<Response, Failure> {
    respond::tagged(200, ask(team, survey, action).await?)
}

async fn ask(team: &Team, survey: &str, action: SurveyAction) -> Result<String, Failure> {
    team.ask(TeamCall::Survey { survey: team.survey(survey)?, action }).await
}

/// `PUT /v1/sites/{site}/surveys/{survey}`
pub async fn replace(team: &Team, mut request: Request, survey: &str) -> Result<Response, Failure> {
    let draft = read_definition(team, &mut request).await?;
    act(team, survey, SurveyAction::Update(draft)).await
}

/// `PATCH /v1/sites/{site}/surveys/{survey}`
pub async fn patch(team: &Team, mut request: Request, survey: &str) -> Result<Response, Failure> {
    let patch = team.read_json(&mut request, DEFINITION_LIMIT).await?;
    act(team, survey, SurveyAction::Patch(patch)).await
}

/// `DELETE /v1/sites/{site}/surveys/{survey}`
pub async fn delete(team: &Team, survey: &str) -> Result<Response, Failure> {
    ask(team, survey, SurveyAction::Delete).await?;
    respond::no_content()
}

/// `POST /v1/sites/{site}/surveys/{survey}/duplicate`
pub async fn duplicate(team: &Team, survey: &str) -> Result<Response, Failure> {
    let copy = team.seal.new_survey(&team.site)?;
    respond::tagged(201, ask(team, survey, SurveyAction::Duplicate(copy)).await?)
}

/// `POST /v1/sites/{site}/surveys/{survey}/shards`
pub async fn set_shards(
    team: &Team,
    mut request: Request,
    survey: &str,
) -> Result<Response, Failure> {
    let SetShards { shards } = team.read_json(&mut request, DEFINITION_LIMIT).await?;
    act(team, survey, SurveyAction::SetShards(shards)).await
}

/// `POST /v1/sites/{site}/surveys/{survey}/preview`: returns an address of the draft, if the draft could be
/// published.
pub async fn create_preview(team: &Team, survey: &str) -> Result<Response, Failure> {
    let survey = team.survey(survey)?;
    let revocations = team.call(TeamCall::Preview { survey: survey.clone() }).await?;
    let now_ms = Date::now().as_millis();
    respond::json(201, &Preview::new(&team.seal, (&team.site, &survey), revocations, now_ms))
}

/// `DELETE /v1/sites/{site}/surveys/{survey}/preview`: ends all previews of a survey.
pub async fn revoke_previews(team: &Team, survey: &str) -> Result<Response, Failure> {
    team.ask(TeamCall::RevokePreviews { survey: team.survey(survey)? }).await?;
    respond::no_content()
}

async fn read_definition(team: &Team, request: &mut Request) -> Result<Box<Definition>, Failure> {
    let mut definition: Box<Definition> = team.read_json(request, DEFINITION_LIMIT).await?;
    if definition.language.is_empty() {
        let site: SiteRecord = team.call(TeamCall::Settings).await?;
        definition.language = site.settings.language;
    }
    validate::definition(&definition)?;
    Ok(definition)
}

/// `GET /v1/sites/{site}/surveys/{survey}/summary`
pub async fn summary(team: &Team, request: Request, survey: &str) -> Result<Response, Failure> {
    let query = SummaryQuery::parse(url::query(&request)?)?;
    let plan = team.plan(survey).await?;
    let shards = Shards::of(&team.env, &team.site, &plan);
    respond::json(200, &summary::of_survey(&shards, &query).await?)
}

/// `GET /v1/sites/{site}/surveys/{survey}/usage`
pub async fn usage(team: &Team, survey: &str) -> Result<Response, Failure> {
    let plan = team.plan(survey).await?;
    respond::json(200, &Shards::of(&team.env, &team.site, &plan).usage().await?)
}
