//! Summaries of a site: surveys pooled by metric and scale. Scales are never mixed, and each pool shows its
//! parts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::counter::Histogram;
use crate::definition::question::Rating;
use crate::funnel::FUNNEL;
use crate::metrics::{Direction, Metric, Sample, Scale, Score};
use crate::period::rfc3339;
use crate::statistics::{Difference, SIGNIFICANT, float};
use crate::summary::{Funnel, Period, TrendPoint, ValueCount, distribution};
use crate::tally::{Counted, Request, Tally};

/// A site's figures: one pool for each metric and scale.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SiteSummary {
    /// The site's id.
    pub site: String,
    /// The period that the figures cover.
    pub period: Period,
    /// The pools, in the order of metrics and scales.
    pub pools: Vec<Pool>,
}

/// The primary questions of all surveys that measure the same on the same scale. It includes primary questions
/// that only earlier versions asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Pool {
    /// The metric of the questions.
    pub metric: Metric,
    /// The scale of the questions.
    pub scale: Scale,
    /// Always true: these are answers to different questions, asked of different people.
    pub pooled: bool,
    /// The metric over all answers.
    #[serde(flatten)]
    pub score: Score,
    /// How often each value was given; reversed if a low value is good.
    pub distribution: Vec<ValueCount>,
    /// How far the displays of the pool's surveys came, each counted once.
    pub funnel: Funnel,
    /// The parts of the pool.
    pub mix: Vec<Part>,
    /// The same figures by the intervals of a calendar, if requested.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trend: Option<Vec<TrendPoint>>,
    /// The comparison with the previous period, if requested. A change of the mix is a change too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<PoolChange>,
}

/// One survey's part of a pool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Part {
    /// The survey's id.
    pub survey: String,
    /// Its name.
    pub name: String,
    /// The id of its primary question, of the latest or of an earlier version.
    pub question: String,
    /// Number of answers.
    pub n: u64,
    /// Share of the pool, 0 to 1; `null` without answers.
    pub share: Option<f64>,
    /// Its own score.
    pub score: Option<f64>,
}

/// The comparison of a pool with the previous period of the same elapsed length.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PoolChange {
    /// The previous period.
    pub previous: TrendPoint,
    /// The score minus the previous score; `null` if either has fewer than two answers.
    pub difference: Option<Difference>,
}

/// The counts for the primary question of one survey.
pub struct Member {
    /// The survey's id.
    pub survey: String,
    /// Its name.
    pub name: String,
    /// The id of its primary question.
    pub question: String,
    /// That question's scale and direction.
    pub rating: Rating,
    /// The counts for the period.
    pub counted: Counted,
    /// The counts for the previous period, if requested.
    pub before: Option<Counted>,
}

/// The request for the figures of pools.
pub struct PoolRequest<'a> {
    /// The request by which the shards counted.
    pub request: &'a Request,
    /// Whether the trend is requested.
    pub trend: bool,
    /// The previous period.
    pub before: (u64, u64),
}

/// Pools members by metric and scale. The members of one survey must be next to each other.
pub fn pools(members: &[Member], wanted: &PoolRequest<'_>) -> Vec<Pool> {
    let mut scales: BTreeMap<Scale, Vec<&Member>> = BTreeMap::new();
    for member in members {
        scales.entry(member.rating.scale).or_default().push(member);
    }
    scales.into_iter().map(|(scale, members)| pool(scale, &members, wanted)).collect()
}

/// Adds up the tallies of a pool's members: returns the answers, and the point of the trend that they make.
fn point(
    scale: Scale,
    (from_ms, to_ms): (u64, u64),
    tallies: &mut dyn Iterator<Item = (&Member, Tally)>,
) -> (Histogram, TrendPoint) {
    let (mut answers, mut funnel) = (Histogram::default(), Histogram::default());
    let mut survey = None;
    for (member, tally) in tallies {
        answers.merge(&oriented(&member.rating, &tally.question(&member.question)));
        // If a survey has two questions in the pool, each of its displays counts only once.
        if survey.replace(&member.survey) != Some(&member.survey) {
            funnel.merge(&tally.question(FUNNEL));
        }
    }
    let score = sample(scale, &answers).score();
    let funnel = Funnel::of(&funnel);
    let point = TrendPoint { from: rfc3339(from_ms), to: rfc3339(to_ms), score, funnel };
    (answers, point)
}

