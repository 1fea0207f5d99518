//! Summaries: what a team asks in a query, asked of every shard, and put together.

use asklet_shared::counter::Dimension;
use asklet_shared::period::{self, Interval, rfc3339};
use asklet_shared::problem::{Code, Problem};
use asklet_shared::summary::{Period, Subject, Summary};
use asklet_shared::tally::{Counted, Request as CountRequest};
use asklet_shared::time::BUCKET_MS;
use worker::{Date, Env};

use crate::failure::Failure;
use crate::place;
use crate::rpc::{self, Plan, SurveyCall};
use crate::seal::{SiteId, SurveyId};
use crate::zone::Zone;

/// What a summary is to cover, as the query says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Query {
    from_ms: Option<u64>,
    to_ms: Option<u64>,
    tz: Option<String>,
    interval: Option<Interval>,
    by: Option<Dimension>,
    compare: bool,
    /// The question, if it is not the primary one.
    pub question: Option<String>,
}

impl Query {
    /// Reads the parameters of an address. One that is not known is refused: it would be a filter
    /// that does not filter.
    pub fn parse(
        parameters: impl Iterator<Item = (impl AsRef<str>, impl Into<String>)>,
    ) -> Result<Self, Problem> {
        let mut query = Self::default();
        for (name, value) in parameters {
            let (name, value) = (name.as_ref(), value.into());
            let unknown = |limit: &str| {
                Problem::new(Code::InvalidQuery, "the parameter has no such value")
                    .at(name)
                    .limit(limit)
            };
            match name {
                "from" => query.from_ms = Some(period::parse_time(name, &value)?),
                "to" => query.to_ms = Some(period::parse_time(name, &value)?),
                "tz" => query.tz = Some(value),
                "interval" => {
                    let interval = Interval::named(&value);
                    let known = || unknown("hour, day, week, month or quarter");
                    query.interval = Some(interval.ok_or_else(known)?);
                }
                "by" => {
                    let dimension = Dimension::named(&value);
                    let known = || unknown("version, channel or language");
                    query.by = Some(dimension.ok_or_else(known)?);
                }
                "compare" if value == "previous" => query.compare = true,
                "compare" => return Err(unknown("previous")),
                "question" => query.question = Some(value),
                _ => {
                    let detail = "there is no such parameter";
                    let name = name.chars().take(32).collect::<String>();
                    return Err(Problem::new(Code::InvalidQuery, detail).at(name));
                }
            }
        }
        query.check()
    }

    fn check(self) -> Result<Self, Problem> {
        if let (Some(from_ms), Some(to_ms)) = (self.from_ms, self.to_ms)
            && to_ms <= from_ms
        {
            let detail = "the period ends before it begins";
            return Err(Problem::new(Code::InvalidQuery, detail).at("to"));
        }
        let needs_start = self.interval.is_some() || self.compare;
        if needs_start && self.from_ms.is_none() {
            let detail = "a trend and a comparison need the start of the period";
            return Err(Problem::new(Code::InvalidQuery, detail).at("from"));
        }
        Ok(self)
    }
}

/// Answers a query for a survey.
pub async fn summarise(
    env: &Env,
    (site, survey): (&SiteId, &SurveyId),
    plan: &Plan,
    query: &Query,
) -> Result<Summary, Failure> {
    let shards = Shards { env, site, survey, count: plan.shards };
    let subject =
        Subject { survey: survey.as_str(), question: &plan.question, rating: &plan.rating };
    let now_ms = Date::now().as_millis();
    let now_ms = now_ms - now_ms % BUCKET_MS + BUCKET_MS;
    let (from_ms, to_ms) = (query.from_ms.unwrap_or(0), query.to_ms.unwrap_or(now_ms));
    let zone = Zone::named(query.tz.as_deref().unwrap_or("UTC"))?;
    let edges = match query.interval {
        Some(interval) => {
            period::edges(from_ms, to_ms, interval, &|utc_ms| zone.offset_ms(utc_ms))?
        }
        None => vec![from_ms, to_ms],
    };
    let request = CountRequest { edges, by: query.by };
    let counted = shards.count(&request).await?;
    let total = counted.total();
    let period =
        Period { from: query.from_ms.map(rfc3339), to: rfc3339(to_ms), tz: zone.name().to_owned() };
    let mut summary = subject.summary(period, &total);
    if query.interval.is_some() {
        summary.trend = Some(subject.trend(&request, &counted));
    }
    if query.by.is_some() {
        summary.breakdown = Some(subject.breakdown(&counted));
    }
    if query.compare {
        // Of a period that is not over, what has elapsed is compared.
        let elapsed_ms = to_ms.min(now_ms).saturating_sub(from_ms);
        let before = (from_ms.saturating_sub(elapsed_ms), from_ms);
        let previous = shards.count(&CountRequest::whole(before.0, before.1)).await?;
        summary.change = Some(subject.change(&total, before, &previous.total()));
    }
    Ok(summary)
}

/// All shards of a survey.
struct Shards<'a> {
    env: &'a Env,
    site: &'a SiteId,
    survey: &'a SurveyId,
    count: u16,
}

impl Shards<'_> {
    async fn count(&self, request: &CountRequest) -> Result<Counted, Failure> {
        let mut all = request.nothing();
        let call = SurveyCall::Count(request.clone());
        for shard in 0..self.count {
            let stub = place::survey(self.env, self.site, self.survey, shard)?;
            all.merge(&rpc::call(&stub, &call).await?);
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(parameters: &[(&str, &str)]) -> Result<Query, Problem> {
        Query::parse(parameters.iter().map(|(name, value)| (*name, *value)))
    }

    #[test]
    fn a_query_says_what_a_summary_covers() {
        let query = parse(&[
            ("from", "2026-11-01T00:00:00Z"),
            ("to", "2026-11-08T00:00:00Z"),
            ("tz", "Europe/Berlin"),
            ("interval", "day"),
            ("by", "language"),
            ("compare", "previous"),
        ]);
        assert_eq!(
            query.unwrap(),
            Query {
                from_ms: Some(1_793_491_200_000),
                to_ms: Some(1_794_096_000_000),
                tz: Some("Europe/Berlin".to_owned()),
                interval: Some(Interval::Day),
                by: Some(Dimension::Language),
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
            (&[from, ("to", "2026-11-01T00:00:00Z")], "to"),
            (&[from, ("interval", "year")], "interval"),
            (&[("interval", "day")], "from"),
            (&[("compare", "previous")], "from"),
            (&[from, ("compare", "next")], "compare"),
            (&[("by", "mood")], "by"),
            (&[("form", "2026-11-01T00:00:00Z")], "form"),
        ] {
            let problem = parse(parameters).unwrap_err();
            assert_eq!((problem.code, problem.field.as_deref()), (Code::InvalidQuery, Some(field)));
        }
    }
}
