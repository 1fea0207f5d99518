//! The routes of single displays, and imports of many.

use asklet_protocol::audit::{Action, AuditEvent};
use asklet_protocol::calls::survey::SurveyCall;
use asklet_protocol::failure::Failure;
use asklet_protocol::import::{BYTES_LIMIT, Imported, LINES_LIMIT, check_lines};
use asklet_protocol::plan::Plan;
use asklet_protocol::problems;
use asklet_shared::display_id::DisplayId;
use asklet_shared::problem::{Code, Problem};
use asklet_shared::validate::DEFINITION_LIMIT;
use serde::Deserialize;
use worker::{Request, Response};

use crate::http::problems::unknown_parameter;
use crate::http::{body, respond, url};
use crate::service::caller::Team;
use crate::service::corrections::check_reason;
use crate::service::shards::Shards;

/// The body of `POST …/exclude`.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Exclude {
    reason: String,
}

/// `POST /v1/sites/{site}/surveys/{survey}/import`
pub async fn import(team: &Team, mut request: Request, survey: &str) -> Result<Response, Failure> {
    let mut shard = 0_u16;
    for (name, value) in url::query(&request)? {
        match (name.as_str(), value.parse()) {
            ("shard", Ok(named)) => shard = named,
            ("shard", Err(_)) => {
                let detail = "the shard must be a number";
                return Err(Problem::new(Code::InvalidQuery, detail).at(name).into());
            }
            _ => return Err(unknown_parameter(&name).into()),
        }
    }
    // Megabytes are read only from a caller whose key was checked.
    let plan = team.plan(survey).await?;
    let lines = body::read_large_text(&mut request, BYTES_LIMIT).await?;
    check_lines(&lines)?;
    let count = lines.lines().count();
    if count > LINES_LIMIT {
        return Err(Problem::new(Code::BodyTooLarge, "the import has too many lines")
            .limit(format!("{LINES_LIMIT} lines"))
            .into());
    }
    team.says(&shard.to_be_bytes());
    team.says(lines.as_bytes());
    if let Some(earlier) = team.earlier_answer().await? {
        return respond::written(200, earlier);
    }
    let shards = Shards::of(&team.env, &team.site, &plan);
    let change = AuditEvent::of(Action::Import, &plan.survey);
    let happened = |imported: &Imported, change: AuditEvent| {
        let detail = format!("{} of {count} lines stored", imported.stored);
        (imported.stored > 0).then(|| change.detail(detail))
    };
    let imported = team.change(change, shards.import(shard, lines), happened).await?;
    let answer = serde_json::to_string(&imported)?;
    if imported.is_whole() {
        team.keep_answer(&answer).await;
    }
    respond::written(200, answer)
}

/// `POST /v1/sites/{site}/surveys/{survey}/displays/{display}/exclude`
pub async fn exclude(
    team: &Team,
    mut request: Request,
    survey: &str,
    display: &str,
) -> Result<Response, Failure> {
    let plan = team.plan(survey).await?;
    let Exclude { reason } = team.read_json(&mut request, DEFINITION_LIMIT).await?;
    check_reason(&reason)?;
    mark(team, &plan, display, Some(reason)).await
}

/// `POST /v1/sites/{site}/surveys/{survey}/displays/{display}/include`
pub async fn include(team: &Team, survey: &str, display: &str) -> Result<Response, Failure> {
    mark(team, &team.plan(survey).await?, display, None).await
}

/// Stops counting a display for a reason, or without one counts it again.
async fn mark(
    team: &Team,
    plan: &Plan,
    display: &str,
    reason: Option<String>,
) -> Result<Response, Failure> {
    let action = if reason.is_some() { Action::Exclude } else { Action::Include };
    let id: DisplayId = display.parse().map_err(|_| problems::unknown_display())?;
    change(team, plan, action, SurveyCall::Exclude { id, reason }, id).await
}

/// `DELETE /v1/sites/{site}/surveys/{survey}/displays/{display}`
pub async fn delete(team: &Team, survey: &str, display: &str) -> Result<Response, Failure> {
    let plan = team.plan(survey).await?;
    let id: DisplayId = display.parse().map_err(|_| problems::unknown_display())?;
    change(team, &plan, Action::DeleteResponse, SurveyCall::Delete { id }, id).await
}

/// Changes a display on the shard that has it, and adds an entry to the log of the site.
async fn change(
    team: &Team,
    plan: &Plan,
    action: Action,
    call: SurveyCall,
    id: DisplayId,
) -> Result<Response, Failure> {
    let event = AuditEvent::of(action, &plan.survey).at(&id.to_string());
    let shards = Shards::of(&team.env, &team.site, plan);
    team.once(team.change(event, shards.change(&call), |(), event| Some(event))).await?;
    respond::no_content()
}
