//! The metrics: the names of a scale's values, and the figures that are computed from how often each value was
//! given.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::counter::Histogram;
use crate::statistics::{self, Difference, Interval, Moments};

/// A quantity that a rating measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Net Promoter Score: how likely are you to recommend us?
    Nps,
    /// Customer Satisfaction: how satisfied were you?
    Csat,
    /// Customer Effort: how easy was it?
    Ces,
}

/// The scale of a rating. Values are integers on it; scales are never mixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// Net Promoter: 0 to 10.
    Nps,
    /// Satisfaction: 1 to 3.
    #[serde(rename = "csat_3")]
    Csat3,
    /// Satisfaction: 1 to 5.
    #[serde(rename = "csat_5")]
    Csat5,
    /// Satisfaction: 1 to 7.
    #[serde(rename = "csat_7")]
    Csat7,
    /// Satisfaction: 1 to 10.
    #[serde(rename = "csat_10")]
    Csat10,
    /// Effort: 1 to 5.
    #[serde(rename = "ces_5")]
    Ces5,
    /// Effort: 1 to 7.
    #[serde(rename = "ces_7")]
    Ces7,
}

/// Which end of an effort scale is the easy one. It is stored with the question, since both directions are in
/// use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The highest value is the best: "how easy was it?"
    #[default]
    HighIsGood,
    /// The lowest value is the best: "how much effort was it?" Only for Customer Effort.
    LowIsGood,
}

/// The meaning of a value on a scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// Net Promoter 9 and 10.
    Promoter,
    /// Net Promoter 7 and 8.
    Passive,
    /// Net Promoter 0 to 6.
    Detractor,
    /// The upper values of a satisfaction scale.
    Satisfied,
    /// The easy end of an effort scale.
    Easy,
    /// The middle of a satisfaction or effort scale.
    Neutral,
    /// The lower values of a satisfaction scale.
    Dissatisfied,
    /// The hard end of an effort scale.
    Hard,
}

impl Category {
    /// Returns the name as it travels.
    pub fn name(self) -> &'static str {
        match self {
            Self::Promoter => "promoter",
            Self::Passive => "passive",
            Self::Detractor => "detractor",
            Self::Satisfied => "satisfied",
            Self::Easy => "easy",
            Self::Neutral => "neutral",
            Self::Dissatisfied => "dissatisfied",
            Self::Hard => "hard",
        }
    }
}

impl Scale {
    /// Returns the metric that the scale measures.
    pub fn metric(self) -> Metric {
        match self {
            Self::Nps => Metric::Nps,
            Self::Csat3 | Self::Csat5 | Self::Csat7 | Self::Csat10 => Metric::Csat,
            Self::Ces5 | Self::Ces7 => Metric::Ces,
        }
    }

    /// Returns the lowest and the highest value.
    pub fn range(self) -> (u8, u8) {
        match self {
            Self::Nps => (0, 10),
            Self::Csat3 => (1, 3),
            Self::Csat5 | Self::Ces5 => (1, 5),
            Self::Csat7 | Self::Ces7 => (1, 7),
            Self::Csat10 => (1, 10),
        }
    }

    /// Returns the lowest value of the best category and the highest of the worst, where high is good.
    ///
    /// The cuts of satisfaction scales are conventions: the two best of 5 and 7, 9 and 10 of 10.
    fn cuts(self) -> (u8, u8) {
        match self {
            Self::Nps => (9, 6),
            Self::Csat3 => (3, 1),
            Self::Csat5 | Self::Ces5 => (4, 2),
            Self::Csat7 => (6, 2),
            Self::Csat10 => (9, 2),
            Self::Ces7 => (5, 3),
        }
    }

    /// Returns the categories: the best, the middle and the worst.
    pub fn categories(self) -> [Category; 3] {
        match self.metric() {
            Metric::Nps => [Category::Promoter, Category::Passive, Category::Detractor],
            Metric::Csat => [Category::Satisfied, Category::Neutral, Category::Dissatisfied],
            Metric::Ces => [Category::Easy, Category::Neutral, Category::Hard],
        }
    }

    /// Returns a value as it would be if high were good; `None` off the scale.
    pub(crate) fn oriented(self, direction: Direction, value: u8) -> Option<u8> {
        let (low, high) = self.range();
        if value < low || high < value {
            return None;
        }
        Some(match direction {
            Direction::HighIsGood => value,
            Direction::LowIsGood => low + (high - value),
        })
    }

    /// Returns the category of a value; `None` off the scale.
    pub fn category(self, direction: Direction, value: u8) -> Option<Category> {
        let [best, middle, worst] = self.categories();
        let (best_from, worst_to) = self.cuts();
        Some(match self.oriented(direction, value)? {
            value if value >= best_from => best,
            value if value <= worst_to => worst,
            _ => middle,
        })
    }
}

