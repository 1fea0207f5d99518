//! What a team reads of single responses: pages of them, what has changed, and everything about one
//! respondent, put together from all shards. The shards write responses as they travel; here they are
//! only put in order.

use std::collections::VecDeque;

use asklet_shared::display_id::DisplayId;
use asklet_shared::problem::{Code, Problem};
use asklet_shared::scope::Scope;
use asklet_shared::validate::DEFINITION_LIMIT;
use futures_util::future::LocalBoxFuture;
use serde::Deserialize;
use worker::{Env, Request, Response};

use crate::caller::Team;
use crate::failure::Failure;
use crate::place;
use crate::plain;
use crate::respond;
use crate::route::Route;
use crate::rpc::{self, Followed, Plan, SurveyCall, TeamCall};
use crate::seal::{SiteId, SurveyId};
use crate::site::audit::{Action, Change};
use crate::survey::asked::{Asked, check_respondent, number};
use crate::survey::csv::Columns;
use crate::survey::find::{Find, From, Key, Order};
use crate::survey::responses::{Found, Tell};

/// How many responses a page has, unless the query says, and at most.
const PAGE: usize = 50;
const PAGE_LIMIT: usize = 200;

/// How often one request asks shards, each time for tens of thousands of rows; then the page is short.
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

/// A page: lists of what the shards wrote, as `responses`, and the cursor of the next page as `next`,
/// `null` after the last.
#[derive(Debug, Default)]
pub struct Page {
    /// Each in JSON.
    pub responses: Vec<String>,
    /// From where to go on.
    pub next: Option<String>,
}

impl Page {
    /// The page in JSON, which also says whether there is more at once where that is known.
    pub fn written(&self, more: Option<bool>) -> String {
        // Cursors are written here, so nothing in them has to be escaped.
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
        return Err(respond::invalid_parameter("limit", format!("1..={PAGE_LIMIT}")));
    }
    Ok(limit)
}

