//! Intervals at 95 % confidence, and differences.
//!
//! Each function states its assumptions, its result when there is too little data, and its source.
//! Distributions come from `statrs`.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

/// The 97.5 % quantile of the standard normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// The probability that an interval leaves out below it, and also above it.
const TAIL: f64 = 0.025;

/// The p value below which a difference is reported.
pub const SIGNIFICANT: f64 = 0.05;

/// The number of answers below which an interval says little, and a summary says so.
pub const LOW_N: u64 = 30;

/// An interval, at 95 % confidence unless stated otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// A difference between two samples, the first minus the second. Interval, p value and verdict come from one
/// method, so they never contradict each other.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Difference {
    /// The difference of the method's estimates.
    pub difference: f64,
    /// Its interval.
    pub interval: Interval,
    /// The confidence of the interval, 0 to 1: 0.95, and more if several are compared.
    pub level: f64,
    /// The two-sided probability of a difference at least as large if there were none.
    pub p: f64,
    /// The conclusion from `p`.
    pub verdict: Verdict,
}

/// The conclusion from a difference at the 5 % level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The first is higher.
    Higher,
    /// The first is lower.
    Lower,
    /// The data show no difference, which does not mean that there is none.
    NoDifferenceShown,
}

/// An estimate with its standard error.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Estimate {
    value: f64,
    standard_error: f64,
}

/// Converts a count to a float. It is exact up to 2^53, which no count here approaches.
pub fn float(count: u64) -> f64 {
    count as f64
}

/// Returns the adjusted-Wald interval of the difference of two shares of one sample, such as promoters and
/// detractors: three answers are added, of which ¾ count for each of the two. In −1 to 1; `None` below two
/// answers.
///
/// Source: B. Rocks, "Interval Estimation for the Net Promoter Score", The American Statistician 70(4), 2016.
pub fn adjusted_wald_difference(first: u64, second: u64, n: u64) -> Option<Interval> {
    if n < 2 {
        return None;
    }
    let Estimate { value, standard_error } = adjusted_wald(first, second, n);
    let half = Z * standard_error;
    Some(Interval { low: (value - half).max(-1.0), high: (value + half).min(1.0) })
}

fn adjusted_wald(first: u64, second: u64, n: u64) -> Estimate {
    let n = float(n) + 3.0;
    let first = (float(first) + 0.75) / n;
    let second = (float(second) + 0.75) / n;
    let value = first - second;
    Estimate { value, standard_error: ((first + second - value * value) / n).sqrt() }
}

/// Returns the Wilson score interval of a share, without continuity correction. In 0 to 1; `None` below two.
///
/// Source: E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", Journal of the
/// American Statistical Association 22, 1927.
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
    // At both ends the formula gives exactly 0 and 1; floats give them only approximately.
    let low = if successes == 0 { 0.0 } else { (centre - half) / scale };
    let high = if float(successes) == n { 1.0 } else { (centre + half) / scale };
    Some(Interval { low: low.max(0.0), high: high.min(1.0) })
}

/// The moments of a sample of numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moments {
    /// Number of values.
    pub n: u64,
    /// Their mean.
    pub mean: f64,
    /// Their variance, with n − 1; 0 below two.
    pub variance: f64,
}

impl Moments {
    /// Computes the moments of values with how often each was seen; `None` without any.
    pub fn of(values: impl Iterator<Item = (f64, u64)> + Clone) -> Option<Self> {
        let n: u64 = values.clone().map(|(_, count)| count).sum();
        if n == 0 {
            return None;
        }
        let mean =
            values.clone().map(|(value, count)| value * float(count)).sum::<f64>() / float(n);
        let squares =
            values.map(|(value, count)| (value - mean).powi(2) * float(count)).sum::<f64>();
        let variance = if n < 2 { 0.0 } else { squares / float(n - 1) };
        Some(Self { n, mean, variance })
    }

