//! The summary: the figures that a team requests.

use serde::{Deserialize, Serialize};

use crate::counter::Histogram;
use crate::definition::question::Rating;
use crate::dimension::{Dimension, OTHER};
use crate::display::Stage;
use crate::funnel::{DISMISSED, FUNNEL, funnel_value};
use crate::metrics::{Metric, Sample, Scale, Score};
use crate::period::rfc3339;
use crate::statistics::{self, Adjusted, Difference, Interval, SIGNIFICANT};
use crate::tally::{Counted, Request, Tally};

/// A survey's figures for one rating question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Summary {
    /// The survey's id.
    pub survey: String,
    /// The id of the question.
    pub question: String,
    /// The metric that it measures.
    pub metric: Metric,
    /// Its scale.
    pub scale: Scale,
    /// The period that the figures cover.
    pub period: Period,
    /// The source of the figures.
    #[serde(flatten)]
    pub source: Source,
    /// The metric, with its interval.
    #[serde(flatten)]
    pub score: Score,
    /// Number of different people who are known to have answered.
    #[serde(flatten)]
    pub people: People,
    /// How often each value of the scale was given, for all values, lowest first.
    pub distribution: Vec<ValueCount>,
    /// How far displays came.
    pub funnel: Funnel,
    /// The same figures by the intervals of a calendar, if requested.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trend: Option<Vec<TrendPoint>>,
    /// The same figures by the values of a dimension, if requested.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub breakdown: Option<Vec<BreakdownRow>>,
    /// The comparison with the previous period, if requested.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
}

/// The source of the figures, and the times before which parts of it are missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Source {
    /// Counters, or displays one by one.
    #[serde(rename = "source")]
    pub kind: SourceKind,
    /// Whether each respondent counts once, with the latest answer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub per_respondent: bool,
    /// The time since when every display is still there, in RFC 3339; `null` if none was dropped. Filters do
    /// not find unanswered displays before it.
    pub displays_since: Option<String>,
    /// The time since when comments, respondents and traits are still there, in RFC 3339; `null` if none were
    /// forgotten.
    pub people_since: Option<String>,
}

/// What a summary was counted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// Counters of settled time, and the displays since.
    Counters,
    /// Displays, one by one.
    Displays,
}

/// Number of different people who answered. Intervals assume one answer a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct People {
    /// Number of respondents that the site named; answers of other people are not included.
    pub respondents: u64,
    /// Whether the number is an estimate, with a standard error of 1 %: above 10,000.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub respondents_estimated: bool,
}

impl People {
    /// Returns the people behind the counts.
    pub fn of(counted: &Counted) -> Self {
        let (respondents, respondents_estimated) = counted.respondents.count();
        Self { respondents, respondents_estimated }
    }
}

/// The time that a summary covers, by when displays were shown: `from` is included and `to` is not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Period {
    /// Its start in RFC 3339; `null` for all of the survey's time.
    pub from: Option<String>,
    /// Its end in RFC 3339.
    pub to: String,
    /// The time zone whose calendar divides it.
    pub tz: String,
}

/// One point of a trend. It has no p value, because points are meant to be looked at together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TrendPoint {
    /// Its start in RFC 3339.
    pub from: String,
    /// Its end in RFC 3339.
    pub to: String,
    /// Its score.
    #[serde(flatten)]
    pub score: Score,
    /// How far its displays came.
    pub funnel: Funnel,
}

/// One row of a breakdown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BreakdownRow {
    /// The dimension's value; empty for displays without one.
    pub value: String,
    /// Whether this row holds all values of a trait after its first 100.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub grouped: bool,
    /// Its score.
    #[serde(flatten)]
    pub score: Score,
    /// How far its displays came.
    pub funnel: Funnel,
    /// The difference between its score and that of all other rows together, with p value and interval adjusted
    /// by Holm for the number of rows. They are not adjusted if only two rows have answers, because then both
    /// rows show one test. `null` if either side has fewer than two answers.
    pub difference: Option<Difference>,
}