/// `GET /v1/sites/{site}/surveys/{survey}/responses`
pub async fn list(
    request: Request,
    env: &Env,
    route: &Route,
    survey: &str,
) -> Result<Response, Failure> {
    let team = Team::of(request.headers(), env, route)?;
    let (mut ascending, mut after) = (false, None);
    let asked = Asked::parse(respond::query(&request)?, &mut |name, value| {
        match (name, value) {
            ("order", "asc") => ascending = true,
            ("order", "desc") => ascending = false,
            ("order", _) => return Err(respond::invalid_parameter(name, "asc or desc")),
            ("after", _) => after = Some(value.to_owned()),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    if after.is_some() && !ascending {
        return Err(respond::invalid_parameter("after", "only with order=asc").into());
    }
    let plan = team.plan(env, survey).await?;
    if !ascending {
        return page(env, &team.site, &plan, asked).await;
    }
    if asked.has_filter() {
        // A response that a filter keeps no longer would never be told.
        let detail = "changes are told whole: filter what is told";
        return Err(Problem::new(Code::InvalidQuery, detail).at("order").into());
    }
    follow(env, &team.site, &plan, asked, after.as_deref().unwrap_or_default()).await
}

/// `POST /v1/sites/{site}/surveys/{survey}/responses/query`
pub async fn query(
    mut request: Request,
    env: &Env,
    route: &Route,
    survey: &str,
) -> Result<Response, Failure> {
    let team = Team::of(request.headers(), env, route)?;
    let plan = team.plan(env, survey).await?;
    let asked: Asked = respond::read_json(&mut request, DEFINITION_LIMIT).await?;
    if asked.respondent.is_some() {
        // Whoever finds one person looks that person up, whichever route it is.
        team.ask_as(env, Scope::Admin, TeamCall::Note(Change::of(Action::LookUp, &plan.survey)))
            .await?;
    }
    page(env, &team.site, &plan, asked).await
}

fn page<'a>(
    env: &'a Env,
    site: &'a SiteId,
    plan: &'a Plan,
    asked: Asked,
) -> LocalBoxFuture<'a, Result<Response, Failure>> {
    Box::pin(async move {
        let limit = page_size(asked.limit)?;
        let asked = asked.in_zone(&plan.tz)?;
        let cursor = asked.cursor.as_deref();
        let at =
            cursor.map(|cursor| Position::parse(of_survey(plan, cursor, "cursor")?)).transpose()?;
        let mut page = Page::default();
        let mut walk = Walk::newest_first(env, site, plan, asked, at)?;
        let next = walk.fill(&mut page.responses, limit, &mut CALLS.clone()).await?;
        page.next = next.map(|next| format!("{}/{next}", plan.survey));
        respond::written(200, page.written(None))
    })
}

/// Answers with what was changed after a number on each shard.
async fn follow(
    env: &Env,
    site: &SiteId,
    plan: &Plan,
    asked: Asked,
    after: &str,
) -> Result<Response, Failure> {
    let limit = page_size(asked.limit)?;
    let shards = usize::from(plan.shards);
    // Who begins does so without a survey, at 0.
    let after = if after.contains('/') { of_survey(plan, after, "after")? } else { after };
    let known = after.split('-').filter(|_| !after.is_empty()).map(|after| number("after", after));
    let mut known = known.collect::<Result<Vec<u64>, _>>()?;
    // Numbers pass through JavaScript.
    if known.len() > shards || known.iter().any(|after| *after > u64::from(u32::MAX) << 20) {
        return Err(unknown_place("after").into());
    }
    known.resize(shards, 0);
    let mut page = Page::default();
    let mut more = false;
    for (shard, after) in (0..plan.shards).zip(&mut known) {
        let limit = limit.saturating_sub(page.responses.len());
        let tell = Tell::of(plan, shard, asked.question.clone(), None);
        let stub = place::survey(env, site, &plan.survey, shard)?;
        let call = SurveyCall::Follow { after: *after, limit, tell: Box::new(tell) };
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
pub async fn look_up(mut request: Request, env: &Env, route: &Route) -> Result<Response, Failure> {
    let team = Team::of(request.headers(), env, route)?;
    let surveys = team.published_surveys(env).await?;
    let LookUp { respondent, limit, cursor } =
        respond::read_json(&mut request, DEFINITION_LIMIT).await?;
    let limit = page_size(limit)?;
    let respondent = check_respondent(respondent)?;
    let (mut first, mut at) = (0, None);
    if let Some(cursor) = &cursor {
        let (survey, position) = cursor.split_once('/').unwrap_or((cursor, ""));
        let known = surveys.iter().position(|known| known.as_str() == survey);
        first = known.ok_or_else(unknown_cursor)?;
        at = Some(position).filter(|position| !position.is_empty());
    }
    let at = at.map(Position::parse).transpose()?;
    let mut page = Page::default();
    let mut calls = CALLS;
    for (number, survey) in surveys.iter().enumerate().skip(first) {
        let Some(plan) = &team.plan_if_there(env, survey).await? else { continue };
        if page.responses.len() >= limit || calls < usize::from(plan.shards) {
            page.next = Some(plan.survey.to_string());
            break;
        }
        let asked = Asked::everything_of(respondent.clone());
        let at = at.filter(|_| number == first);
        let mut walk = Walk::newest_first(env, &team.site, plan, asked, at)?;
        let next = walk.fill(&mut page.responses, limit, &mut calls).await?;
        if let Some(next) = next {
            page.next = Some(format!("{}/{next}", plan.survey));
            break;
        }
    }
    team.note(env, Change::new(Action::LookUp)).await?;
    respond::written(200, page.written(None))
}

/// How far a walk came: everything before this was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Position {
    id: DisplayId,
    /// The last shard whose display with this id was told.
    shard: u16,
}

impl Position {
    fn of(key: Key, shard: u16) -> Option<Self> {
        key.id().map(|id| Self { id, shard })
    }

    fn parse(text: &str) -> Result<Self, Problem> {
        let parts = text.split_once('.');
        let parsed = parts.and_then(|(id, shard)| {
            Some(Self { id: id.parse().ok()?, shard: shard.parse().ok()? })
        });
        parsed.ok_or_else(unknown_cursor)
    }

    fn write(self) -> String {
        format!("{}.{}", self.id, self.shard)
    }
}

fn unknown_cursor() -> Problem {
    unknown_place("cursor")
}

fn unknown_place(parameter: &str) -> Problem {
    respond::invalid_parameter(parameter, "what an earlier answer for this survey called next")
}

/// What stands behind the survey in a cursor, which is a place in this survey and in no other.
fn of_survey<'a>(plan: &Plan, cursor: &'a str, parameter: &str) -> Result<&'a str, Problem> {
    let place = cursor.split_once('/').filter(|(survey, _)| *survey == plan.survey.as_str());
    place.map(|(_, place)| place).ok_or_else(|| unknown_place(parameter))
}