/// The answers to one rating question: how often each value was given.
#[derive(Debug, Clone, Copy)]
pub struct Sample<'a> {
    /// Its scale.
    pub scale: Scale,
    /// Its direction.
    pub direction: Direction,
    /// How often each value was given.
    pub answers: &'a Histogram,
}

/// The figures that are computed from a sample. Only answered questions count, and no data is `null`, never 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Score {
    /// The Net Promoter Score, −100 to 100; for other metrics the share of satisfied answers, or of easy ones,
    /// 0 to 1. `null` without answers.
    pub score: Option<f64>,
    /// The score's interval at 95 % confidence; `null` below two answers.
    pub interval: Option<Interval>,
    /// The mean value, where a high one is good; `null` for Net Promoter, and without answers.
    pub mean: Option<f64>,
    /// The mean's interval at 95 % confidence; `null` below two answers.
    pub mean_interval: Option<Interval>,
    /// Number of answers.
    pub n: u64,
    /// Whether `n` is below 30, where the interval says little.
    pub low_n: bool,
    /// Number of answers in each category.
    pub counts: BTreeMap<Category, u64>,
}

impl Sample<'_> {
    /// Returns the numbers of answers in the best, the middle and the worst category.
    fn groups(&self) -> [u64; 3] {
        let (low, high) = self.scale.range();
        self.scale.categories().map(|category| {
            (low..=high)
                .filter(|value| self.scale.category(self.direction, *value) == Some(category))
                .map(|value| self.answers.count(value))
                .sum()
        })
    }

    fn moments(&self) -> Option<Moments> {
        let (low, high) = self.scale.range();
        Moments::of((low..=high).filter_map(|value| {
            let oriented = self.scale.oriented(self.direction, value)?;
            Some((f64::from(oriented), self.answers.count(value)))
        }))
    }

    /// Computes the metric of this sample, with its interval.
    ///
    /// - Net Promoter Score: 100·(P−D)/n, F. Reichheld, "The One Number You Need to Grow", Harvard Business
    ///   Review, December 2003; interval by [`statistics::adjusted_wald_difference`].
    /// - Satisfaction and effort: the share of the best category, interval by [`statistics::wilson`]; and the
    ///   mean, by [`Moments::mean_interval`].
    pub fn score(&self) -> Score {
        let groups @ [best, middle, worst] = self.groups();
        let n = best + middle + worst;
        let counts = self.scale.categories().into_iter().zip(groups).collect();
        let share = |count| statistics::float(count) / statistics::float(n);
        let mut score = Score {
            score: None,
            interval: None,
            mean: None,
            mean_interval: None,
            n,
            low_n: n < statistics::LOW_N,
            counts,
        };
        if n == 0 {
            return score;
        }
        if self.scale.metric() == Metric::Nps {
            let difference = statistics::float(best) - statistics::float(worst);
            score.score = Some(100.0 * difference / statistics::float(n));
            score.interval = statistics::adjusted_wald_difference(best, worst, n)
                .map(|Interval { low, high }| Interval { low: 100.0 * low, high: 100.0 * high });
        } else {
            score.score = Some(share(best));
            score.interval = statistics::wilson(best, n);
            let moments = self.moments();
            score.mean = moments.map(|moments| moments.mean);
            score.mean_interval = moments.and_then(|moments| moments.mean_interval());
        }
        score
    }

    /// Compares this sample's score with another's on the same scale: Net Promoter by the adjusted-Wald
    /// estimates, shares by Agresti and Caffo. The interval leaves out a probability of `alpha`. `None` if
    /// either side has fewer than two answers.
    pub fn difference(&self, other: &Sample<'_>, alpha: f64) -> Option<Difference> {
        let total = |groups: [u64; 3]| groups.into_iter().sum();
        let (ours @ [best, _, worst], theirs @ [other_best, _, other_worst]) =
            (self.groups(), other.groups());
        if self.scale.metric() == Metric::Nps {
            let (ours, theirs) =
                ((best, worst, total(ours)), (other_best, other_worst, total(theirs)));
            statistics::net_promoter_difference(ours, theirs, alpha)
                .map(|found| found.scaled(100.0))
        } else {
            statistics::agresti_caffo((best, total(ours)), (other_best, total(theirs)), alpha)
        }
    }

    /// Compares this sample's mean with another's on the same scale, by Welch; `None` for Net Promoter, and if
    /// there are too few answers.
    pub fn mean_difference(&self, other: &Sample<'_>) -> Option<Difference> {
        if self.scale.metric() == Metric::Nps {
            return None;
        }
        statistics::welch(self.moments()?, other.moments()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(values: &[(u8, u64)]) -> Histogram {
        Histogram(values.iter().copied().collect())
    }

    fn score(scale: Scale, values: &[(u8, u64)]) -> Score {
        let answers = histogram(values);
        Sample { scale, direction: Direction::HighIsGood, answers: &answers }.score()
    }

    #[track_caller]
    fn near(found: Option<Interval>, low: f64, high: f64, by: f64) {
        let found = found.unwrap();
        assert!((found.low - low).abs() < by && (found.high - high).abs() < by, "{found:?}");
    }

    /// Returns the categories of a scale's values, one letter each: best, middle, worst.
    fn letters(scale: Scale, direction: Direction) -> String {
        let (low, high) = scale.range();
        let [best, middle, _] = scale.categories();
        let letter = |value| match scale.category(direction, value) {
            Some(category) if category == best => 'b',
            Some(category) if category == middle => 'm',
            _ => 'w',
        };
        assert_eq!(scale.category(direction, high + 1), None);
        assert!(low == 0 || scale.category(direction, low - 1).is_none());
        (low..=high).map(letter).collect()
    }

    #[test]
    fn every_value_of_a_scale_has_the_category_of_the_convention() {
        let high = Direction::HighIsGood;
        assert_eq!(letters(Scale::Nps, high), "wwwwwwwmmbb");
        assert_eq!(letters(Scale::Csat3, high), "wmb");
        assert_eq!(letters(Scale::Csat5, high), "wwmbb");
        assert_eq!(letters(Scale::Csat7, high), "wwmmmbb");
        assert_eq!(letters(Scale::Csat10, high), "wwmmmmmmbb");
        assert_eq!(letters(Scale::Ces5, high), "wwmbb");
        assert_eq!(letters(Scale::Ces7, high), "wwwmbbb");
        assert_eq!(letters(Scale::Ces7, Direction::LowIsGood), "bbbmwww");
    }

    #[test]
    fn the_net_promoter_score_matches_the_published_vectors() {
        let hundred = score(Scale::Nps, &[(10, 50), (8, 30), (0, 20)]);
        assert_eq!(hundred.score, Some(30.0));
        near(hundred.interval, 14.051, 44.201, 5e-4);
        near(score(Scale::Nps, &[(9, 7), (7, 1), (6, 2)]).interval, -5.693, 82.616, 5e-4);
        near(score(Scale::Nps, &[(7, 5)]).interval, -30.006, 30.006, 5e-4);
        assert_eq!(hundred.mean, None);
    }

    #[test]
    fn satisfaction_is_the_share_of_the_satisfied_beside_the_mean() {
        let found = score(Scale::Csat5, &[(5, 60), (4, 25), (3, 10), (1, 5)]);
        assert_eq!((found.score, found.n, found.low_n), (Some(0.85), 100, false));
        near(found.interval, 0.7672, 0.9069, 5e-5);
        assert_eq!(found.mean, Some(4.35));
        assert_eq!(found.counts[&Category::Satisfied], 85);
        assert_eq!(found.counts[&Category::Dissatisfied], 5);
    }

    #[test]
    fn effort_is_oriented_before_anything_is_computed() {
        let (easy, effort) = (histogram(&[(7, 8), (2, 2)]), histogram(&[(1, 8), (6, 2)]));
        let high = Sample { scale: Scale::Ces7, direction: Direction::HighIsGood, answers: &easy };
        let low = Sample { scale: Scale::Ces7, direction: Direction::LowIsGood, answers: &effort };
        assert_eq!(high.score(), low.score());
        assert_eq!((low.score().score, low.score().mean), (Some(0.8), Some(6.0)));
        assert_eq!(low.score().counts[&Category::Easy], 8);
    }

    #[test]
    fn no_answers_give_no_score_and_one_answer_no_interval() {
        for scale in [Scale::Nps, Scale::Csat5, Scale::Ces7] {
            let none = score(scale, &[]);
            assert_eq!((none.score, none.interval, none.mean), (None, None, None));
            let one = score(scale, &[(5, 1)]);
            assert!(one.score.is_some() && one.interval.is_none() && one.mean_interval.is_none());
        }
    }

    #[test]
    fn an_interval_stays_on_the_scale() {
        let all = score(Scale::Nps, &[(10, 3)]).interval.unwrap();
        assert!(all.low < 0.0 && all.high == 100.0, "{all:?}");
    }

    #[test]
    fn samples_are_compared_by_the_method_of_their_metric() {
        let (better, worse) = (histogram(&[(5, 80), (1, 20)]), histogram(&[(5, 50), (1, 50)]));
        let sample = |scale, answers| Sample { scale, direction: Direction::HighIsGood, answers };
        let shares =
            sample(Scale::Csat5, &better).difference(&sample(Scale::Csat5, &worse), 0.05).unwrap();
        assert!((shares.difference - 30.0 / 102.0).abs() < 1e-9, "{shares:?}");
        let means = sample(Scale::Csat5, &better).mean_difference(&sample(Scale::Csat5, &worse));
        assert!((means.unwrap().difference - 1.2).abs() < 1e-9);
        let scores =
            sample(Scale::Nps, &better).difference(&sample(Scale::Nps, &worse), 0.05).unwrap();
        assert!((scores.difference - 0.0).abs() < 1e-9, "{scores:?}");
        assert_eq!(sample(Scale::Nps, &better).mean_difference(&sample(Scale::Nps, &worse)), None);
    }
}