    /// Returns the standard error of the mean; `None` below two.
    pub fn standard_error(&self) -> Option<f64> {
        (self.n >= 2).then(|| (self.variance / float(self.n)).sqrt())
    }

    /// Returns the interval of the mean by Student's t; `None` below two.
    ///
    /// Source: Student, "The Probable Error of a Mean", Biometrika 6(1), 1908.
    pub fn mean_interval(&self) -> Option<Interval> {
        let half = t_quantile(float(self.n) - 1.0)? * self.standard_error()?;
        Some(Interval { low: self.mean - half, high: self.mean + half })
    }
}

/// Returns the difference of two Net Promoter Scores, each in −1 to 1, from (promoters, detractors, n): the
/// difference of the adjusted-Wald estimates, normally distributed. `None` if either has fewer than two
/// answers.
///
/// Source: B. Rocks, as above, for the estimates; their difference is that of independent samples.
pub fn net_promoter_difference(
    (promoters, detractors, n): (u64, u64, u64),
    (other_promoters, other_detractors, other_n): (u64, u64, u64),
    alpha: f64,
) -> Option<Difference> {
    if n < 2 || other_n < 2 {
        return None;
    }
    normal_difference(
        adjusted_wald(promoters, detractors, n),
        adjusted_wald(other_promoters, other_detractors, other_n),
        2.0,
        alpha,
    )
}

/// Returns the difference of two shares from (successes, n): one success and one failure are added to each.
/// `None` if either has fewer than two.
///
/// Source: A. Agresti and B. Caffo, "Simple and Effective Confidence Intervals for Proportions and Differences
/// of Proportions", The American Statistician 54(4), 2000.
pub fn agresti_caffo(
    (successes, n): (u64, u64),
    (other_successes, other_n): (u64, u64),
    alpha: f64,
) -> Option<Difference> {
    if n < 2 || other_n < 2 {
        return None;
    }
    let estimate = |successes: u64, n: u64| {
        let n = float(n) + 2.0;
        let value = (float(successes) + 1.0) / n;
        Estimate { value, standard_error: (value * (1.0 - value) / n).sqrt() }
    };
    normal_difference(estimate(successes, n), estimate(other_successes, other_n), 1.0, alpha)
}

/// Returns the difference of two means, of samples whose variances may differ. `None` if either has fewer than
/// two values, or if neither varies.
///
/// Source: B. L. Welch, "The Generalization of Student's Problem when Several Different Population Variances
/// are Involved", Biometrika 34, 1947.
pub fn welch(first: Moments, second: Moments) -> Option<Difference> {
    let (a, b) = (first.standard_error()?.powi(2), second.standard_error()?.powi(2));
    let standard_error = (a + b).sqrt();
    let freedom = (a + b).powi(2)
        / (a.powi(2) / (float(first.n) - 1.0) + b.powi(2) / (float(second.n) - 1.0));
    let difference = first.mean - second.mean;
    let t = StudentsT::new(0.0, 1.0, freedom).ok()?;
    let half = t_quantile(freedom)? * standard_error;
    let interval = Interval { low: difference - half, high: difference + half };
    let p = 2.0 * t.sf((difference / standard_error).abs());
    Some(Difference::new(difference, interval, SIGNIFICANT, p))
}

/// A p value that is adjusted for others, and the probability that its interval leaves out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adjusted {
    /// The p value, adjusted for the number of comparisons.
    pub p: f64,
    /// The probability that the interval leaves out, so that it agrees with the verdict.
    pub alpha: f64,
}

impl Adjusted {
    /// Returns a p value that is the only one.
    pub fn alone(p: f64) -> Self {
        Self { p, alpha: SIGNIFICANT }
    }
}

