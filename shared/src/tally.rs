//! Tallies: what a summary requests from every shard, and what the shards answer. Counters, displays that no
//! counter covers yet, and displays that a filter finds are all added up in this form.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::counter::{BrokenCounter, CounterKey, DIGESTS, Histogram, Packed, RESPONDENT};
use crate::dimension::Dimension;
use crate::display::{Answer, Answers, Channel, Stage};
use crate::facts::{Context, Facts};
use crate::funnel::FUNNEL;
use crate::statistics::float;
use crate::time;

/// Number of respondents that are counted one by one; above it, the number is estimated.
pub const RESPONDENTS_LIMIT: usize = 10_000;

/// The counts of some displays: the histogram of each question, and the funnel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally(pub BTreeMap<String, Histogram>);

impl Tally {
    /// Counts a number of displays like this one, for the questions of a request.
    fn add(&mut self, request: &Request, facts: &Facts, count: u64) {
        for (question, values) in facts.values() {
            if request.wants(&question) {
                values.into_iter().for_each(|value| self.add_many(&question, value, count));
            }
        }
    }

    /// Counts a value of a question a number of times.
    pub fn add_many(&mut self, question: &str, value: u8, count: u64) {
        match self.0.get_mut(question) {
            Some(histogram) => histogram.add_many(value, count),
            None => {
                self.0.insert(question.to_owned(), Histogram([(value, count)].into()));
            }
        }
    }

    /// Adds the counts of another shard.
    pub fn merge(&mut self, other: &Self) {
        for (question, histogram) in &other.0 {
            self.0.entry(question.clone()).or_default().merge(histogram);
        }
    }

    /// Returns the histogram of a question; empty if nothing was counted.
    pub fn question(&self, question: &str) -> Histogram {
        self.0.get(question).cloned().unwrap_or_default()
    }
}

/// The figures that a summary needs from every shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The question; its options and the funnel are counted with it.
    pub question: String,
    /// The edges of the points to count, in milliseconds since the epoch, rising: at least two.
    pub edges: Vec<u64>,
    /// The dimension by which the whole is broken down.
    pub by: Option<Dimension>,
}

/// The counts of a shard.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// One tally for each point: one fewer than there are edges.
    pub points: Vec<Tally>,
    /// The whole, by the values of the dimension.
    pub rows: BTreeMap<String, Tally>,
    /// The respondents who answered the question.
    pub respondents: Respondents,
}

/// The respondents who answered: the smallest digests of their ids, so that shards can be merged and a large
/// number takes no more room than a small one.
///
/// Source: Z. Bar-Yossef, T. S. Jayram, R. Kumar, D. Sivakumar and L. Trevisan, "Counting Distinct Elements in
/// a Data Stream", RANDOM 2002: the k smallest of n evenly spread values.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Respondents(BTreeSet<u64>);

impl Respondents {
    /// Counts a respondent who was not counted before.
    pub fn add(&mut self, digest: u64) {
        if self.0.len() > RESPONDENTS_LIMIT {
            match self.0.last() {
                Some(last) if *last <= digest => return,
                _ => {}
            }
        }
        self.0.insert(digest);
        // One digest more than the limit is kept, to know that there are more.
        if self.0.len() > RESPONDENTS_LIMIT + 1 {
            self.0.pop_last();
        }
    }

    /// Returns their number, and whether it is an estimate. The estimate's standard error is 1 %.
    pub fn count(&self) -> (u64, bool) {
        let counted = u64::try_from(self.0.len()).unwrap_or(u64::MAX);
        if self.0.len() <= RESPONDENTS_LIMIT {
            return (counted, false);
        }
        let largest = self.0.last().copied().unwrap_or(DIGESTS);
        let estimate = float(counted.saturating_sub(1)) * float(DIGESTS) / float(largest);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
        let rounded = estimate.round() as u64;
        (rounded, true)
    }

    /// Returns the digest of 64 evenly spread bits.
    pub fn digest(bits: u64) -> u64 {
        bits % DIGESTS
    }
}

impl Request {
    /// Makes a request for the whole of a period.
    pub fn whole(question: &str, from_ms: u64, to_ms: u64) -> Self {
        Self { question: question.to_owned(), edges: vec![from_ms, to_ms], by: None }
    }

