//! `POST …/corrections`: a team excludes, includes or deletes all displays that a filter finds, on all shards.
//! Much work takes several requests, and each answer says where the next request continues.

use asklet_protocol::audit::{Action, AuditEvent};
use asklet_protocol::calls::survey::SurveyCall;
use asklet_protocol::calls::team::TeamCall;
use asklet_protocol::corrections::{Corrected, Correction, Treatment};
use asklet_protocol::cursor::Cursor;
use asklet_protocol::failure::Failure;
use asklet_protocol::ids::SiteId;
use asklet_protocol::plan::Plan;
use asklet_protocol::seal;
use asklet_shared::problem::{Code, Problem};
use asklet_shared::scope::Scope;
use asklet_shared::validate::DEFINITION_LIMIT;
use serde::{Deserialize, Serialize};
use worker::{Date, Request, Response};

use crate::http::respond;
use crate::platform::trace::Context;
use crate::platform::{plain, rpc, stubs};
use crate::service::caller::Team;
use crate::service::corrections::check_reason;
use crate::service::filter::ResponseFilter;

/// How often one request calls shards. Each call does up to about a second's work.
const CALLS: u32 = 10;

/// Number of characters of a filter that the log of the site keeps.
const DETAIL_LIMIT: usize = 500;

/// The body of `POST …/corrections`.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Correct {
    /// What is done with the displays.
    action: Treatment,
    /// The displays that are meant: a filter as in `responses/query`, without `limit` and `cursor`.
    filter: ResponseFilter,
    /// The reason for excluding them. With `include`: only displays that were excluded for this reason.
    #[serde(default)]
    reason: Option<String>,
    /// Whether the displays are only counted, and not changed.
    #[serde(default)]
    dry_run: bool,
    /// Where to continue: the `cursor` of the answer before, with an otherwise identical body.
    #[serde(default)]
    cursor: Option<String>,
}

/// The result of this part of the work.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Progress {
    /// The number of displays that the filter found.
    pub matched: u64,
    /// The number of them that were changed, or with `dry_run` would be.
    pub changed: u64,
    /// Where to continue; `null` at the end.
    pub cursor: Option<String>,
}

/// How far the work has come.
#[derive(Debug, Clone, PartialEq, Eq)]
struct WorkPosition {
    /// When the work began. Displays that arrived later are left alone.
    began_ms: u64,
    shard: u16,
    after: Option<Cursor>,
}

impl WorkPosition {
    fn write(&self) -> String {
        let Self { began_ms, shard, after } = self;
        let after = after.map_or(String::new(), |Cursor { id, clock_skewed }| {
            format!("{id}.{}", if clock_skewed { "astray" } else { "" })
        });
        format!("{began_ms}.{shard}.{after}")
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '.');
        let began_ms = parts.next()?.parse().ok()?;
        let shard = parts.next()?.parse().ok()?;
        let after = match parts.next()?.split_once('.') {
            Some((id, clock_skewed)) => {
                Some(Cursor { id: id.parse().ok()?, clock_skewed: clock_skewed == "astray" })
            }
            None => None,
        };
        Some(Self { began_ms, shard, after })
    }
}

