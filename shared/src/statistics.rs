//! Intervals at 95 % confidence.

use serde::{Deserialize, Serialize};

/// The 97.5 % quantile of the standard normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// Below this many answers an interval says little, and a summary says so.
pub const LOW_N: u64 = 30;

/// An interval at 95 % confidence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// A count as a float. Exact up to 2^53, which no count here comes near.
pub fn float(count: u64) -> f64 {
    count as f64
}

/// The adjusted-Wald interval of the difference of two shares of one sample, such as promoters and
/// detractors: three answers are added, of which ¾ stand for each of the two. In −1 to 1; `None`
/// below two answers.
///
/// Source: B. Rocks, "Interval Estimation for the Net Promoter Score", The American Statistician
/// 70(4), 2016.
pub fn adjusted_wald_difference(first: u64, second: u64, n: u64) -> Option<Interval> {
    if n < 2 {
        return None;
    }
    let n = float(n) + 3.0;
    let first = (float(first) + 0.75) / n;
    let second = (float(second) + 0.75) / n;
    let difference = first - second;
    let half = Z * ((first + second - difference * difference) / n).sqrt();
    Some(Interval { low: (difference - half).max(-1.0), high: (difference + half).min(1.0) })
}

/// The Wilson score interval of a share, without continuity correction. In 0 to 1; `None` below two.
///
/// Source: E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference",
/// Journal of the American Statistical Association 22, 1927.
pub fn wilson(successes: u64, n: u64) -> Option<Interval> {
    if n < 2 {
        return None;
    }
    let share = float(successes) / float(n);
    let n = float(n);
    let z2 = Z * Z;
    let centre = share + z2 / (2.0 * n);
    let half = Z * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z2 / n;
    Some(Interval {
        low: ((centre - half) / scale).max(0.0),
        high: ((centre + half) / scale).min(1.0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wilson_matches_the_published_vector() {
        let interval = wilson(85, 100).unwrap();
        assert!((interval.low - 0.7672).abs() < 5e-5, "{interval:?}");
        assert!((interval.high - 0.9069).abs() < 5e-5, "{interval:?}");
        assert_eq!(wilson(1, 1), None);
        for (successes, end) in [(0, 0.0), (10, 1.0)] {
            let interval = wilson(successes, 10).unwrap();
            let nearest = if successes == 0 { interval.low } else { interval.high };
            assert!((nearest - end).abs() < 1e-12, "{interval:?}");
        }
    }
}