    /// Whether the request includes a question of the counters: the funnel, the question, or an option of it.
    pub fn wants(&self, question: &str) -> bool {
        question == FUNNEL
            || question
                .strip_prefix(self.question.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Returns the first time that is counted, and the first time after it that is not.
    pub fn range(&self) -> (u64, u64) {
        let (first, last) = (self.edges.first(), self.edges.last());
        (first.copied().unwrap_or(0), last.copied().unwrap_or(0))
    }

    /// Returns the point in which a time lies.
    pub fn point(&self, ms: u64) -> Option<usize> {
        let (from_ms, to_ms) = self.range();
        if ms < from_ms || to_ms <= ms {
            return None;
        }
        self.edges.partition_point(|edge| *edge <= ms).checked_sub(1)
    }

    /// Returns an answer in which nothing is counted yet.
    pub fn nothing(&self) -> Counted {
        let points = self.edges.len().saturating_sub(1);
        Counted { points: vec![Tally::default(); points], ..Counted::default() }
    }
}

/// The latest display of one respondent that answers the question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latest {
    /// When it was shown.
    pub shown_ms: u64,
    /// How far the visitor came.
    pub stage: Stage,
    /// Whether the visitor closed it.
    pub dismissed: bool,
    /// The answer to the question.
    pub answer: Answer,
    /// Its value of the dimension; empty if it has none.
    pub by: String,
}

/// Each respondent's latest display, by the digest of the respondent's id.
pub type LatestOfEach = BTreeMap<u64, Latest>;

/// Keeps the later of two displays of a respondent.
pub fn keep_latest(all: &mut LatestOfEach, digest: u64, latest: Latest) {
    match all.get(&digest) {
        Some(known) if known.shown_ms >= latest.shown_ms => {}
        _ => {
            all.insert(digest, latest);
        }
    }
}

impl Counted {
    /// Returns the sum of all points.
    pub fn total(&self) -> Tally {
        let mut total = Tally::default();
        for point in &self.points {
            total.merge(point);
        }
        total
    }

    /// Adds the counts of another shard for the same request.
    pub fn merge(&mut self, other: &Self) {
        for (point, theirs) in self.points.iter_mut().zip(&other.points) {
            point.merge(theirs);
        }
        for (value, theirs) in &other.rows {
            self.rows.entry(value.clone()).or_default().merge(theirs);
        }
        other.respondents.0.iter().for_each(|digest| self.respondents.add(*digest));
    }

    /// Counts a number of displays like this one, if they lie in the period. They were all shown in the same
    /// bucket, and to the same respondent, if any.
    pub fn add(&mut self, request: &Request, facts: &Facts, count: u64) {
        let by = request.by.as_ref().map(|dimension| facts.dimension(dimension));
        self.add_alike(request, facts, by.as_deref().unwrap_or_default(), count);
        if let (Some(respondent), Some(_)) =
            (facts.respondent, facts.answers.get(&request.question))
            && request.point(facts.shown_ms).is_some()
        {
            self.respondents.add(respondent);
        }
    }

    /// Counts a number of displays that are alike in everything that the request includes: shown in the same
    /// bucket, at the same stage, with the same answer to the question, and with one value of the dimension, if
    /// any.
    pub fn add_alike(&mut self, request: &Request, facts: &Facts, by: &str, count: u64) {
        let point = request.point(facts.shown_ms);
        let Some(tally) = point.and_then(|point| self.points.get_mut(point)) else { return };
        tally.add(request, facts, count);
        if !by.is_empty() {
            self.rows.entry(by.to_owned()).or_default().add(request, facts, count);
        }
    }

    /// Adds the row of displays without a value of the dimension: the whole minus the other rows.
    pub fn add_rest(&mut self) {
        let mut rest = self.total();
        for row in self.rows.values() {
            for (question, histogram) in &mut rest.0 {
                *histogram = histogram.without(&row.question(question));
            }
        }
        rest.0.retain(|_, histogram| !histogram.0.is_empty());
        if !rest.0.is_empty() {
            self.rows.insert(String::new(), rest);
        }
    }