/// Adjusts p values in any order by Holm's step-down method. The smallest is judged at 5 % divided by the
/// number of p values, the next at 5 % divided by one fewer, and so on. From the first p value that is not
/// below its share, all are judged with that share. An interval that leaves out the same share holds 0 exactly
/// where no difference is shown.
///
/// Source: S. Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of
/// Statistics 6, 1979.
pub fn holm(p_values: &[f64]) -> Vec<Adjusted> {
    let mut order: Vec<(usize, f64)> = p_values.iter().copied().enumerate().collect();
    order.sort_by(|(_, a), (_, b)| a.total_cmp(b));
    let mut adjusted: Vec<(usize, Adjusted)> = Vec::with_capacity(order.len());
    let (mut largest, mut judged_with): (f64, f64) = (0.0, 1.0);
    for (rank, (at, p)) in order.iter().enumerate() {
        let left = float(u64::try_from(order.len() - rank).unwrap_or(u64::MAX));
        if largest < SIGNIFICANT {
            judged_with = left;
        }
        largest = largest.max((p * left).min(1.0));
        adjusted.push((*at, Adjusted { p: largest, alpha: SIGNIFICANT / judged_with }));
    }
    adjusted.sort_by_key(|(at, _)| *at);
    adjusted.into_iter().map(|(_, adjusted)| adjusted).collect()
}

fn normal_difference(
    first: Estimate,
    second: Estimate,
    largest: f64,
    alpha: f64,
) -> Option<Difference> {
    let difference = first.value - second.value;
    let standard_error = first.standard_error.hypot(second.standard_error);
    let half = normal_quantile(alpha) * standard_error;
    let interval =
        Interval { low: (difference - half).max(-largest), high: (difference + half).min(largest) };
    let p = 2.0 * Normal::standard().sf((difference / standard_error).abs());
    Some(Difference::new(difference, interval, alpha, p)).filter(|_| standard_error > 0.0)
}

/// Returns the quantile of the standard normal distribution that leaves half of `alpha` above it; `alpha` is
/// [`SIGNIFICANT`] or less.
fn normal_quantile(alpha: f64) -> f64 {
    if alpha < SIGNIFICANT { Normal::standard().inverse_cdf(1.0 - alpha / 2.0) } else { Z }
}

/// Returns the 97.5 % quantile of Student's t; `None` without a degree of freedom.
fn t_quantile(freedom: f64) -> Option<f64> {
    Some(StudentsT::new(0.0, 1.0, freedom).ok()?.inverse_cdf(1.0 - TAIL))
}

impl Difference {
    fn new(difference: f64, interval: Interval, alpha: f64, p: f64) -> Self {
        let (level, verdict) = (1.0 - alpha, Verdict::NoDifferenceShown);
        Self { difference, interval, level, p, verdict }.with_p(p)
    }

    /// Returns the same difference with a p value that was adjusted for other comparisons.
    #[must_use]
    pub fn with_p(self, p: f64) -> Self {
        let verdict = match self.difference {
            _ if p >= SIGNIFICANT => Verdict::NoDifferenceShown,
            difference if difference > 0.0 => Verdict::Higher,
            _ => Verdict::Lower,
        };
        Self { p, verdict, ..self }
    }

