//! The overview of a site: each survey with the summary of its primary question, in one answer.

use asklet_protocol::calls::team::{SurveyRecord, Surveys, TeamCall};
use asklet_protocol::failure::Failure;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Serialize;

use crate::service::caller::Team;
use crate::service::shards::Shards;
use crate::service::summary::{self, SummaryQuery, SurveySummary};

/// How many surveys are asked at the same time: a few, so that a site with many surveys leaves room for others.
const AT_ONCE: usize = 6;

/// A site's surveys with their figures.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Overview {
    /// The surveys, oldest first, without their drafts.
    pub surveys: Vec<OverviewSurvey>,
}

/// A survey with its figures.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OverviewSurvey {
    /// The survey, without its draft.
    #[serde(flatten)]
    pub survey: SurveyRecord,
    /// The summary of its primary question; `null` before the first publish.
    pub summary: Option<SurveySummary>,
}

/// Answers a query for each survey of a site by itself.
pub async fn of_site(team: &Team, query: &SummaryQuery) -> Result<Overview, Failure> {
    let Surveys { surveys } = team.call(TeamCall::Surveys).await?;
    let read = stream::iter(surveys).map(|survey| of_survey(team, query, survey));
    let surveys: Vec<Option<OverviewSurvey>> = read.buffered(AT_ONCE).try_collect().await?;
    Ok(Overview { surveys: surveys.into_iter().flatten().collect() })
}

/// Returns a survey with its figures; `None` if it has been deleted since it was listed.
async fn of_survey(
    team: &Team,
    query: &SummaryQuery,
    survey: SurveyRecord,
) -> Result<Option<OverviewSurvey>, Failure> {
    if survey.version == 0 {
        return Ok(Some(OverviewSurvey { survey, summary: None }));
    }
    let id = team.survey(&survey.survey)?;
    let Some(plan) = team.plan_if_there(&id).await? else { return Ok(None) };
    let shards = Shards::of(&team.env, &team.site, &plan);
    let summary = summary::of_survey(&shards, query).await?;
    Ok(Some(OverviewSurvey { survey, summary: Some(summary) }))
}