/// A walk over the responses of all shards in one order, which holds a page of each.
pub struct Walk {
    env: Env,
    site: SiteId,
    survey: SurveyId,
    find: Find,
    sources: Vec<Source>,
    order: Order,
}

/// One shard, as far as it was read.
struct Source {
    tell: Tell,
    from: From,
    found: VecDeque<(Key, String)>,
    is_read: bool,
}

/// What comes next.
enum Step {
    /// A response, and how far the walk came with it where that is by ids.
    Response(Option<Position>, String),
    /// There is more, and the calls are used up.
    Later,
    End,
}

impl Walk {
    /// Over what is asked for, newest first.
    fn newest_first(
        env: &Env,
        site: &SiteId,
        plan: &Plan,
        asked: Asked,
        at: Option<Position>,
    ) -> Result<Self, Failure> {
        let mut walk = Self::new(env, site, plan, asked, Order::NewestFirst)?;
        for source in &mut walk.sources {
            source.from.after = at.map(|at| Key::of(at.id));
            source.from.with = at.is_some_and(|at| at.shard < source.tell.shard);
        }
        Ok(walk)
    }

    /// Over what is asked for, as it arrived, in JSON, or in lines of CSV.
    pub fn by_reception(
        env: &Env,
        site: &SiteId,
        plan: &Plan,
        asked: Asked,
        columns: Option<&Columns>,
    ) -> Result<Self, Failure> {
        let mut walk = Self::new(env, site, plan, asked, Order::Reception)?;
        for source in &mut walk.sources {
            source.tell.columns = columns.cloned();
        }
        Ok(walk)
    }

    fn new(
        env: &Env,
        site: &SiteId,
        plan: &Plan,
        asked: Asked,
        order: Order,
    ) -> Result<Self, Failure> {
        let question = asked.question.clone();
        let sources = (0..plan.shards).map(|shard| {
            let tell = Tell::of(plan, shard, question.clone(), None);
            Source { tell, from: From::start(order), found: VecDeque::new(), is_read: false }
        });
        let sources = sources.collect();
        let (env, site, survey) = (env.clone(), site.clone(), plan.survey.clone());
        let find = asked.find(plan, &plain::plain)?;
        Ok(Self { env, site, survey, find, sources, order })
    }

    /// Puts so many responses into a page. Returns the cursor of the next one, if there is more.
    async fn fill(
        &mut self,
        page: &mut Vec<String>,
        limit: usize,
        calls: &mut usize,
    ) -> Result<Option<String>, Failure> {
        let mut last = None;
        while page.len() < limit {
            match self.step(calls, limit - page.len()).await? {
                Step::Response(position, response) => {
                    last = position;
                    page.push(response);
                }
                Step::Later => return Ok(self.frontier().map(Position::write)),
                Step::End => return Ok(None),
            }
        }
        let is_over = self.sources.iter().all(|source| source.is_read && source.found.is_empty());
        Ok(last.filter(|_| !is_over).map(Position::write))
    }

    /// The next response, as it is written.
    pub async fn next(&mut self, page: usize) -> Result<Option<String>, Failure> {
        match self.step(&mut usize::MAX.clone(), page).await? {
            Step::Response(_, response) => Ok(Some(response)),
            Step::Later | Step::End => Ok(None),
        }
    }

