//! Summaries: sends a team's query to every shard, and combines the answers.

use std::collections::BTreeMap;

use asklet_protocol::failure::Failure;
use asklet_protocol::plan::Plan;
use asklet_protocol::retention::Since;
use asklet_protocol::scan;
use asklet_shared::choice::{self, ChoiceSummary};
use asklet_shared::definition::question::AnswerKind;
use asklet_shared::dimension::Dimension;
use asklet_shared::period::{self, Interval, Moment, Offset, rfc3339};
use asklet_shared::pooled::{self, Member, PoolRequest, SiteSummary};
use asklet_shared::problem::{Code, Problem};
use asklet_shared::settings::{Settings, WeekStart};
use asklet_shared::summary::{Period, Source, SourceKind, Subject, Summary};
use asklet_shared::tally::{Counted, Request};
use asklet_shared::time::BUCKET_MS;
use serde::Serialize;
use worker::{Date, Response};

use crate::http::{problems, respond};
use crate::platform::zone::Zone;
use crate::service::caller::Team;
use crate::service::shards::Shards;

/// Maximum number of values in all filters together.
const FILTERS_LIMIT: usize = 50;

/// What a summary covers, as the query says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct SummaryQuery {
    from: Option<Moment>,
    to: Option<Moment>,
    tz: Option<String>,
    interval: Option<Interval>,
    by: Option<Dimension>,
    filters: Filters,
    per_respondent: bool,
    compare: bool,
    question: Option<String>,
}

impl SummaryQuery {
    /// Reads the parameters of an address. Refuses an unknown parameter, because it would be a filter that does
    /// not filter.
    pub fn parse(
        parameters: impl IntoIterator<Item = (impl AsRef<str>, impl Into<String>)>,
    ) -> Result<Self, Problem> {
        let mut query = Self::default();
        for (name, value) in parameters {
            let (name, value) = (name.as_ref(), value.into());
            let unknown = |limit: &str| problems::invalid_parameter(name, limit);
            match name {
                "from" => query.from = Some(Moment::parse(name, &value)?),
                "to" => query.to = Some(Moment::parse(name, &value)?),
                "tz" => query.tz = Some(value),
                "interval" => {
                    let interval = Interval::named(&value);
                    let known = || unknown("hour, day, week, month or quarter");
                    query.interval = Some(interval.ok_or_else(known)?);
                }
                "by" => {
                    let dimension = Dimension::named(&value);
                    query.by = Some(dimension.ok_or_else(|| unknown(&dimensions()))?);
                }
                "where" => {
                    let (dimension, value) = filter(&value)?;
                    query.filters.entry(dimension).or_default().push(value);
                }
                "per" if value == "respondent" => query.per_respondent = true,
                "per" => return Err(unknown("respondent")),
                "compare" if value == "previous" => query.compare = true,
                "compare" => return Err(unknown("previous")),
                "question" => query.question = Some(value),
                _ => return Err(problems::unknown_parameter(name)),
            }
        }
        query.check()
    }

    fn check(self) -> Result<Self, Problem> {
        let needs_start = self.interval.is_some() || self.compare;
        if needs_start && self.from.is_none() {
            let detail = "a trend and a comparison need the start of the period, from, from";
            return Err(Problem::new(Code::InvalidQuery, detail).at("from"));
        }
        check_filters(&self.filters)?;
        Ok(self)
    }

    /// Refuses parameters that only the summary of one survey takes.
    pub fn of_site(self) -> Result<Self, Problem> {
        let of_survey = [
            ("by", self.by.is_some()),
            ("where", !self.filters.is_empty()),
            ("per", self.per_respondent),
            ("question", self.question.is_some()),
        ];
        match of_survey.into_iter().find(|(_, is_asked)| *is_asked) {
            Some((name, _)) => Err(problems::unknown_parameter(name)),
            None => Ok(self),
        }
    }
}

/// Filters by dimension. A display must have one of the values listed for each dimension.
type Filters = BTreeMap<Dimension, Vec<String>>;

/// Reads filters, each written as a dimension, a colon and a value.
pub fn filters<'a>(texts: impl Iterator<Item = &'a str>) -> Result<Filters, Problem> {
    let mut filters = Filters::new();
    for text in texts {
        let (dimension, value) = filter(text)?;
        filters.entry(dimension).or_default().push(value);
    }
    check_filters(&filters)?;
    Ok(filters)
}

fn filter(text: &str) -> Result<(Dimension, String), Problem> {
    let unknown = |limit: &str| problems::invalid_parameter("where", limit);
    let parts = text.split_once(':');
    let (dimension, value) = parts.ok_or_else(|| unknown("a dimension, a colon and a value"))?;
    let dimension = Dimension::named(dimension).ok_or_else(|| unknown(&dimensions()))?;
    Ok((dimension, value.to_owned()))
}

