//! What a team reads of single responses: pages of them, what has changed, and everything about one
//! respondent, put together from all shards.

use std::collections::VecDeque;

use asklet_shared::definition::Definition;
use asklet_shared::display_id::DisplayId;
use asklet_shared::metrics::Category;
use asklet_shared::period;
use asklet_shared::problem::{Code, Problem};
use asklet_shared::validate::DEFINITION_LIMIT;
use serde::{Deserialize, Serialize};
use worker::{Env, Request, Response as Answer};

use crate::caller::Team;
use crate::failure::Failure;
use crate::place;
use crate::respond;
use crate::route::Route;
use crate::rpc::{self, Followed, Plan, SurveyCall, TeamCall};
use crate::seal::{SiteId, SurveyId};
use crate::summary;
use crate::survey::import::RESPONDENT_LIMIT;
use crate::survey::responses::{Change, Find, Found, From, Response};

/// How many responses a page has, unless the query says, and at most.
const PAGE: usize = 50;
const PAGE_LIMIT: usize = 200;

/// How often one request asks shards, each time for tens of thousands of rows; then the page is short.
const CALLS: usize = 20;

/// The longest text that is looked for, in characters.
const TEXT_LIMIT: usize = 200;

/// Which responses are asked for: the body of `POST …/responses/query`, or the parameters of an address,
/// which never name a respondent.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Asked {
    question: Option<String>,
    category: Vec<String>,
    score_from: Option<u8>,
    score_to: Option<u8>,
    has_comment: Option<bool>,
    /// Each a dimension, a colon and a value.
    #[serde(rename = "where")]
    filters: Vec<String>,
    from: Option<String>,
    to: Option<String>,
    text: Option<String>,
    respondent: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
}

/// A page of responses.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Page {
    responses: Vec<Response>,
    /// The cursor of the next page; `null` after the last.
    next: Option<String>,
}

/// A page of changes.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Changes {
    responses: Vec<Change>,
    /// From where to go on.
    next: String,
    /// Whether there is more at once.
    more: bool,
}

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

impl Asked {
    /// Reads the parameters of an address, but for those that `other` takes.
    pub fn parse(
        parameters: Vec<(String, String)>,
        mut other: impl FnMut(&str, &str) -> Result<bool, Problem>,
    ) -> Result<Self, Problem> {
        let mut asked = Self::default();
        for (name, value) in parameters {
            if other(&name, &value)? {
                continue;
            }
            match name.as_str() {
                "question" => asked.question = Some(value),
                "category" => asked.category.push(value),
                "score_from" => asked.score_from = Some(number(&name, &value)?),
                "score_to" => asked.score_to = Some(number(&name, &value)?),
                "has_comment" => {
                    let truth = value.parse().map_err(|_| invalid(&name, "true or false"));
                    asked.has_comment = Some(truth?);
                }
                "where" => asked.filters.push(value),
                "from" => asked.from = Some(value),
                "to" => asked.to = Some(value),
                "text" => asked.text = Some(value),
                "limit" => asked.limit = Some(number(&name, &value)?),
                "cursor" => asked.cursor = Some(value),
                _ => return Err(respond::unknown_parameter(&name)),
            }
        }
        Ok(asked)
    }

    /// What is looked for in a survey, and the question whose categories are told.
    pub fn find(self, plan: &Plan) -> Result<(Find, String), Problem> {
        let definition = &plan.definition;
        let mut find = Find::all();
        if let Some(from) = &self.from {
            find.from_ms = period::parse_instant("from", from)?;
        }
        if let Some(to) = &self.to {
            find.to_ms = period::parse_instant("to", to)?;
        }
        find.filters = summary::filters(self.filters.iter().map(String::as_str))?;
        summary::check_traits(plan, find.filters.keys().map(|filter| ("where", filter)))?;
        find.has_comment = self.has_comment;
        if let Some(text) = self.text {
            let length = text.chars().count();
            if text.trim().is_empty() || length > TEXT_LIMIT {
                return Err(invalid("text", format!("1..={TEXT_LIMIT} characters")));
            }
            find.text = Some(text);
        }
        find.respondent = self.respondent.map(check_respondent).transpose()?;
        let question = self.question.as_ref().unwrap_or(&definition.primary).clone();
        let Some(kind) = definition.question(&question).map(|question| &question.answer) else {
            return Err(invalid("question", "the id of a question of the survey"));
        };
        if !self.category.is_empty() || self.score_from.is_some() || self.score_to.is_some() {
            let Some(rating) = definition.rating(&question) else {
                return Err(invalid("question", "the id of a rating"));
            };
            let names = rating.scale.categories().map(Category::name);
            if self.category.iter().any(|wanted| !names.contains(&wanted.as_str())) {
                return Err(invalid("category", names.join(", ")));
            }
            let (low, high) = rating.scale.range();
            let is_wanted = |score: &u8| {
                let category = kind.category(*score).map(Category::name);
                self.score_from.is_none_or(|from| from <= *score)
                    && self.score_to.is_none_or(|to| *score <= to)
                    && (self.category.is_empty()
                        || self.category.iter().any(|wanted| category == Some(wanted)))
            };
            find.scores = Some((question.clone(), (low..=high).filter(is_wanted).collect()));
        }
        find.question = self.question;
        Ok((find, question))
    }