/// The comparison of a score with the previous period of the same elapsed length.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Change {
    /// The previous period.
    pub previous: TrendPoint,
    /// The score minus the previous score; `null` if either has fewer than two answers.
    pub difference: Option<Difference>,
    /// The mean minus the previous mean; `null` for Net Promoter.
    pub mean_difference: Option<Difference>,
}

/// How often one value was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ValueCount {
    /// The value.
    pub value: u8,
    /// How often.
    pub count: u64,
}

/// How many displays reached each stage; a higher stage implies the lower ones.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Funnel {
    /// Put into a page.
    pub shown: u64,
    /// Displays in view, of the channels where that is known; `null` if there are none of those channels.
    pub seen: Option<u64>,
    /// Answered at least once.
    pub started: u64,
    /// Displays that reached the thank-you.
    pub completed: u64,
    /// Closed by the visitor, at any stage.
    pub dismissed: u64,
    /// Started divided by seen, 0 to 1, of the same displays as `seen`; `null` if nothing was seen.
    pub response_rate: Option<f64>,
    /// The rate's Wilson interval at 95 % confidence; `null` below two displays.
    pub response_rate_interval: Option<Interval>,
}

/// Returns every value of a scale with how often it was given.
pub fn distribution(scale: Scale, answers: &Histogram) -> Vec<ValueCount> {
    let (low, high) = scale.range();
    (low..=high).map(|value| ValueCount { value, count: answers.count(value) }).collect()
}

/// The question that a summary is about.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The survey's id.
    pub survey: &'a str,
    /// The question's id.
    pub question: &'a str,
    /// Its scale and its direction.
    pub rating: &'a Rating,
}

impl Subject<'_> {
    /// Computes the summary from the counts of all shards for a period.
    pub fn summary(&self, period: Period, source: Source, counted: &Counted) -> Summary {
        let total = counted.total();
        let answers = total.question(self.question);
        let scale = self.rating.scale;
        Summary {
            survey: self.survey.to_owned(),
            question: self.question.to_owned(),
            metric: scale.metric(),
            scale,
            period,
            source,
            people: People::of(counted),
            score: self.sample(&answers).score(),
            distribution: distribution(scale, &answers),
            funnel: Funnel::of(&total.question(FUNNEL)),
            trend: None,
            breakdown: None,
            change: None,
        }
    }

    /// Returns the points of a trend.
    pub fn trend(&self, request: &Request, counted: &Counted) -> Vec<TrendPoint> {
        let ends = request.edges.iter().zip(request.edges.iter().skip(1));
        let points = ends.zip(&counted.points);
        points.map(|((from_ms, to_ms), tally)| self.point(*from_ms, *to_ms, tally)).collect()
    }

    /// Returns the rows of a breakdown, each compared with the rest.
    pub fn breakdown(&self, by: &Dimension, counted: &Counted) -> Vec<BreakdownRow> {
        let total = counted.total().question(self.question);
        let answers: Vec<_> = counted
            .rows
            .values()
            .map(|tally| {
                let answers = tally.question(self.question);
                let rest = total.without(&answers);
                (answers, rest)
            })
            .collect();
        let difference = |(answers, rest): &(Histogram, Histogram), alpha| {
            self.sample(answers).difference(&self.sample(rest), alpha)
        };
        let alone = answers.iter().filter_map(|row| difference(row, SIGNIFICANT));
        let p_values: Vec<_> = alone.map(|difference| difference.p).collect();
        // If two rows have answers, each is the rest of the other, so both show the same test from two sides.
        let answered = answers.iter().filter(|(answers, _)| answers.total() > 0).count();
        let adjusted = match answered {
            2 => p_values.into_iter().map(Adjusted::alone).collect(),
            _ => statistics::holm(&p_values),
        };
        let mut adjusted = adjusted.into_iter();
        let rows = counted.rows.iter().zip(&answers).map(|((value, tally), row)| BreakdownRow {
            value: value.clone(),
            grouped: matches!(by, Dimension::Trait(_)) && value == OTHER,
            score: self.sample(&row.0).score(),
            funnel: Funnel::of(&tally.question(FUNNEL)),
            difference: difference(row, SIGNIFICANT).and_then(|_| {
                let Adjusted { p, alpha } = adjusted.next()?;
                Some(difference(row, alpha)?.with_p(p))
            }),
        });
        rows.collect()
    }

    /// Returns the comparison with the previous period.
    pub fn change(&self, now: &Tally, (from_ms, to_ms): (u64, u64), before: &Tally) -> Change {
        let (ours, theirs) = (now.question(self.question), before.question(self.question));
        let (ours, others) = (self.sample(&ours), self.sample(&theirs));
        Change {
            previous: self.point(from_ms, to_ms, before),
            difference: ours.difference(&others, SIGNIFICANT),
            mean_difference: ours.mean_difference(&others),
        }
    }

    fn point(&self, from_ms: u64, to_ms: u64, tally: &Tally) -> TrendPoint {
        TrendPoint {
            from: rfc3339(from_ms),
            to: rfc3339(to_ms),
            score: self.sample(&tally.question(self.question)).score(),
            funnel: Funnel::of(&tally.question(FUNNEL)),
        }
    }

    fn sample<'a>(&self, answers: &'a Histogram) -> Sample<'a> {
        Sample { scale: self.rating.scale, direction: self.rating.direction, answers }
    }
}

