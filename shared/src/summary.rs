//! The summary: the computed answer that a team asks for.

use serde::{Deserialize, Serialize};

use crate::counter::{DISMISSED, FUNNEL, Tally, stage_value};
use crate::display::Stage;
use crate::metrics::{self, Category, Scale};
use crate::statistics::{self, Interval, LOW_N};

/// A survey's figures for its primary question. Only answered questions count, and no data is
/// `null`, never 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The survey's id.
    pub survey: String,
    /// The id of the question.
    pub question: String,
    /// Its scale, which names the metric.
    pub scale: Scale,
    /// The Net Promoter Score, −100 to 100; `null` without answers.
    pub score: Option<f64>,
    /// The score's interval at 95 % confidence; `null` below two answers.
    pub interval: Option<Interval>,
    /// How many displays answered the question.
    pub n: u64,
    /// Whether `n` is below 30, where the interval says little.
    pub low_n: bool,
    /// How many answers fell into each category.
    pub counts: Counts,
    /// How often each value of the scale was given, all of them, lowest first.
    pub distribution: Vec<ValueCount>,
    /// How far displays came.
    pub funnel: Funnel,
}

/// Answers by category.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// 9 and 10.
    pub promoter: u64,
    /// 7 and 8.
    pub passive: u64,
    /// 0 to 6.
    pub detractor: u64,
}

/// How often one value was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValueCount {
    /// The value.
    pub value: u8,
    /// How often.
    pub count: u64,
}

/// How many displays reached each stage; a higher stage implies the lower ones.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Funnel {
    /// Put into a page.
    pub shown: u64,
    /// In view.
    pub seen: u64,
    /// Answered at least once.
    pub started: u64,
    /// The thank-you was reached.
    pub completed: u64,
    /// Closed by the visitor, at any stage.
    pub dismissed: u64,
    /// Started of seen, 0 to 1; `null` where nothing was seen.
    pub response_rate: Option<f64>,
    /// The rate's Wilson interval at 95 % confidence; `null` below two displays.
    pub response_rate_interval: Option<Interval>,
}

impl Summary {
    /// Computes the summary of a survey's primary question from what all its shards have counted.
    pub fn of(survey: &str, question: &str, scale: Scale, tally: &Tally) -> Self {
        let answers = tally.question(question);
        let (low, high) = scale.range();
        let distribution: Vec<_> =
            (low..=high).map(|value| ValueCount { value, count: answers.count(value) }).collect();
        let mut counts = Counts::default();
        for ValueCount { value, count } in &distribution {
            match scale.category(*value) {
                Some(Category::Promoter) => counts.promoter += count,
                Some(Category::Passive) => counts.passive += count,
                Some(Category::Detractor) => counts.detractor += count,
                None => {}
            }
        }
        let n = counts.promoter + counts.passive + counts.detractor;
        let score = metrics::net_promoter_score(counts.promoter, counts.detractor, n);
        Self {
            survey: survey.to_owned(),
            question: question.to_owned(),
            scale,
            score: score.value,
            interval: score.interval,
            n,
            low_n: n < LOW_N,
            counts,
            distribution,
            funnel: Funnel::of(tally),
        }
    }
}

impl Funnel {
    fn of(tally: &Tally) -> Self {
        let stages = tally.question(FUNNEL);
        let exactly = |stage| stages.count(stage_value(stage));
        let completed = exactly(Stage::Completed);
        let started = completed + exactly(Stage::Started);
        let seen = started + exactly(Stage::Seen);
        let shown = seen + exactly(Stage::Shown);
        let rate = statistics::float(started) / statistics::float(seen);
        Self {
            shown,
            seen,
            started,
            completed,
            dismissed: stages.count(DISMISSED),
            response_rate: (seen > 0).then_some(rate),
            response_rate_interval: statistics::wilson(started, seen),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counter::Facts;
    use crate::display::{Answer, Answers, Channel};

    fn tally(displays: &[(Stage, Option<u8>)]) -> Tally {
        let mut tally = Tally::default();
        for (stage, score) in displays {
            let answers = score.map(|score| ("score".to_owned(), Answer::Score(score)));
            tally.add(&Facts {
                shown_ms: 0,
                stage: *stage,
                dismissed: *stage == Stage::Seen,
                version: 1,
                channel: Channel::InPage,
                answers: Answers(answers.into_iter().collect()),
            });
        }
        tally
    }

    #[test]
    fn a_summary_counts_answers_and_the_funnel_counts_displays() {
        let tally = tally(&[
            (Stage::Shown, None),
            (Stage::Seen, None),
            (Stage::Started, Some(3)),
            (Stage::Completed, Some(9)),
            (Stage::Completed, Some(10)),
            (Stage::Completed, Some(7)),
        ]);
        let summary = Summary::of("survey", "score", Scale::Nps, &tally);
        assert_eq!(summary.n, 4);
        assert_eq!(summary.score, Some(25.0));
        assert_eq!(summary.counts, Counts { promoter: 2, passive: 1, detractor: 1 });
        assert_eq!(summary.distribution.len(), 11);
        assert_eq!(summary.distribution[9], ValueCount { value: 9, count: 1 });
        assert!(summary.low_n);
        let funnel = summary.funnel;
        assert_eq!([funnel.shown, funnel.seen, funnel.started, funnel.completed], [6, 5, 4, 3]);
        assert_eq!((funnel.dismissed, funnel.response_rate), (1, Some(0.8)));
    }

    #[test]
    fn no_data_is_null() {
        let summary = Summary::of("survey", "score", Scale::Nps, &Tally::default());
        assert_eq!((summary.n, summary.score, summary.interval), (0, None, None));
        assert_eq!(summary.funnel.response_rate, None);
        let json = serde_json::to_string(&summary).unwrap();
        assert!(json.contains(r#""score":null"#), "{json}");
    }
}