fn check_filters(filters: &Filters) -> Result<(), Problem> {
    if filters.values().map(Vec::len).sum::<usize>() > FILTERS_LIMIT {
        return Err(Problem::new(Code::InvalidQuery, "there are too many filters")
            .at("where")
            .limit(format!("{FILTERS_LIMIT} values")));
    }
    Ok(())
}

/// Lists the names of all dimensions, for a caller who used another name.
fn dimensions() -> String {
    let names = Dimension::COUNTED.iter().map(Dimension::name).filter(|name| !name.is_empty());
    names.map(|name| format!("{name}, ")).collect::<String>() + "or trait. and a declared trait"
}

/// The time that a query covers, in whole buckets.
#[derive(Debug)]
struct Time {
    from_ms: u64,
    to_ms: u64,
    /// The end of the current bucket.
    now_ms: u64,
    edges: Vec<u64>,
    period: Period,
}

impl Time {
    fn of(query: &SummaryQuery, tz: &str, week_starts: WeekStart) -> Result<Self, Failure> {
        let zone = Zone::named(query.tz.as_deref().unwrap_or(tz))?;
        let offset = &|utc_ms| zone.offset_ms(utc_ms);
        Ok(Self::at(query, (zone.name(), offset), week_starts, Date::now().as_millis())?)
    }

    /// Returns the time that a query covers, at a given time. The period is rounded outward to whole buckets,
    /// which are the finest that counters know, so that nothing that was asked for is missing.
    fn at(
        query: &SummaryQuery,
        (tz, offset): (&str, Offset<'_>),
        week_starts: WeekStart,
        now_ms: u64,
    ) -> Result<Self, Problem> {
        let now_ms = period::floor(now_ms) + BUCKET_MS;
        let from_ms = query.from.map(|from| from.ms("from", offset)).transpose()?;
        let to_ms = query.to.map(|to| to.ms("to", offset)).transpose()?;
        let (start_ms, end_ms) = (from_ms.unwrap_or(0), to_ms.unwrap_or(now_ms));
        if end_ms <= start_ms {
            let (field, detail) = match to_ms {
                Some(_) => ("to", "the period ends before it begins"),
                None => ("from", "the period begins in the future"),
            };
            return Err(Problem::new(Code::InvalidQuery, detail).at(field));
        }
        let (start_ms, end_ms) = (period::floor(start_ms), period::ceil(end_ms));
        let edges = match query.interval {
            Some(interval) => period::edges(start_ms, end_ms, (interval, week_starts), offset)?,
            None => vec![start_ms, end_ms],
        };
        let from = from_ms.map(|_| rfc3339(start_ms));
        let period = Period { from, to: rfc3339(end_ms), tz: tz.to_owned() };
        Ok(Self { from_ms: start_ms, to_ms: end_ms, now_ms, edges, period })
    }

    /// Returns the period before this one. If this period is not over, it is compared by the part that has
    /// elapsed.
    fn before(&self) -> (u64, u64) {
        let elapsed_ms = self.to_ms.min(self.now_ms).saturating_sub(self.from_ms);
        (self.from_ms.saturating_sub(elapsed_ms), self.from_ms)
    }
}

/// The summary of a question of a survey.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum SurveySummary {
    /// Of a rating.
    Rating(Box<Summary>),
    /// Of a choice.
    Choice(Box<ChoiceSummary>),
}