impl Funnel {
    /// Makes the funnel of a histogram of stages.
    pub fn of(stages: &Histogram) -> Self {
        let reached = |tells_seen| {
            let exactly = |stage| stages.count(funnel_value(stage, tells_seen));
            let completed = exactly(Stage::Completed);
            let started = completed + exactly(Stage::Started);
            let seen = started + exactly(Stage::Seen);
            [seen + exactly(Stage::Shown), seen, started, completed]
        };
        let [shown, seen, started, completed] = reached(true);
        let [others_shown, _, others_started, others_completed] = reached(false);
        let rate = statistics::float(started) / statistics::float(seen);
        Self {
            shown: shown + others_shown,
            seen: (shown > 0 || others_shown == 0).then_some(seen),
            started: started + others_started,
            completed: completed + others_completed,
            dismissed: stages.count(DISMISSED),
            response_rate: (seen > 0).then_some(rate),
            response_rate_interval: statistics::wilson(started, seen),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::question::ShownAs;
    use crate::definition::text::Text;
    use crate::display::{Answer, Answers, Channel};
    use crate::facts::{Context, Facts};
    use crate::metrics::Direction;
    use crate::statistics::Verdict;
    use crate::statistics::tests::shown_by;
    use std::collections::BTreeMap;

    fn rating() -> Rating {
        Rating {
            scale: Scale::Nps,
            direction: Direction::HighIsGood,
            shown_as: ShownAs::Numbers,
            low: Text::One("Not likely".to_owned()),
            high: Text::One("Likely".to_owned()),
        }
    }

    fn summary(counted: &Counted) -> Summary {
        let period = Period { from: None, to: rfc3339(0), tz: "UTC".to_owned() };
        let source = Source {
            kind: SourceKind::Counters,
            per_respondent: false,
            displays_since: None,
            people_since: None,
        };
        let subject = Subject { survey: "survey", question: "score", rating: &rating() };
        subject.summary(period, source, counted)
    }

    fn counted(displays: &[(Stage, Option<u8>)]) -> Counted {
        let request = Request::whole("score", 0, 1);
        let mut counted = request.nothing();
        for (stage, score) in displays {
            let answers = score.map(|score| ("score".to_owned(), Answer::Score(score)));
            let facts = Facts {
                shown_ms: 0,
                stage: *stage,
                dismissed: *stage == Stage::Seen,
                context: Context::default(),
                answers: Answers(answers.into_iter().collect()),
                traits: BTreeMap::new(),
                respondent: Some(1),
            };
            counted.add(&request, &facts, 1);
        }
        counted
    }

    #[test]
    fn a_summary_counts_answers_and_the_funnel_counts_displays() {
        let counted = counted(&[
            (Stage::Shown, None),
            (Stage::Seen, None),
            (Stage::Started, Some(3)),
            (Stage::Completed, Some(9)),
            (Stage::Completed, Some(10)),
            (Stage::Completed, Some(7)),
        ]);
        let summary = summary(&counted);
        assert_eq!(summary.people.respondents, 1);
        assert_eq!((summary.score.n, summary.score.score), (4, Some(25.0)));
        assert_eq!(summary.distribution.len(), 11);
        assert_eq!(summary.distribution[9], ValueCount { value: 9, count: 1 });
        let funnel = summary.funnel;
        assert_eq!([funnel.shown, funnel.started, funnel.completed], [6, 4, 3]);
        assert_eq!(funnel.seen, Some(5));
        assert_eq!((funnel.dismissed, funnel.response_rate), (1, Some(0.8)));
    }

    #[test]
    fn a_row_is_compared_with_the_rest_and_the_p_values_know_of_each_other() {
        let counted = |rows: &[(&str, u64, u64)]| {
            let tallies = rows.iter().map(|(value, promoters, detractors)| {
                let answers = Histogram([(10, *promoters), (0, *detractors)].into());
                (value.to_string(), Tally([("score".to_owned(), answers)].into()))
            });
            let rows: BTreeMap<_, _> = tallies.collect();
            let mut total = Tally::default();
            rows.values().for_each(|row| total.merge(row));
            Counted { points: vec![total], rows, ..Counted::default() }
        };
        let subject = Subject { survey: "survey", question: "score", rating: &rating() };
        let rows = subject.breakdown(
            &Dimension::Version,
            &counted(&[("1", 60, 40), ("2", 80, 20), ("3", 70, 30)]),
        );
        assert_eq!(
            rows.iter().map(|row| row.score.score).collect::<Vec<_>>(),
            [Some(20.0), Some(60.0), Some(40.0)]
        );
        let answers = |promoters, detractors| Histogram([(10, promoters), (0, detractors)].into());
        let raw = [(60, 40), (80, 20), (70, 30)].map(|(promoters, detractors)| {
            let (row, rest) =
                (answers(promoters, detractors), answers(210 - promoters, 90 - detractors));
            subject.sample(&row).difference(&subject.sample(&rest), SIGNIFICANT).unwrap().p
        });
        let adjusted: Vec<_> = rows.iter().map(|row| row.difference.unwrap().p).collect();
        assert_eq!(adjusted, statistics::holm(&raw).iter().map(|row| row.p).collect::<Vec<_>>());
        assert!(adjusted.iter().zip(raw).all(|(adjusted, raw)| *adjusted > raw || raw > 0.9));
        assert_eq!(rows[2].difference.unwrap().verdict, Verdict::NoDifferenceShown);
        assert_eq!(
            subject.breakdown(&Dimension::Version, &counted(&[("1", 5, 5)]))[0].difference,
            None
        );
    }

    #[test]
    fn two_rows_are_one_test_and_mirror_each_other() {
        let answers = |promoters, detractors| Histogram([(10, promoters), (0, detractors)].into());
        let (a, b) = (answers(60, 40), answers(74, 26));
        let subject = Subject { survey: "survey", question: "score", rating: &rating() };
        let alone = subject.sample(&a).difference(&subject.sample(&b), SIGNIFICANT).unwrap();
        assert!(alone.p < SIGNIFICANT && SIGNIFICANT < 2.0 * alone.p, "{alone:?}");
        let tally = |answers: &Histogram| Tally([("score".to_owned(), answers.clone())].into());
        // A third row whose displays were not answered takes no part in any comparison.
        for others in [vec![], vec![("c".to_owned(), Tally::default())]] {
            let mut rows: BTreeMap<_, _> = others.into_iter().collect();
            rows.insert("a".to_owned(), tally(&a));
            rows.insert("b".to_owned(), tally(&b));
            let mut total = tally(&a);
            total.merge(&tally(&b));
            let counted = Counted { points: vec![total], rows, ..Counted::default() };
            let rows = subject.breakdown(&Dimension::Variant, &counted);
            let [ours, theirs] = [0, 1].map(|at| rows[at].difference.unwrap());
            assert_eq!(ours, alone);
            let Interval { low, high } = ours.interval;
            let mirrored = Interval { low: -high, high: -low };
            let expected = (-ours.difference, mirrored, ours.level, ours.p);
            assert_eq!((theirs.difference, theirs.interval, theirs.level, theirs.p), expected);
            assert_eq!((ours.verdict, theirs.verdict), (Verdict::Lower, Verdict::Higher));
        }
    }

    #[test]
    fn the_verdict_and_the_interval_of_a_row_never_contradict_each_other() {
        // A random number generator for the tests: Knuth's constants for 64 bits.
        let mut state = 1_u64;
        let mut random = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) % below
        };
        let subject = Subject { survey: "survey", question: "score", rating: &rating() };
        let mut verdicts = [0; 2];
        for _ in 0..1_000 {
            let rows = (0..2 + random(6)).map(|value| {
                let answers = [(10, 5 + random(60)), (7, random(9)), (0, 5 + random(60))];
                let answers = Histogram(answers.into());
                (value.to_string(), Tally([("score".to_owned(), answers)].into()))
            });
            let rows: BTreeMap<_, _> = rows.collect();
            let mut total = Tally::default();
            rows.values().for_each(|row| total.merge(row));
            let counted = Counted { points: vec![total], rows, ..Counted::default() };
            for row in subject.breakdown(&Dimension::Version, &counted) {
                let difference = row.difference.unwrap();
                let wanted = shown_by(difference.interval);
                assert_eq!(difference.verdict, wanted, "{difference:?}");
                verdicts[usize::from(wanted == Verdict::NoDifferenceShown)] += 1;
            }
        }
        assert!(verdicts.iter().all(|count| *count > 500), "{verdicts:?}");
    }