    /// Refuses what only pages take.
    pub fn whole(self) -> Result<Self, Problem> {
        for (name, is_asked) in [("limit", self.limit.is_some()), ("cursor", self.cursor.is_some())]
        {
            if is_asked {
                return Err(respond::unknown_parameter(name));
            }
        }
        Ok(self)
    }

    fn has_filter(&self) -> bool {
        let Self { category, filters, cursor, text, .. } = self;
        let texts = [&self.from, &self.to, text, cursor];
        !category.is_empty()
            || !filters.is_empty()
            || self.score_from.is_some()
            || self.score_to.is_some()
            || self.has_comment.is_some()
            || texts.into_iter().any(Option::is_some)
    }
}

fn number<T: std::str::FromStr>(name: &str, value: &str) -> Result<T, Problem> {
    value.parse().map_err(|_| invalid(name, "a whole number"))
}

fn invalid(name: &str, limit: impl Into<String>) -> Problem {
    Problem::new(Code::InvalidQuery, "the parameter has no such value").at(name).limit(limit)
}

fn check_respondent(respondent: String) -> Result<String, Problem> {
    if respondent.is_empty() || respondent.chars().count() > RESPONDENT_LIMIT {
        return Err(invalid("respondent", format!("1..={RESPONDENT_LIMIT} characters")));
    }
    Ok(respondent)
}

fn page_size(limit: Option<usize>) -> Result<usize, Problem> {
    let limit = limit.unwrap_or(PAGE);
    if !(1..=PAGE_LIMIT).contains(&limit) {
        return Err(invalid("limit", format!("1..={PAGE_LIMIT}")));
    }
    Ok(limit)
}