fn pool(scale: Scale, members: &[&Member], wanted: &PoolRequest<'_>) -> Pool {
    let totals = &mut members.iter().map(|member| (*member, member.counted.total()));
    let (answers, whole) = point(scale, wanted.request.range(), totals);
    let trend = wanted.trend.then(|| {
        let edges = wanted.request.edges.iter().zip(wanted.request.edges.iter().skip(1));
        let points = edges.enumerate().map(|(at, (from_ms, to_ms))| {
            let tallies = &mut members
                .iter()
                .filter_map(|member| Some((*member, member.counted.points.get(at)?.clone())));
            point(scale, (*from_ms, *to_ms), tallies).1
        });
        points.collect()
    });
    let has_before = members.iter().any(|member| member.before.is_some());
    let change = has_before.then(|| {
        let totals = &mut members
            .iter()
            .filter_map(|member| Some((*member, member.before.as_ref()?.total())));
        let (before, previous) = point(scale, wanted.before, totals);
        PoolChange {
            previous,
            difference: sample(scale, &answers).difference(&sample(scale, &before), SIGNIFICANT),
        }
    });
    let mix = members.iter().map(|member| {
        let theirs = oriented(&member.rating, &member.counted.total().question(&member.question));
        let score = sample(scale, &theirs).score();
        Part {
            survey: member.survey.clone(),
            name: member.name.clone(),
            question: member.question.clone(),
            n: score.n,
            share: (whole.score.n > 0).then(|| float(score.n) / float(whole.score.n)),
            score: score.score,
        }
    });
    Pool {
        metric: scale.metric(),
        scale,
        pooled: true,
        distribution: distribution(scale, &answers),
        mix: mix.collect(),
        score: whole.score,
        funnel: whole.funnel,
        trend,
        change,
    }
}

/// Makes a sample of reversed answers, where high is good.
fn sample(scale: Scale, answers: &Histogram) -> Sample<'_> {
    Sample { scale, direction: Direction::HighIsGood, answers }
}

/// Returns answers as they would be if high were good.
fn oriented(rating: &Rating, answers: &Histogram) -> Histogram {
    let turned = answers.0.iter().filter_map(|(value, count)| {
        Some((rating.scale.oriented(rating.direction, *value)?, *count))
    });
    Histogram(turned.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::question::ShownAs;
    use crate::definition::text::Text;
    use crate::display::Stage;
    use crate::funnel::funnel_value;

    #[test]
    fn a_pool_turns_scales_the_same_way_and_shows_its_mix() {
        let member = |name: &str, scale, direction, values: &[(u8, u64)]| {
            let answers = Histogram(values.iter().copied().collect());
            let shown = Histogram([(funnel_value(Stage::Shown, true), 100)].into());
            let tally = Tally([("q".to_owned(), answers), (FUNNEL.to_owned(), shown)].into());
            let label = || Text::One("label".to_owned());
            Member {
                survey: name.to_owned(),
                name: name.to_owned(),
                question: "q".to_owned(),
                rating: Rating {
                    scale,
                    direction,
                    shown_as: ShownAs::Numbers,
                    low: label(),
                    high: label(),
                },
                counted: Counted { points: vec![tally], ..Counted::default() },
                before: None,
            }
        };
        let members = [
            member("a", Scale::Ces7, Direction::HighIsGood, &[(7, 30)]),
            member("b", Scale::Ces7, Direction::LowIsGood, &[(1, 5), (7, 5)]),
            member("c", Scale::Nps, Direction::HighIsGood, &[(10, 4)]),
            // A question of an earlier version, in the pool of the question that replaced it.
            member("c", Scale::Nps, Direction::HighIsGood, &[(0, 6)]),
        ];
        let request = Request::whole("", 0, 1);
        let wanted = PoolRequest { request: &request, trend: true, before: (0, 0) };
        let pools = pools(&members, &wanted);
        let scales: Vec<_> = pools.iter().map(|pool| (pool.scale, pool.score.n)).collect();
        assert_eq!(scales, [(Scale::Nps, 10), (Scale::Ces7, 40)]);
        assert_eq!(pools.iter().map(|pool| pool.funnel.shown).collect::<Vec<_>>(), [100, 200]);
        let effort = &pools[1];
        assert_eq!(effort.score.score, Some(35.0 / 40.0));
        assert_eq!(effort.distribution[6], ValueCount { value: 7, count: 35 });
        let shares: Vec<_> = effort.mix.iter().map(|part| (part.share, part.score)).collect();
        assert_eq!(shares, [(Some(0.75), Some(1.0)), (Some(0.25), Some(0.5))]);
        assert_eq!(effort.trend.as_ref().unwrap()[0].score.n, 40);
        assert_eq!(effort.change, None);
    }
}
