//! The routes by which a team reads single responses: pages of them, changes, and everything about one
//! respondent, collected from all shards. The shards write responses in their final form; this code only puts
//! them in order.

use asklet_protocol::audit::{Action, AuditEvent};
use asklet_protocol::calls::survey::{Followed, SurveyCall};
use asklet_protocol::calls::team::TeamCall;
use asklet_protocol::failure::Failure;
use asklet_protocol::ids::SiteId;
use asklet_protocol::plan::Plan;
use asklet_protocol::rendering::Rendering;
use asklet_shared::problem::{Code, Problem};
use asklet_shared::scope::Scope;
use asklet_shared::validate::DEFINITION_LIMIT;
use futures_util::future::LocalBoxFuture;
use serde::Deserialize;
use worker::{Request, Response};

use crate::http::{body, problems, respond, url};
use crate::platform::trace::Context;
use crate::platform::{rpc, stubs};
use crate::service::caller::Team;
use crate::service::filter::{ResponseFilter, check_respondent, number};
use crate::service::walk::{Walk, WalkPosition, of_survey, unknown_cursor, unknown_place};

/// Number of responses on a page: the default, and the maximum.
const PAGE: usize = 50;
const PAGE_LIMIT: usize = 200;

/// How often one request calls shards, each time for tens of thousands of rows. After that the page ends early.
const CALLS: usize = 20;

/// The body of `POST …/respondents/lookup`.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LookUp {
    respondent: String,
    #[serde(default)]
    limit: Option<usize>,
    #[serde(default)]
    cursor: Option<String>,
}

/// A page. In JSON its field `responses` lists what the shards wrote, and `next` is the cursor of the next
/// page, or `null` after the last page.
#[derive(Debug, Default)]
pub struct Page {
    /// The responses, each in JSON.
    pub responses: Vec<String>,
    /// The cursor of the next page.
    pub next: Option<String>,
}

impl Page {
    /// Returns the page in JSON. It also says whether more can be read at once, if that is known.
    pub fn written(&self, more: Option<bool>) -> String {
        // The cursors are written by this code, so nothing in them needs escaping.
        let next = self.next.as_ref().map_or("null".to_owned(), |next| format!("\"{next}\""));
        let responses = self.responses.join(",");
        let more = match more {
            Some(true) => ",\"more\":true",
            Some(false) => ",\"more\":false",
            None => "",
        };
        format!("{{\"responses\":[{responses}],\"next\":{next}{more}}}")
    }
}

fn page_size(limit: Option<usize>) -> Result<usize, Problem> {
    let limit = limit.unwrap_or(PAGE);
    if !(1..=PAGE_LIMIT).contains(&limit) {
        return Err(problems::invalid_parameter("limit", format!("1 to {PAGE_LIMIT}")));
    }
    Ok(limit)
}