    #[test]
    fn what_nobody_can_see_is_no_part_of_the_response_rate() {
        let request = Request::whole("score", 0, 1);
        let funnel = |displays: &[(Channel, Stage)]| {
            let mut counted = request.nothing();
            for (channel, stage) in displays {
                let facts = Facts {
                    shown_ms: 0,
                    stage: *stage,
                    dismissed: false,
                    context: Context { channel: *channel, ..Context::default() },
                    answers: Answers::default(),
                    traits: BTreeMap::new(),
                    respondent: None,
                };
                counted.add(&request, &facts, 1);
            }
            Funnel::of(&counted.total().question(FUNNEL))
        };
        let mails = [(Channel::Email, Stage::Shown), (Channel::Link, Stage::Completed)];
        let unseen = funnel(&mails);
        assert_eq!([unseen.shown, unseen.started, unseen.completed], [2, 1, 1]);
        assert_eq!((unseen.seen, unseen.response_rate), (None, None));
        let pages = [(Channel::InPage, Stage::Seen), (Channel::Kiosk, Stage::Started)];
        let both = funnel(&[mails, pages].concat());
        assert_eq!([both.shown, both.started, both.completed], [4, 2, 1]);
        assert_eq!((both.seen, both.response_rate), (Some(2), Some(0.5)));
        assert_eq!(funnel(&[]).seen, Some(0));
    }

    #[test]
    fn no_data_is_null() {
        let summary = summary(&Counted::default());
        assert_eq!((summary.score.n, summary.score.score), (0, None));
        assert_eq!(summary.funnel.response_rate, None);
        let json = serde_json::to_string(&summary).unwrap();
        assert!(json.contains(r#""score":null"#), "{json}");
        assert!(json.contains(r#""promoter":0"#), "{json}");
    }
}