/// Answers a query for a survey.
pub async fn of_survey(
    shards: &Shards<'_>,
    query: &SummaryQuery,
) -> Result<SurveySummary, Failure> {
    let plan = shards.plan;
    let id = query.question.as_deref().unwrap_or(&plan.definition.primary);
    let question = plan.question(id);
    let answer = question.map(|question| &question.answer);
    let unknown = || {
        let detail = "the survey has no rating or choice question with that id";
        Problem::new(Code::InvalidQuery, detail).at("question")
    };
    let by = query.by.iter().map(|by| ("by", by));
    check_traits(plan, by.chain(query.filters.keys().map(|filter| ("where", filter))))?;
    let time = Time::of(query, &plan.tz, plan.week_starts)?;
    let request =
        Request { question: id.to_owned(), edges: time.edges.clone(), by: query.by.clone() };
    match answer.ok_or_else(unknown)? {
        AnswerKind::Text(_) => Err(unknown().into()),
        AnswerKind::Choice(options) => {
            let refused = [
                ("by", query.by.is_some()),
                ("interval", query.interval.is_some()),
                ("compare", query.compare),
            ];
            if let Some((name, _)) = refused.into_iter().find(|(_, is_given)| *is_given) {
                let detail = "only the summary of a rating question has this";
                return Err(Problem::new(Code::InvalidQuery, detail).at(name).into());
            }
            let (counted, source) = count(shards, query, request).await?;
            let of = (plan.survey.as_str(), id);
            let summary = choice::summary(of, options, time.period, source, &counted);
            Ok(SurveySummary::Choice(Box::new(summary)))
        }
        AnswerKind::Rating(rating) => {
            let subject = Subject { survey: plan.survey.as_str(), question: id, rating };
            let (mut counted, source) = count(shards, query, request.clone()).await?;
            let before = time.before();
            let mut summary = subject.summary(time.period, source, &counted);
            if query.interval.is_some() {
                summary.trend = Some(subject.trend(&request, &counted));
            }
            if let Some(by) = &query.by {
                counted.add_rest();
                summary.breakdown = Some(subject.breakdown(by, &counted));
            }
            if query.compare {
                let previous = Request::whole(id, before.0, before.1);
                let (previous, _) = count(shards, query, previous).await?;
                let change = subject.change(&counted.total(), before, &previous.total());
                summary.change = Some(change);
            }
            Ok(SurveySummary::Rating(Box::new(summary)))
        }
    }
}

/// Refuses traits that no version declares. The displays are not searched for their keys.
pub fn check_traits<'a>(
    plan: &Plan,
    mut dimensions: impl Iterator<Item = (&'a str, &'a Dimension)>,
) -> Result<(), Problem> {
    let unknown = dimensions.find(|(_, dimension)| match dimension {
        Dimension::Trait(key) => !plan.traits.contains(key),
        _ => false,
    });
    match unknown {
        Some((parameter, _)) => {
            let declared = plan.traits.join(", ");
            Err(Problem::new(Code::InvalidQuery, "the survey does not declare that trait")
                .at(parameter)
                .limit(declared))
        }
        None => Ok(()),
    }
}

/// Takes the counts from the counters if these can answer, and scans the displays otherwise.
async fn count(
    shards: &Shards<'_>,
    query: &SummaryQuery,
    request: Request,
) -> Result<(Counted, Source), Failure> {
    let is_counted = match &request.by {
        Some(Dimension::Trait(key)) => shards.plan.counted_traits.contains(key),
        _ => true,
    };
    if is_counted && query.filters.is_empty() && !query.per_respondent {
        let counts = shards.count(&request).await?;
        return Ok((counts.counted, source(query, SourceKind::Counters, counts.since)));
    }
    let scan_query = scan::ScanQuery {
        request,
        filters: query.filters.clone(),
        per_respondent: query.per_respondent,
    };
    let (counted, since) = shards.scan(&scan_query).await?;
    Ok((counted, source(query, SourceKind::Displays, since)))
}

fn source(query: &SummaryQuery, kind: SourceKind, since: Since) -> Source {
    let time = |ms: u64| (ms > 0).then(|| rfc3339(ms));
    Source {
        kind,
        per_respondent: query.per_respondent,
        displays_since: time(since.dropped_ms),
        people_since: time(since.forgotten_ms),
    }
}

