//! The routes of a site: its settings, its identity secrets, its respondents, and its deletion.

use asklet_protocol::audit::{Action, AuditEvent};
use asklet_protocol::calls::team::{SiteRecord, TeamCall};
use asklet_protocol::failure::Failure;
use asklet_protocol::json::patch::Patch;
use asklet_protocol::seal;
use asklet_shared::settings::Settings;
use asklet_shared::validate::DEFINITION_LIMIT;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use worker::{Request, Response};

use crate::http::{respond, url};
use crate::platform::deployment;
use crate::service::caller::Team;
use crate::service::directory;
use crate::service::filter::check_respondent;
use crate::service::overview;
use crate::service::settings::{check_settings, check_zone};
use crate::service::shards::Shards;
use crate::service::summary::{self, SummaryQuery};

/// The body of `POST …/respondents/erase`.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct EraseRespondent {
    respondent: String,
}

/// The result of an erasure.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RespondentErased {
    /// The number of displays of the respondent.
    pub displays: u64,
}

/// A new identity secret. It is shown only in this answer.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SecretCreated {
    /// The id of the secret.
    pub id: String,
    /// The secret with which tokens are signed.
    pub secret: String,
}

/// `GET /v1/sites/{site}`
pub async fn get(team: &Team) -> Result<Response, Failure> {
    respond::tagged(200, team.ask(TeamCall::Settings).await?)
}

/// `PUT /v1/sites/{site}`
pub async fn replace(team: &Team, mut request: Request) -> Result<Response, Failure> {
    let settings: Box<Settings> = team.read_json(&mut request, DEFINITION_LIMIT).await?;
    check_settings(&settings)?;
    respond::tagged(200, team.ask(TeamCall::ChangeSettings(settings)).await?)
}

/// `PATCH /v1/sites/{site}`
pub async fn patch(team: &Team, mut request: Request) -> Result<Response, Failure> {
    let patch: Patch = team.read_json(&mut request, DEFINITION_LIMIT).await?;
    if let Some(tz) = patch.get("tz").and_then(Value::as_str) {
        check_zone(tz)?;
    }
    respond::tagged(200, team.ask(TeamCall::PatchSettings(patch)).await?)
}

/// `DELETE /v1/sites/{site}`
pub async fn delete(team: &Team) -> Result<Response, Failure> {
    if !team.is_operator() {
        // The site decides whether the key has permission. Only after that the list forgets the site.
        team.ask(TeamCall::Delete).await?;
    }
    directory::delete_site(&team.env, &team.site).await?;
    respond::no_content()
}

/// `POST /v1/sites/{site}/identity-secrets`
pub async fn create_identity_secret(team: &Team) -> Result<Response, Failure> {
    let (id, secret) = (seal::random_name()?, seal::random_secret()?);
    let kept = deployment::vault(&team.env)?.lock(&secret)?;
    team.make_once(TeamCall::AddSecret { id: id.clone(), secret: kept }, &id).await?;
    respond::json(201, &SecretCreated { id, secret })
}

/// `DELETE /v1/sites/{site}/identity-secrets/{id}`
pub async fn remove_identity_secret(team: &Team, id: String) -> Result<Response, Failure> {
    team.ask(TeamCall::RemoveSecret { id }).await?;
    respond::no_content()
}

/// `POST /v1/sites/{site}/respondents/erase`: erases everything about a respondent in all surveys.
pub async fn erase_respondent(team: &Team, mut request: Request) -> Result<Response, Failure> {
    let surveys = team.published_surveys().await?;
    let EraseRespondent { respondent } = team.read_json(&mut request, DEFINITION_LIMIT).await?;
    let respondent = check_respondent(respondent)?;
    let erase = async {
        let mut displays = 0;
        for survey in &surveys {
            let Some(plan) = team.plan_if_there(survey).await? else { continue };
            displays += Shards::of(&team.env, &team.site, &plan).erase(&respondent).await?;
        }
        Ok::<_, Failure>(displays)
    };
    let happened =
        |displays: &u64, change: AuditEvent| Some(change.detail(format!("{displays} displays")));
    let work = async {
        let displays = team.change(AuditEvent::new(Action::Erase), erase, happened).await?;
        Ok(RespondentErased { displays })
    };
    respond::written(200, team.once(work).await?)
}

/// `GET /v1/sites/{site}/summary`
pub async fn summary(team: &Team, request: Request) -> Result<Response, Failure> {
    let query = SummaryQuery::parse(url::query(&request)?)?.of_site()?;
    let record: SiteRecord = team.call(TeamCall::Settings).await?;
    summary::of_site(team, &record.settings, &query).await
}

/// `GET /v1/sites/{site}/overview`
pub async fn overview(team: &Team, request: Request) -> Result<Response, Failure> {
    let query = SummaryQuery::parse(url::query(&request)?)?.of_site()?;
    respond::json(200, &overview::of_site(team, &query).await?)
}