/// `GET /v1/sites/{site}/surveys/{survey}/responses`
pub async fn list(
    request: Request,
    env: &Env,
    route: &Route,
    survey: &str,
) -> Result<Answer, Failure> {
    let team = Team::of(request.headers(), env, route)?;
    let (mut ascending, mut after) = (false, None);
    let asked = Asked::parse(respond::parameters(&request)?, |name, value| {
        match (name, value) {
            ("order", "asc") => ascending = true,
            ("order", "desc") => ascending = false,
            ("order", _) => return Err(invalid(name, "asc or desc")),
            ("after", _) => after = Some(value.to_owned()),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    if after.is_some() && !ascending {
        return Err(invalid("after", "only with order=asc").into());
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
) -> Result<Answer, Failure> {
    let team = Team::of(request.headers(), env, route)?;
    let plan = team.plan(env, survey).await?;
    let asked: Asked = respond::read_json(&mut request, DEFINITION_LIMIT).await?;
    page(env, &team.site, &plan, asked).await
}

async fn page(env: &Env, site: &SiteId, plan: &Plan, asked: Asked) -> Result<Answer, Failure> {
    let limit = page_size(asked.limit)?;
    let at = asked.cursor.as_deref().map(Position::parse).transpose()?;
    let (find, question) = asked.find(plan)?;
    let mut walk = Walk::new(env, site, plan, (find, question), at);
    let mut page = Page { responses: Vec::new(), next: None };
    page.next = walk.fill(&mut page.responses, limit, &mut CALLS.clone()).await?;
    respond::json(200, &page)
}

/// Answers with what was changed after a number on each shard.
async fn follow(
    env: &Env,
    site: &SiteId,
    plan: &Plan,
    asked: Asked,
    after: &str,
) -> Result<Answer, Failure> {
    let limit = page_size(asked.limit)?;
    let (_, question) = asked.find(plan)?;
    let shards = usize::from(plan.shards);
    let known = after.split('-').filter(|_| !after.is_empty()).map(|after| number("after", after));
    let mut known = known.collect::<Result<Vec<u64>, _>>()?;
    // Numbers pass through JavaScript.
    if known.len() > shards || known.iter().any(|after| *after > u64::from(u32::MAX) << 20) {
        return Err(invalid("after", "what an earlier answer called next").into());
    }
    known.resize(shards, 0);
    let mut changes = Changes { responses: Vec::new(), next: String::new(), more: false };
    for (shard, after) in (0..plan.shards).zip(&mut known) {
        let left = limit - changes.responses.len();
        let limit = u32::try_from(left).unwrap_or(0);
        let stub = place::survey(env, site, &plan.survey, shard)?;
        let call = SurveyCall::Follow { after: *after, limit };
        let followed: Followed = rpc::call(&stub, &call).await?;
        changes.more |= followed.more;
        for mut change in followed.changes {
            *after = match &mut change {
                Change::Gone(gone) => {
                    gone.shard = shard;
                    gone.seq
                }
                Change::Response(response) => {
                    complete(response, &plan.definition, (&plan.survey, shard), &question);
                    response.seq
                }
            };
            changes.responses.push(change);
        }
    }
    changes.next = known.iter().map(u64::to_string).collect::<Vec<_>>().join("-");
    respond::json(200, &changes)
}

/// `POST /v1/sites/{site}/respondents/lookup`
pub async fn look_up(mut request: Request, env: &Env, route: &Route) -> Result<Answer, Failure> {
    let team = Team::of(request.headers(), env, route)?;
    let plans: Vec<Plan> = team.call(env, TeamCall::Plans).await?;
    let LookUp { respondent, limit, cursor } =
        respond::read_json(&mut request, DEFINITION_LIMIT).await?;
    let limit = page_size(limit)?;
    let respondent = check_respondent(respondent)?;
    let (mut first, mut at) = (0, None);
    if let Some(cursor) = &cursor {
        let (survey, position) = cursor.split_once('/').unwrap_or((cursor, ""));
        let known = plans.iter().position(|plan| plan.survey.as_str() == survey);
        first = known.ok_or_else(unknown_cursor)?;
        at = Some(position).filter(|position| !position.is_empty());
    }
    let at = at.map(Position::parse).transpose()?;
    let mut page = Page { responses: Vec::new(), next: None };
    let mut calls = CALLS;
    for (number, plan) in plans.iter().enumerate().skip(first) {
        if page.responses.len() >= limit || calls < usize::from(plan.shards) {
            page.next = Some(plan.survey.to_string());
            break;
        }
        let find = Find { respondent: Some(respondent.clone()), unanswered: true, ..Find::all() };
        let about = (find, plan.definition.primary.clone());
        let mut walk = Walk::new(env, &team.site, plan, about, at.filter(|_| number == first));
        let next = walk.fill(&mut page.responses, limit, &mut calls).await?;
        if let Some(next) = next {
            page.next = Some(format!("{}/{next}", plan.survey));
            break;
        }
    }
    respond::json(200, &page)
}

/// Says what the shard does not know of a response.
fn complete(
    response: &mut Response,
    definition: &Definition,
    (survey, shard): (&SurveyId, u16),
    question: &str,
) {
    use asklet_shared::display::Answer;
    response.survey = survey.as_str().to_owned();
    response.shard = shard;
    let answer = response.answers.get(question);
    let kind = definition.question(question).map(|question| &question.answer);
    response.category = match (kind, answer) {
        (Some(kind), Some(Answer::Score(score))) => kind.category(*score),
        _ => None,
    };
}

/// How far a walk came: everything before this was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Position {
    id: DisplayId,
    /// The last shard whose display with this id was told.
    shard: u16,
}

impl Position {
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
    invalid("cursor", "what an earlier answer called next")
}

/// A walk over the responses of all shards in the order of their ids, which holds a page of each.
pub struct Walk {
    env: Env,
    site: SiteId,
    survey: SurveyId,
    definition: Definition,
    find: Find,
    question: String,
    sources: Vec<Source>,
    descending: bool,
}

/// One shard, as far as it was read.
struct Source {
    shard: u16,
    from: From,
    found: VecDeque<Response>,
    is_read: bool,
}

/// What comes next.
enum Step {
    Response(Box<Response>),
    /// There is more, and the calls are used up.
    Later,
    End,
}

impl Walk {
    /// Over what is looked for, newest first, with the categories of a question.
    fn new(
        env: &Env,
        site: &SiteId,
        plan: &Plan,
        about: (Find, String),
        at: Option<Position>,
    ) -> Self {
        Self::of(env, site, plan, about, at, true)
    }

    /// The same from the oldest on.
    pub fn oldest_first(env: &Env, site: &SiteId, plan: &Plan, about: (Find, String)) -> Self {
        Self::of(env, site, plan, about, None, false)
    }

    fn of(
        env: &Env,
        site: &SiteId,
        plan: &Plan,
        (find, question): (Find, String),
        at: Option<Position>,
        descending: bool,
    ) -> Self {
        let sources = (0..plan.shards).map(|shard| {
            let with = at.is_some_and(|at| at.shard < shard);
            let from = From { id: at.map(|at| at.id), with, descending };
            Source { shard, from, found: VecDeque::new(), is_read: false }
        });
        Self {
            env: env.clone(),
            site: site.clone(),
            survey: plan.survey.clone(),
            definition: plan.definition.clone(),
            find,
            question,
            sources: sources.collect(),
            descending,
        }
    }

    /// Puts so many responses into a page. Returns the cursor of the next one, if there is more.
    async fn fill(
        &mut self,
        page: &mut Vec<Response>,
        limit: usize,
        calls: &mut usize,
    ) -> Result<Option<String>, Failure> {
        let mut last = None;
        while page.len() < limit {
            let left = limit - page.len();
            match self.step(calls, left).await? {
                Step::Response(response) => {
                    last = Some(Position { id: response.id, shard: response.shard });
                    page.push(*response);
                }
                Step::Later => return Ok(self.frontier().map(Position::write)),
                Step::End => return Ok(None),
            }
        }
        let is_over = self.sources.iter().all(|source| source.is_read && source.found.is_empty());
        Ok(last.filter(|_| !is_over).map(Position::write))
    }

    /// The next response.
    pub async fn next(&mut self, page: usize) -> Result<Option<Response>, Failure> {
        match self.step(&mut usize::MAX.clone(), page).await? {
            Step::Response(response) => Ok(Some(*response)),
            Step::Later | Step::End => Ok(None),
        }
    }

    async fn step(&mut self, calls: &mut usize, page: usize) -> Result<Step, Failure> {
        loop {
            let heads = self.sources.iter().enumerate();
            let heads = heads.filter_map(|(at, source)| Some((source.found.front()?.id, at)));
            let first = if self.descending {
                heads.min_by_key(|(id, at)| (std::cmp::Reverse(*id), *at))
            } else {
                heads.min()
            };
            let unread = self.sources.iter_mut().find(|source| {
                let may_precede = first.is_none_or(|(first, _)| source.may_precede(first));
                source.found.is_empty() && !source.is_read && may_precede
            });
            if let Some(source) = unread {
                if *calls == 0 {
                    return Ok(Step::Later);
                }
                *calls -= 1;
                let stub = place::survey(&self.env, &self.site, &self.survey, source.shard)?;
                let (find, from) = (self.find.clone(), source.from);
                let found: Found =
                    rpc::call(&stub, &SurveyCall::Find { find, from, limit: page }).await?;
                source.is_read = found.next.is_none();
                source.from = From { id: found.next.or(from.id), with: false, ..from };
                source.found.extend(found.responses.into_iter().map(|mut response| {
                    let from = (&self.survey, source.shard);
                    complete(&mut response, &self.definition, from, &self.question);
                    response
                }));
                continue;
            }
            let source = first.and_then(|(_, at)| self.sources.get_mut(at));
            let response = source.and_then(|source| source.found.pop_front());
            return Ok(response.map_or(Step::End, |response| Step::Response(Box::new(response))));
        }
    }

    /// How far all shards were read.
    fn frontier(&self) -> Option<Position> {
        let unread =
            self.sources.iter().filter(|source| source.found.is_empty() && !source.is_read);
        let ids = unread.filter_map(|source| source.from.id);
        let id = if self.descending { ids.max() } else { ids.min() };
        // Whatever has this id was told, whichever shard has it.
        id.map(|id| Position { id, shard: u16::MAX })
    }
}

impl Source {
    /// Whether something may come that stands before a display.
    fn may_precede(&self, id: DisplayId) -> bool {
        match self.from.id {
            None => true,
            Some(from) if from == id => self.from.with,
            Some(from) => (from > id) == self.from.descending,
        }
    }
}