/// Answers a query for all surveys of a site.
pub async fn of_site(
    team: &Team,
    settings: &Settings,
    query: &SummaryQuery,
) -> Result<Response, Failure> {
    let time = Time::of(query, &settings.tz, settings.week_starts)?;
    let before = time.before();
    let mut request = Request { question: String::new(), edges: time.edges, by: None };
    let mut members = Vec::new();
    for survey in team.published_surveys().await? {
        let Some(plan) = team.plan_if_there(&survey).await? else { continue };
        let shards = Shards::of(&team.env, &team.site, &plan);
        for question in std::iter::once(&plan.definition.primary).chain(&plan.earlier_primaries) {
            let answer = plan.question(question).map(|question| &question.answer);
            let Some(AnswerKind::Rating(rating)) = answer else { continue };
            request.question.clone_from(question);
            let counted = shards.count(&request).await?.counted;
            let before = if query.compare {
                let previous = Request::whole(question, before.0, before.1);
                Some(shards.count(&previous).await?.counted)
            } else {
                None
            };
            members.push(Member {
                survey: plan.survey.as_str().to_owned(),
                name: plan.definition.name.clone(),
                question: question.clone(),
                rating: rating.clone(),
                counted,
                before,
            });
        }
    }
    let wanted = PoolRequest { request: &request, trend: query.interval.is_some(), before };
    let pools = pooled::pools(&members, &wanted);
    let summary = SiteSummary { site: team.site.as_str().to_owned(), period: time.period, pools };
    respond::json(200, &summary)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(parameters: &[(&str, &str)]) -> Result<SummaryQuery, Problem> {
        SummaryQuery::parse(parameters.iter().map(|(name, value)| (*name, *value)))
    }

    #[test]
    fn a_query_says_what_a_summary_covers() {
        let query = parse(&[
            ("from", "2026-11-01T00:00:00Z"),
            ("to", "2026-11-08T00:00:00Z"),
            ("tz", "Europe/Berlin"),
            ("interval", "day"),
            ("by", "language"),
            ("where", "country:DE"),
            ("where", "country:AT"),
            ("where", "trait.plan:a:b"),
            ("per", "respondent"),
            ("compare", "previous"),
        ]);
        assert_eq!(
            query.unwrap(),
            SummaryQuery {
                from: Some(Moment::At(1_793_491_200_000)),
                to: Some(Moment::At(1_794_096_000_000)),
                tz: Some("Europe/Berlin".to_owned()),
                interval: Some(Interval::Day),
                by: Some(Dimension::Language),
                filters: [
                    (Dimension::Country, vec!["DE".to_owned(), "AT".to_owned()]),
                    (Dimension::Trait("plan".to_owned()), vec!["a:b".to_owned()]),
                ]
                .into(),
                per_respondent: true,
                compare: true,
                question: None,
            }
        );
    }

    #[test]
    fn a_parameter_that_breaks_a_rule_is_named() {
        let from = ("from", "2026-11-01T00:00:00Z");
        for (parameters, field) in [
            (&[("from", "yesterday")][..], "from"),
            (&[from, ("interval", "year")], "interval"),
            (&[("interval", "day")], "from"),
            (&[("compare", "previous")], "from"),
            (&[from, ("compare", "next")], "compare"),
            (&[("by", "mood")], "by"),
            (&[("where", "mood:good")], "where"),
            (&[("where", "country")], "where"),
            (&[("per", "day")], "per"),
            (&[("form", "2026-11-01T00:00:00Z")], "form"),
        ] {
            let problem = parse(parameters).unwrap_err();
            assert_eq!((problem.code, problem.field.as_deref()), (Code::InvalidQuery, Some(field)));
        }
    }

    /// The period that a query covers in a zone two hours before UTC, at 2026-11-22T06:20Z.
    fn period(parameters: &[(&str, &str)]) -> Result<Period, Problem> {
        let offset = |_| Some(2 * 60 * 60 * 1000);
        let now_ms = 1_795_328_400_000;
        let zone: (&str, Offset<'_>) = ("Test/Zone", &offset);
        Ok(Time::at(&parse(parameters)?, zone, WeekStart::Monday, now_ms)?.period)
    }

    #[test]
    fn a_period_off_the_quarters_of_an_hour_is_rounded_outward_and_says_so() {
        // Dashboards send such times: the moment at which somebody looked.
        let parameters = [("from", "1793491201234"), ("to", "2026-11-01T10:15:00.001Z")];
        let found = period(&parameters).unwrap();
        assert_eq!(found.from.as_deref(), Some("2026-11-01T00:00:00Z"));
        assert_eq!(found.to, "2026-11-01T10:30:00Z");
        let exact = [("from", "2026-11-01T00:15:00Z"), ("to", "2026-11-01T10:15:00Z")];
        let found = period(&exact).unwrap();
        assert_eq!(found.from.as_deref(), Some("2026-11-01T00:15:00Z"));
        assert_eq!(found.to, "2026-11-01T10:15:00Z");
        let moment = [("from", "2026-11-01T10:01:00Z"), ("to", "2026-11-01T10:02:00Z")];
        assert_eq!(period(&moment).unwrap().to, "2026-11-01T10:15:00Z");
    }

    #[test]
    fn a_date_begins_its_day_in_the_zone_of_the_query() {
        let found = period(&[("from", "2026-11-01"), ("to", "2026-11-08")]).unwrap();
        assert_eq!(found.from.as_deref(), Some("2026-10-31T22:00:00Z"));
        assert_eq!(found.to, "2026-11-07T22:00:00Z");
    }

    #[test]
    fn a_period_that_holds_no_time_is_refused() {
        let field = |parameters: &[(&str, &str)]| period(parameters).unwrap_err().field.unwrap();
        let from = ("from", "2026-11-01T00:00:00Z");
        assert_eq!(field(&[from, ("to", "2026-11-01T00:00:00Z")]), "to");
        assert_eq!(field(&[from, ("to", "2026-11-01")]), "to");
        assert_eq!(field(&[("from", "2027-11-01")]), "from");
    }
}
