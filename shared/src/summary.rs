//! The summary: the computed answer that a team asks for.

use serde::{Deserialize, Serialize};

use crate::counter::{DISMISSED, FUNNEL, Histogram, Tally, stage_value};
use crate::definition::question::Rating;
use crate::display::Stage;
use crate::metrics::{Metric, Sample, Scale, Score};
use crate::statistics::{self, Interval};

/// A survey's figures for one rating question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The survey's id.
    pub survey: String,
    /// The id of the question.
    pub question: String,
    /// What it measures.
    pub metric: Metric,
    /// Its scale.
    pub scale: Scale,
    /// The metric, with its interval.
    #[serde(flatten)]
    pub score: Score,
    /// How often each value of the scale was given, all of them, lowest first.
    pub distribution: Vec<ValueCount>,
    /// How far displays came.
    pub funnel: Funnel,
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

/// Every value of a scale with how often it was given.
pub fn distribution(scale: Scale, answers: &Histogram) -> Vec<ValueCount> {
    let (low, high) = scale.range();
    (low..=high).map(|value| ValueCount { value, count: answers.count(value) }).collect()
}

impl Summary {
    /// Computes the summary of a rating question from what all shards have counted.
    pub fn of(survey: &str, question: &str, rating: &Rating, tally: &Tally) -> Self {
        let answers = tally.question(question);
        let Rating { scale, direction, .. } = *rating;
        Self {
            survey: survey.to_owned(),
            question: question.to_owned(),
            metric: scale.metric(),
            scale,
            score: Sample { scale, direction, answers: &answers }.score(),
            distribution: distribution(scale, &answers),
            funnel: Funnel::of(&tally.question(FUNNEL)),
        }
    }
}

impl Funnel {
    /// The funnel of a histogram of stages.
    pub fn of(stages: &Histogram) -> Self {
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
    use crate::definition::text::Text;
    use crate::display::{Answer, Answers, Channel};
    use crate::metrics::Direction;

    fn rating() -> Rating {
        Rating {
            scale: Scale::Nps,
            direction: Direction::HighIsGood,
            low: Text::One("Not likely".to_owned()),
            high: Text::One("Likely".to_owned()),
        }
    }

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
        let summary = Summary::of("survey", "score", &rating(), &tally);
        assert_eq!((summary.score.n, summary.score.score), (4, Some(25.0)));
        assert_eq!(summary.distribution.len(), 11);
        assert_eq!(summary.distribution[9], ValueCount { value: 9, count: 1 });
        let funnel = summary.funnel;
        assert_eq!([funnel.shown, funnel.seen, funnel.started, funnel.completed], [6, 5, 4, 3]);
        assert_eq!((funnel.dismissed, funnel.response_rate), (1, Some(0.8)));
    }

    #[test]
    fn no_data_is_null() {
        let summary = Summary::of("survey", "score", &rating(), &Tally::default());
        assert_eq!((summary.score.n, summary.score.score), (0, None));
        assert_eq!(summary.funnel.response_rate, None);
        let json = serde_json::to_string(&summary).unwrap();
        assert!(json.contains(r#""score":null"#), "{json}");
        assert!(json.contains(r#""promoter":0"#), "{json}");
    }
}