/// `GET /v1/sites/{site}/surveys/{survey}/responses`
pub async fn list(team: &Team, request: Request, survey: &str) -> Result<Response, Failure> {
    let (mut ascending, mut after) = (false, None);
    let filter = ResponseFilter::parse(url::query(&request)?, &mut |name, value| {
        match (name, value) {
            ("order", "asc") => ascending = true,
            ("order", "desc") => ascending = false,
            ("order", _) => return Err(problems::invalid_parameter(name, "asc or desc")),
            ("after", _) => after = Some(value.to_owned()),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    if after.is_some() && !ascending {
        return Err(problems::invalid_parameter("after", "only with order=asc").into());
    }
    let plan = team.plan(survey).await?;
    if !ascending {
        return page(&team.env, &team.site, &plan, filter).await;
    }
    if filter.has_filter() {
        // A response that no longer matches a filter would never be reported as changed.
        let detail = "a list of changes takes no filters: filter the answer";
        return Err(Problem::new(Code::InvalidQuery, detail).at("order").into());
    }
    follow(&team.env, &team.site, &plan, filter, after.as_deref().unwrap_or_default()).await
}

/// `POST /v1/sites/{site}/surveys/{survey}/responses/query`
pub async fn query(team: &Team, mut request: Request, survey: &str) -> Result<Response, Failure> {
    let plan = team.plan(survey).await?;
    let filter: ResponseFilter = body::read_json(&mut request, DEFINITION_LIMIT).await?;
    if filter.respondent.is_some() {
        // A filter that finds one respondent is a look-up of that person, whichever route it uses.
        team.ask_as(Scope::Admin, TeamCall::Note(AuditEvent::of(Action::LookUp, &plan.survey)))
            .await?;
    }
    page(&team.env, &team.site, &plan, filter).await
}

fn page<'a>(
    env: &'a Context,
    site: &'a SiteId,
    plan: &'a Plan,
    filter: ResponseFilter,
) -> LocalBoxFuture<'a, Result<Response, Failure>> {
    Box::pin(async move {
        let limit = page_size(filter.limit)?;
        let filter = filter.in_zone(&plan.tz)?;
        let cursor = filter.cursor.as_deref();
        let at = cursor
            .map(|cursor| WalkPosition::parse(of_survey(plan, cursor, "cursor")?))
            .transpose()?;
        let mut page = Page::default();
        let mut walk = Walk::newest_first(env, site, plan, filter, at)?;
        let next = walk.fill(&mut page.responses, limit, &mut CALLS.clone()).await?;
        page.next = next.map(|next| format!("{}/{next}", plan.survey));
        respond::written(200, page.written(None))
    })
}

/// Answers with the changes after a number on each shard.
async fn follow(
    env: &Context,
    site: &SiteId,
    plan: &Plan,
    filter: ResponseFilter,
    after: &str,
) -> Result<Response, Failure> {
    let limit = page_size(filter.limit)?;
    let shards = usize::from(plan.shards);
    // The first request names no survey and begins at 0.
    let after = if after.contains('/') { of_survey(plan, after, "after")? } else { after };
    let known = after.split('-').filter(|_| !after.is_empty()).map(|after| number("after", after));
    let mut known = known.collect::<Result<Vec<u64>, _>>()?;
    // The numbers pass through JavaScript.
    if known.len() > shards || known.iter().any(|after| *after > u64::from(u32::MAX) << 20) {
        return Err(unknown_place("after").into());
    }
    known.resize(shards, 0);
    let mut page = Page::default();
    let mut more = false;
    for (shard, after) in (0..plan.shards).zip(&mut known) {
        let limit = limit.saturating_sub(page.responses.len());
        let rendering = Rendering::of(plan, shard, filter.question.clone(), None);
        let stub = stubs::survey(env, site, &plan.survey, shard)?;
        let call = SurveyCall::Follow { after: *after, limit, rendering: Box::new(rendering) };
        let followed: Followed = rpc::call(&stub, &call).await?;
        more |= followed.more;
        *after = followed.last.unwrap_or(*after);
        page.responses.extend(followed.changes);
    }
    let known = known.iter().map(u64::to_string).collect::<Vec<_>>().join("-");
    page.next = Some(format!("{}/{known}", plan.survey));
    respond::written(200, page.written(Some(more)))
}

/// `POST /v1/sites/{site}/respondents/lookup`
pub async fn look_up(team: &Team, mut request: Request) -> Result<Response, Failure> {
    let surveys = team.published_surveys().await?;
    let LookUp { respondent, limit, cursor } =
        body::read_json(&mut request, DEFINITION_LIMIT).await?;
    let limit = page_size(limit)?;
    let respondent = check_respondent(respondent)?;
    let (mut first, mut at) = (0, None);
    if let Some(cursor) = &cursor {
        let (survey, position) = cursor.split_once('/').unwrap_or((cursor, ""));
        let known = surveys.iter().position(|known| known.as_str() == survey);
        first = known.ok_or_else(unknown_cursor)?;
        at = Some(position).filter(|position| !position.is_empty());
    }
    let at = at.map(WalkPosition::parse).transpose()?;
    let mut page = Page::default();
    let mut calls = CALLS;
    for (number, survey) in surveys.iter().enumerate().skip(first) {
        let Some(plan) = &team.plan_if_there(survey).await? else { continue };
        if page.responses.len() >= limit || calls < usize::from(plan.shards) {
            page.next = Some(plan.survey.to_string());
            break;
        }
        let filter = ResponseFilter::everything_of(respondent.clone());
        let at = at.filter(|_| number == first);
        let mut walk = Walk::newest_first(&team.env, &team.site, plan, filter, at)?;
        let next = walk.fill(&mut page.responses, limit, &mut calls).await?;
        if let Some(next) = next {
            page.next = Some(format!("{}/{next}", plan.survey));
            break;
        }
    }
    team.note(AuditEvent::new(Action::LookUp)).await?;
    respond::written(200, page.written(None))
}