    /// Returns the same difference on a scale that is `by` times as long.
    #[must_use]
    pub fn scaled(self, by: f64) -> Self {
        let Interval { low, high } = self.interval;
        let interval = Interval { low: low * by, high: high * by };
        Self { difference: self.difference * by, interval, ..self }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    #[track_caller]
    fn close(found: f64, wanted: f64) {
        assert!((found - wanted).abs() < 1e-6, "{found} is not {wanted}");
    }

    #[track_caller]
    fn differs(found: Option<Difference>, difference: f64, (low, high): (f64, f64), p: f64) {
        let found = found.unwrap();
        close(found.difference, difference);
        close(found.interval.low, low);
        close(found.interval.high, high);
        close(found.p, p);
    }

    // The vectors below without a publication come from statsmodels 0.14 and SciPy 1.

    #[test]
    fn wilson_matches_statsmodels() {
        let interval = wilson(85, 100).unwrap();
        close(interval.low, 0.767_164_404_1);
        close(interval.high, 0.906_940_147_2);
        assert_eq!(wilson(1, 1), None);
        close(wilson(0, 10).unwrap().low, 0.0);
        close(wilson(10, 10).unwrap().high, 1.0);
    }

    #[test]
    fn agresti_caffo_matches_statsmodels() {
        // The method's estimate is that of the samples with the added successes and failures.
        let difference = 57.0 / 72.0 - 49.0 / 82.0;
        differs(
            agresti_caffo((56, 70), (48, 80), SIGNIFICANT),
            difference,
            (0.052_452_926_6, 0.335_758_455_5),
            0.007_237_294_5,
        );
        assert_eq!(agresti_caffo((56, 70), (1, 1), SIGNIFICANT), None);
    }

    #[test]
    fn welch_matches_scipy() {
        let first = Moments { n: 40, mean: 5.8, variance: 1.44 };
        let second = Moments { n: 25, mean: 5.1, variance: 2.56 };
        differs(welch(first, second), 0.7, (-0.051_456_921_1, 1.451_456_921_1), 0.067_046_631_8);
        let constant = Moments { n: 5, mean: 7.0, variance: 0.0 };
        assert_eq!(welch(constant, constant), None);
        assert_eq!(welch(first, Moments { n: 1, ..second }), None);
    }

    #[test]
    fn a_difference_of_net_promoter_scores_matches_the_normal_distribution() {
        differs(
            net_promoter_difference((50, 20, 100), (40, 35, 100), SIGNIFICANT)
                .map(|found| found.scaled(100.0)),
            24.271_844_660_2,
            (1.835_681_041_2, 46.708_008_279_2),
            0.033_978_711_6,
        );
        assert_eq!(net_promoter_difference((1, 0, 1), (40, 35, 100), SIGNIFICANT), None);
    }

    #[test]
    fn the_moments_of_a_sample_match_scipy() {
        let values = [(7.0, 10), (6.0, 12), (5.0, 8), (3.0, 5), (1.0, 2)];
        let moments = Moments::of(values.into_iter()).unwrap();
        close(moments.mean, 5.378_378_378_4);
        close(moments.standard_error().unwrap(), 0.272_215_224_0);
        let interval = moments.mean_interval().unwrap();
        close(interval.low, 4.826_300_315_7);
        close(interval.high, 5.930_456_441_1);
        assert_eq!(Moments::of([(7.0, 0)].into_iter()), None);
        assert_eq!(Moments::of([(7.0, 1)].into_iter()).unwrap().mean_interval(), None);
    }

    #[test]
    fn holm_matches_statsmodels_in_any_order() {
        let adjusted = holm(&[0.01, 0.04, 0.03, 0.005]);
        for (found, wanted) in adjusted.into_iter().zip([0.03, 0.06, 0.06, 0.02]) {
            close(found.p, wanted);
        }
        assert_eq!(holm(&[]), []);
        assert!(holm(&[0.9, 0.8]).iter().all(|row| *row == Adjusted { p: 1.0, alpha: 0.025 }));
        // The two smallest are reported as differences; the others are judged with the share of the first of
        // them.
        let shares = holm(&[0.01, 0.04, 0.03, 0.005]).into_iter().map(|row| 0.05 / row.alpha);
        for (found, wanted) in shares.zip([3.0, 2.0, 2.0, 4.0]) {
            close(found, wanted);
        }
    }

    /// Returns the verdict that an interval implies.
    pub(crate) fn shown_by(Interval { low, high }: Interval) -> Verdict {
        match (low > 0.0, high < 0.0) {
            (true, _) => Verdict::Higher,
            (_, true) => Verdict::Lower,
            _ => Verdict::NoDifferenceShown,
        }
    }

    #[test]
    fn a_verdict_follows_from_the_p_value_and_agrees_with_the_interval() {
        for other in 0..=100 {
            let difference = agresti_caffo((50, 100), (other, 100), SIGNIFICANT).unwrap();
            assert_eq!(difference.verdict, shown_by(difference.interval), "{difference:?}");
        }
    }
}