/// `POST /v1/sites/{site}/surveys/{survey}/corrections`
pub async fn correct(team: &Team, mut request: Request, survey: &str) -> Result<Response, Failure> {
    let plan = team.plan(survey).await?;
    let mut body: Correct = team.read_json(&mut request, DEFINITION_LIMIT).await?;
    let cursor = body.cursor.take();
    if body.filter.respondent.is_some() {
        // A filter that finds one respondent is a look-up of that person, whichever route it uses.
        let look_up = TeamCall::Note(AuditEvent::of(Action::LookUp, &plan.survey));
        let call = if cursor.is_none() { look_up } else { TeamCall::Nothing };
        team.ask_as(Scope::Admin, call).await?;
    }
    match (body.action, &body.reason) {
        (Treatment::Exclude, reason) => check_reason(reason.as_deref().unwrap_or_default())?,
        (Treatment::Include, Some(reason)) => check_reason(reason)?,
        (Treatment::Delete, Some(_)) => {
            let detail = "a deletion takes no reason";
            return Err(Problem::new(Code::InvalidSettings, detail).at("reason").into());
        }
        _ => {}
    }
    // A cursor continues only with the body for which it was made, so that everything done is in the log.
    let body_json = serde_json::to_string(&body)?;
    let sign = |position: &str| {
        team.seal.token(&[
            "correction",
            team.site.as_str(),
            plan.survey.as_str(),
            &body_json,
            position,
        ])
    };
    let mut position = match &cursor {
        Some(cursor) => read_cursor(cursor, &sign)?,
        None => WorkPosition { began_ms: Date::now().as_millis(), shard: 0, after: None },
    };
    let mut find = body.filter.clone().whole()?.in_zone(&plan.tz)?.find(&plan, &plain::plain)?;
    find.received_to_ms = find.received_to_ms.min(position.began_ms.saturating_add(1));
    let (treatment, dry_run) = (body.action, body.dry_run);
    let change = change(&plan, &body)?;
    let correction = Correction { treatment, reason: body.reason, find, dry_run };
    let work = async {
        let mut progress = work(&team.env, (&team.site, &plan), &mut position, correction).await?;
        if position.shard < plan.shards {
            let position = position.write();
            progress.cursor = Some(format!("{}.{position}", sign(&position)));
        }
        Ok(progress)
    };
    if dry_run {
        return respond::json(200, &work.await?);
    }
    let happened = |progress: &Progress, mut change: AuditEvent| {
        let filter = change.detail.unwrap_or_default();
        change.detail = Some(format!("{} displays: {filter}", progress.changed));
        (progress.changed > 0).then_some(change)
    };
    respond::written(200, team.once(team.change(change, work, happened)).await?)
}

/// Does as much work as one request may do, and moves the position forward.
async fn work(
    env: &Context,
    (site, plan): (&SiteId, &Plan),
    position: &mut WorkPosition,
    correction: Correction,
) -> Result<Progress, Failure> {
    let correction = Box::new(correction);
    let mut progress = Progress { matched: 0, changed: 0, cursor: None };
    for _ in 0..CALLS {
        if position.shard >= plan.shards {
            break;
        }
        let stub = stubs::survey(env, site, &plan.survey, position.shard)?;
        let call = SurveyCall::Correct { correction: correction.clone(), after: position.after };
        let done: Corrected = rpc::call(&stub, &call).await?;
        progress.matched += done.matched;
        progress.changed += done.changed;
        position.after = done.next;
        if position.after.is_none() {
            position.shard += 1;
        }
    }
    Ok(progress)
}

fn read_cursor(cursor: &str, sign: &impl Fn(&str) -> String) -> Result<WorkPosition, Problem> {
    let position =
        cursor.split_once('.').filter(|(token, position)| seal::same(token, &sign(position)));
    position.and_then(|(_, position)| WorkPosition::parse(position)).ok_or_else(|| {
        Problem::new(Code::InvalidQuery, "the cursor does not belong to this correction")
            .at("cursor")
            .limit("what the answer before called cursor, with the same body otherwise")
    })
}

/// Returns the entry for the log of the site, which contains neither a respondent nor a text that someone
/// wrote.
fn change(plan: &Plan, body: &Correct) -> Result<AuditEvent, Failure> {
    let action = match body.action {
        Treatment::Exclude => Action::ExcludeMatching,
        Treatment::Include => Action::IncludeMatching,
        Treatment::Delete => Action::DeleteMatching,
    };
    let filter = serde_json::to_string(&body.filter.impersonal())?;
    let detail = filter.chars().take(DETAIL_LIMIT).collect();
    Ok(AuditEvent::of(action, &plan.survey).detail(detail))
}

#[cfg(test)]
mod tests {
    use asklet_shared::display_id::DisplayId;

    use super::*;

    #[test]
    fn a_place_reads_as_it_was_written() {
        let id = DisplayId::new(1_763_785_907_123, [7; 10]);
        for after in [
            None,
            Some(Cursor { id, clock_skewed: false }),
            Some(Cursor { id, clock_skewed: true }),
        ] {
            let position = WorkPosition { began_ms: 17, shard: 3, after };
            assert_eq!(WorkPosition::parse(&position.write()), Some(position));
        }
        assert_eq!(WorkPosition::parse("17.3.x.astray"), None);
        assert_eq!(WorkPosition::parse("17"), None);
    }
}
