//! The metrics: what a scale's values are called and what is computed from them.

use serde::{Deserialize, Serialize};

use crate::statistics::{self, Interval};

/// The scale of a rating. Values are integers on it; scales are never mixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// Net Promoter: 0 to 10.
    Nps,
}

/// What a value on a scale means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// Net Promoter 9 and 10.
    Promoter,
    /// Net Promoter 7 and 8.
    Passive,
    /// Net Promoter 0 to 6.
    Detractor,
}

/// The score of one question with its interval, from answered questions only.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// `None` where nobody answered: no data is not 0.
    pub value: Option<f64>,
    /// 95 %; `None` below two answers.
    pub interval: Option<Interval>,
}

impl Scale {
    /// The lowest and the highest value.
    pub fn range(self) -> (u8, u8) {
        match self {
            Self::Nps => (0, 10),
        }
    }

    /// The category of a value; `None` off the scale.
    pub fn category(self, value: u8) -> Option<Category> {
        match (self, value) {
            (Self::Nps, 0..=6) => Some(Category::Detractor),
            (Self::Nps, 7..=8) => Some(Category::Passive),
            (Self::Nps, 9..=10) => Some(Category::Promoter),
            (Self::Nps, _) => None,
        }
    }
}

/// The Net Promoter Score, 100·(P−D)/n in −100 to 100, with its adjusted-Wald interval
/// ([`statistics::adjusted_wald_difference`]) on the same scale.
///
/// Source of the score: F. Reichheld, "The One Number You Need to Grow", Harvard Business Review,
/// December 2003.
pub fn net_promoter_score(promoters: u64, detractors: u64, n: u64) -> Score {
    if n == 0 {
        return Score { value: None, interval: None };
    }
    let percent = |share: f64| share * 100.0;
    let difference = statistics::float(promoters) - statistics::float(detractors);
    Score {
        value: Some(percent(difference / statistics::float(n))),
        interval: statistics::adjusted_wald_difference(promoters, detractors, n)
            .map(|interval| Interval { low: percent(interval.low), high: percent(interval.high) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_of_a_scale_has_a_category_and_no_other_value_has() {
        let categories: Vec<_> = (0..=11).map(|value| Scale::Nps.category(value)).collect();
        assert_eq!(categories[..7], [Some(Category::Detractor); 7]);
        assert_eq!(categories[7..9], [Some(Category::Passive); 2]);
        assert_eq!(categories[9..11], [Some(Category::Promoter); 2]);
        assert_eq!(categories[11], None);
    }

    #[test]
    fn the_net_promoter_score_matches_the_published_vectors() {
        let close =
            |(promoters, detractors, n): (u64, u64, u64), value: f64, low: f64, high: f64| {
                let score = net_promoter_score(promoters, detractors, n);
                let interval = score.interval.unwrap();
                assert!((score.value.unwrap() - value).abs() < 1e-9);
                assert!((interval.low - low).abs() < 5e-4, "{interval:?}");
                assert!((interval.high - high).abs() < 5e-4, "{interval:?}");
            };
        close((50, 20, 100), 30.0, 14.051, 44.201);
        close((7, 2, 10), 50.0, -5.693, 82.616);
        close((0, 0, 5), 0.0, -30.006, 30.006);
    }

    #[test]
    fn no_answers_give_no_score_and_one_answer_no_interval() {
        assert_eq!(net_promoter_score(0, 0, 0), Score { value: None, interval: None });
        assert_eq!(net_promoter_score(1, 0, 1), Score { value: Some(100.0), interval: None });
    }

    #[test]
    fn an_interval_stays_on_the_scale() {
        let interval = net_promoter_score(3, 0, 3).interval.unwrap();
        assert!(interval.low < 0.0 && interval.high == 100.0, "{interval:?}");
    }
}