    async fn step(&mut self, calls: &mut usize, page: usize) -> Result<Step, Failure> {
        loop {
            let mut first: Option<(Key, usize)> = None;
            for (at, source) in self.sources.iter().enumerate() {
                let Some((key, _)) = source.found.front() else { continue };
                if first.is_none_or(|(known, _)| self.order.precedes(*key, known)) {
                    first = Some((*key, at));
                }
            }
            let first_key = first.map(|(key, _)| key);
            if let Some(source) = furthest_behind(&mut self.sources, self.order, first_key) {
                if *calls == 0 {
                    return Ok(Step::Later);
                }
                *calls -= 1;
                let stub = place::survey(&self.env, &self.site, &self.survey, source.tell.shard)?;
                let (find, tell) = (self.find.clone(), source.tell.clone());
                let from = source.from;
                let call = SurveyCall::Find {
                    find: Box::new(find),
                    tell: Box::new(tell),
                    from,
                    limit: page,
                };
                let found: Found = rpc::call(&stub, &call).await?;
                source.is_read = found.next.is_none();
                source.from = From { after: found.next.or(from.after), with: false, ..from };
                source.found.extend(found.responses);
                continue;
            }
            let source = first.and_then(|(_, at)| self.sources.get_mut(at));
            let found = source.and_then(|source| {
                let (key, response) = source.found.pop_front()?;
                Some((Position::of(key, source.tell.shard), response))
            });
            return Ok(found.map_or(Step::End, |(at, response)| Step::Response(at, response)));
        }
    }

    /// How far all shards were read, newest first.
    fn frontier(&self) -> Option<Position> {
        let unread =
            self.sources.iter().filter(|source| source.found.is_empty() && !source.is_read);
        let keys = unread.filter_map(|source| source.from.after);
        // Whatever has this id was told, whichever shard has it.
        keys.max().and_then(|key| Position::of(key, u16::MAX))
    }
}

/// Of the shards that have to be read before a display is told, the one that was read least far: so all of them
/// come on, and calls that are used up leave none out.
fn furthest_behind(
    sources: &mut [Source],
    order: Order,
    first: Option<Key>,
) -> Option<&mut Source> {
    let unread = sources.iter_mut().filter(|source| {
        let may_precede = first.is_none_or(|first| source.may_precede(first));
        source.found.is_empty() && !source.is_read && may_precede
    });
    unread.reduce(|behind, source| match (behind.from.after, source.from.after) {
        (Some(_), None) => source,
        (Some(known), Some(other)) if order.precedes(other, known) => source,
        _ => behind,
    })
}

impl Source {
    /// Whether something may come that stands before a display.
    fn may_precede(&self, key: Key) -> bool {
        let From { after, with, order } = self.from;
        after.is_none_or(|after| order.precedes(after, key) || (with && after == key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shard_that_was_read_least_far_is_read_next() {
        let key = |ms: u64| Key::of(DisplayId::new(ms, [7; 10]));
        let source = |after: Option<u64>| Source {
            tell: Tell::default(),
            from: From { after: after.map(key), ..From::start(Order::NewestFirst) },
            found: VecDeque::new(),
            is_read: false,
        };
        let mut sources = vec![source(Some(5)), source(Some(9)), source(Some(7))];
        let next = |sources: &mut [Source], first: Option<u64>| {
            let behind = furthest_behind(sources, Order::NewestFirst, first.map(key));
            behind.map(|source| source.from.after.map(|after| after.id().unwrap().unix_ms()))
        };
        assert_eq!(next(&mut sources, None), Some(Some(9)));
        sources.push(source(None));
        assert_eq!(next(&mut sources, None), Some(None));
        sources.pop();
        assert_eq!(next(&mut sources, Some(10)), None, "nothing newer can come");
        sources[1].is_read = true;
        assert_eq!(next(&mut sources, None), Some(Some(7)));
    }
}