    /// Counts each respondent once. Only displays with an answer were searched, so a response rate would say
    /// nothing: these displays are counted like those of a channel where nobody can tell whether they were
    /// seen.
    pub fn add_latest(&mut self, request: &Request, latest: &LatestOfEach) {
        for (digest, latest) in latest {
            let facts = Facts {
                shown_ms: latest.shown_ms,
                stage: latest.stage,
                dismissed: latest.dismissed,
                context: Context { channel: Channel::Link, ..Context::default() },
                answers: Answers(vec![(request.question.clone(), latest.answer.clone())]),
                traits: BTreeMap::new(),
                respondent: None,
            };
            self.add_alike(request, &facts, &latest.by, 1);
            self.respondents.add(*digest);
        }
    }

    /// Counts the slots of a row of counters that lie in the period.
    pub fn add_row(
        &mut self,
        request: &Request,
        key: &CounterKey,
        packed: &[u8],
    ) -> Result<(), BrokenCounter> {
        let start_ms = key.day.checked_mul(time::DAY_MS).ok_or(BrokenCounter)?;
        let at_ms = |slot: u8| start_ms.saturating_add(u64::from(slot) * time::BUCKET_MS);
        if key.dimension == RESPONDENT {
            return Packed::each(packed, |slot, digest, _| {
                // Larger values say what the row left out.
                if digest < DIGESTS && request.point(at_ms(slot)).is_some() {
                    self.respondents.add(digest);
                }
            });
        }
        // A year of a large survey has half a million counts, so they are added up in an array, and moved to
        // the tallies only once a row, or once a point.
        let mut counts = Counts([0; 256]);
        let mut reached = (None, None);
        Packed::each(packed, |slot, value, count| {
            if reached.0 != Some(slot) {
                let point = request.point(at_ms(slot));
                if point != reached.1 {
                    self.take(key, reached.1, &mut counts);
                }
                reached = (Some(slot), point);
            }
            if reached.1.is_some() {
                counts.add(value, count);
            }
        })?;
        self.take(key, reached.1, &mut counts);
        Ok(())
    }

    /// Adds the sums for a point of a row of counters to its tally.
    fn take(&mut self, key: &CounterKey, point: Option<usize>, counts: &mut Counts) {
        let histogram = counts.take();
        let Some(point) = point.filter(|_| !histogram.0.is_empty()) else { return };
        let tally = if key.dimension.is_empty() {
            let Some(tally) = self.points.get_mut(point) else { return };
            tally
        } else {
            self.rows.entry(key.value.clone()).or_default()
        };
        tally.0.entry(key.question.clone()).or_default().merge(&histogram);
    }
}

/// How often each value was seen, while the counts are added up.
struct Counts([u64; 256]);

impl Counts {
    fn add(&mut self, value: u64, count: u64) {
        if let Some(seen) = usize::try_from(value).ok().and_then(|value| self.0.get_mut(value)) {
            *seen += count;
        }
    }

    /// Returns the sums and resets them.
    fn take(&mut self) -> Histogram {
        let seen = (0..=u8::MAX).zip(&mut self.0).filter(|(_, count)| **count > 0);
        Histogram(seen.map(|(value, count)| (value, std::mem::take(count))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_lies_in_the_point_whose_edges_enclose_it() {
        let request = Request { question: String::new(), edges: vec![10, 20, 50], by: None };
        let points: Vec<_> = [9, 10, 19, 20, 49, 50].map(|ms| request.point(ms)).into();
        assert_eq!(points, [None, Some(0), Some(0), Some(1), Some(1), None]);
    }

    #[test]
    fn respondents_are_counted_once_and_many_are_estimated_alike_on_any_number_of_shards() {
        let mut few = Respondents::default();
        [3, 1, 3, 2].into_iter().for_each(|digest| few.add(digest));
        assert_eq!(few.count(), (3, false));

        // Digests spread like those of SHA-256: multiples of an odd number, modulo their range.
        let digest = |number: u64| Respondents::digest(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut shards = [Respondents::default(), Respondents::default()];
        let mut one = Respondents::default();
        for number in 0..100_000_u64 {
            one.add(digest(number));
            shards[(number % 2) as usize].add(digest(number));
        }
        let [mut merged, other] =
            shards.map(|respondents| Counted { respondents, ..Counted::default() });
        merged.merge(&other);
        assert_eq!(merged.respondents, one);
        let (count, is_estimate) = one.count();
        assert!(is_estimate && count.abs_diff(100_000) < 5_000, "{count}");
    }
}
