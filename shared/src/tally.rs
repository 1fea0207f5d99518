//! Tallies: what a summary asks of every shard, and what they answer. Counters and displays that no
//! counter covers yet add up to the same thing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::counter::{Dimension, Facts, Histogram, Key, Packed};

/// What was counted over some displays: the histogram of each question, the funnel among them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally(pub BTreeMap<String, Histogram>);

impl Tally {
    /// Counts one display that is in no counter yet.
    pub fn add(&mut self, facts: &Facts) {
        for (question, values) in facts.values() {
            let histogram = self.0.entry(question.to_owned()).or_default();
            for value in values {
                histogram.add(value);
            }
        }
    }

    /// Adds what another shard, or another row, has counted for a question.
    pub fn merge_question(&mut self, question: &str, histogram: &Histogram) {
        self.0.entry(question.to_owned()).or_default().merge(histogram);
    }

    /// Adds what another shard has counted.
    pub fn merge(&mut self, other: &Self) {
        for (question, histogram) in &other.0 {
            self.merge_question(question, histogram);
        }
    }

    /// The histogram of a question; empty where nothing was counted.
    pub fn question(&self, question: &str) -> Histogram {
        self.0.get(question).cloned().unwrap_or_default()
    }
}

/// What a summary needs to know of every shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The edges of the points to count, in milliseconds since the epoch, rising: at least two.
    pub edges: Vec<u64>,
    /// What to break the whole down by.
    pub by: Option<Dimension>,
}

/// What a shard has counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// One tally for each point: one less than there are edges.
    pub points: Vec<Tally>,
    /// The whole by the dimension's values.
    pub rows: BTreeMap<String, Tally>,
}

impl Request {
    /// The whole of a period.
    pub fn whole(from_ms: u64, to_ms: u64) -> Self {
        Self { edges: vec![from_ms, to_ms], by: None }
    }

    /// The first time that is counted, and the first after it that is not.
    pub fn range(&self) -> (u64, u64) {
        let (first, last) = (self.edges.first(), self.edges.last());
        (first.copied().unwrap_or(0), last.copied().unwrap_or(0))
    }

    /// The point in which a time lies.
    pub fn point(&self, ms: u64) -> Option<usize> {
        let (from_ms, to_ms) = self.range();
        if ms < from_ms || to_ms <= ms {
            return None;
        }
        self.edges.partition_point(|edge| *edge <= ms).checked_sub(1)
    }

    /// An answer in which nothing is counted yet.
    pub fn nothing(&self) -> Counted {
        let points = self.edges.len().saturating_sub(1);
        Counted { points: vec![Tally::default(); points], rows: BTreeMap::new() }
    }
}

impl Counted {
    /// All points together.
    pub fn total(&self) -> Tally {
        let mut total = Tally::default();
        for point in &self.points {
            total.merge(point);
        }
        total
    }

    /// Adds what another shard has counted for the same request.
    pub fn merge(&mut self, other: &Self) {
        for (point, theirs) in self.points.iter_mut().zip(&other.points) {
            point.merge(theirs);
        }
        for (value, theirs) in &other.rows {
            self.rows.entry(value.clone()).or_default().merge(theirs);
        }
    }

    /// Counts one display that is in no counter yet, if it lies in the period.
    pub fn add(&mut self, request: &Request, facts: &Facts) {
        let point = request.point(facts.shown_ms);
        let Some(tally) = point.and_then(|point| self.points.get_mut(point)) else { return };
        tally.add(facts);
        if let Some(dimension) = request.by {
            self.rows.entry(facts.dimension(dimension)).or_default().add(facts);
        }
    }

    /// Counts the slots of a row of counters that lie in the period.
    pub fn add_row(&mut self, request: &Request, key: &Key, packed: &Packed) {
        for (at_ms, histogram) in packed.slots(key.day) {
            let Some(point) = request.point(at_ms) else { continue };
            if key.dimension == Dimension::All {
                if let Some(tally) = self.points.get_mut(point) {
                    tally.merge_question(&key.question, histogram);
                }
            } else if request.by == Some(key.dimension) {
                let row = self.rows.entry(key.value.clone()).or_default();
                row.merge_question(&key.question, histogram);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_lies_in_the_point_whose_edges_enclose_it() {
        let request = Request { edges: vec![10, 20, 50], by: None };
        let points: Vec<_> = [9, 10, 19, 20, 49, 50].map(|ms| request.point(ms)).into();
        assert_eq!(points, [None, Some(0), Some(0), Some(1), Some(1), None]);
    }
}
