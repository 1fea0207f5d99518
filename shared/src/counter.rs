//! Counters: what displays add up to once they are settled.
//!
//! A display contributes to one packed counter for each question and dimension: the day's row holds
//! 96 slots, and a slot holds how often each value was seen. The funnel is a question like any other
//! whose values are the stages. So folding, taking out, merging and recounting are one operation:
//! adding contributions with a sign.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::display::{Answer, Answers, Channel, Stage};
use crate::time;

/// The "question" under which the stages of displays are counted; no question's id can be empty.
pub const FUNNEL: &str = "";

/// How often each value was seen. For a rating the value is the score, for a text question 0, and
/// for the funnel the number of the stage, 0 to 3, or [`DISMISSED`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Histogram(pub BTreeMap<u8, u64>);

/// The value under which the funnel counts the dismissed.
pub const DISMISSED: u8 = 4;

/// What a counter can be broken down by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    /// All displays together.
    All,
    /// The version of the survey.
    Version,
    /// How the survey reached the visitor.
    Channel,
    /// The language that was shown; empty where that is none of the survey's.
    Language,
}

impl Dimension {
    /// Every dimension that displays are counted under.
    const COUNTED: [Self; 4] = [Self::All, Self::Version, Self::Channel, Self::Language];

    /// The dimension that a summary can be broken down by under a name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Version, Self::Channel, Self::Language]
            .into_iter()
            .find(|dimension| dimension.name() == name)
    }

    /// The name that the store uses; for [`Dimension::All`] it is empty.
    pub fn name(self) -> &'static str {
        match self {
            Self::All => "",
            Self::Version => "version",
            Self::Channel => "channel",
            Self::Language => "language",
        }
    }
}

/// Which row of counters, except for the question.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The UTC day, counted from the epoch.
    pub day: u64,
    /// The question's id, or [`FUNNEL`].
    pub question: String,
    /// The dimension.
    pub dimension: Dimension,
    /// The dimension's value; empty for [`Dimension::All`].
    pub value: String,
}

/// The facts about a display that are counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// When it was shown, in milliseconds since the epoch, by the server's clock.
    pub shown_ms: u64,
    /// How far it came.
    pub stage: Stage,
    /// Whether it was closed.
    pub dismissed: bool,
    /// The version shown.
    pub version: u32,
    /// How it reached the visitor.
    pub channel: Channel,
    /// The language that was shown; empty where that is none of the survey's.
    pub language: String,
    /// What was answered.
    pub answers: Answers,
}

impl Facts {
    /// Each question that this display answers, the funnel first, with the values it adds to it.
    pub fn values(&self) -> Vec<(&str, Vec<u8>)> {
        let mut funnel = vec![stage_value(self.stage)];
        if self.dismissed {
            funnel.push(DISMISSED);
        }
        let answers = self.answers.0.iter().map(|(question, answer)| {
            let value = match answer {
                Answer::Score(score) => *score,
                Answer::Text(_) => 0,
            };
            (question.as_str(), vec![value])
        });
        std::iter::once((FUNNEL, funnel)).chain(answers).collect()
    }

    /// The value of a dimension that this display counts under.
    pub fn dimension(&self, dimension: Dimension) -> String {
        match dimension {
            Dimension::All => String::new(),
            Dimension::Version => self.version.to_string(),
            Dimension::Channel => self.channel.name().to_owned(),
            Dimension::Language => self.language.clone(),
        }
    }
}

/// The number under which the funnel counts a stage, and the store keeps it.
pub fn stage_value(stage: Stage) -> u8 {
    match stage {
        Stage::Shown => 0,
        Stage::Seen => 1,
        Stage::Started => 2,
        Stage::Completed => 3,
    }
}

impl Histogram {
    /// How often a value was seen.
    pub fn count(&self, value: u8) -> u64 {
        self.0.get(&value).copied().unwrap_or(0)
    }

    /// How many answers there are in all.
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// Adds another histogram to this one.
    pub fn merge(&mut self, other: &Self) {
        for (value, count) in &other.0 {
            *self.0.entry(*value).or_default() += count;
        }
    }

    /// What is left without another histogram that is part of this one.
    #[must_use]
    pub fn without(&self, part: &Self) -> Self {
        let left = |(value, count): (&u8, &u64)| (*value, count.saturating_sub(part.count(*value)));
        Self(self.0.iter().map(left).filter(|(_, count)| *count > 0).collect())
    }

    /// Counts a value once more.
    pub fn add(&mut self, value: u8) {
        *self.0.entry(value).or_default() += 1;
    }

    /// Takes a value out; `false` where it was not there, which is a broken store.
    #[must_use]
    fn remove(&mut self, value: u8) -> bool {
        let Some(count) = self.0.get_mut(&value) else { return false };
        *count -= 1;
        if *count == 0 {
            self.0.remove(&value);
        }
        true
    }
}

/// One row of counters: a histogram for each slot of a day in which something was counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packed {
    slots: BTreeMap<u8, Histogram>,
}

/// A counter says less than what is to be taken out of it, or does not decode: the store is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BrokenCounter;

impl Packed {
    /// Reads what [`Packed::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self, BrokenCounter> {
        postcard::from_bytes(bytes).map_err(|_| BrokenCounter)
    }

    /// The bytes to store: postcard, in which a sparse day takes a few bytes for each slot.
    pub fn encode(&self) -> Result<Vec<u8>, BrokenCounter> {
        postcard::to_allocvec(self).map_err(|_| BrokenCounter)
    }

    /// Whether nothing is counted, so that no row needs to be kept.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The slots of the day in which something was counted, each with the time at which it starts,
    /// for the row of a UTC day.
    pub fn slots(&self, day: u64) -> impl Iterator<Item = (u64, &Histogram)> {
        self.slots.iter().map(move |(slot, histogram)| {
            (day * time::DAY_MS + u64::from(*slot) * time::BUCKET_MS, histogram)
        })
    }

    fn change(&mut self, slot: u8, value: u8, change: Change) -> Result<(), BrokenCounter> {
        match change {
            Change::PutIn => self.slots.entry(slot).or_default().add(value),
            Change::TakeOut => {
                let histogram = self.slots.get_mut(&slot).ok_or(BrokenCounter)?;
                if !histogram.remove(value) {
                    return Err(BrokenCounter);
                }
                if histogram.0.is_empty() {
                    self.slots.remove(&slot);
                }
            }
        }
        Ok(())
    }
}

/// Whether a display's contribution enters the counters or leaves them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It enters.
    PutIn,
    /// It leaves.
    TakeOut,
}

/// A set of counter rows that displays are folded into, in memory.
#[derive(Debug, Default)]
pub struct Counters {
    rows: BTreeMap<Key, Packed>,
}

impl Counters {
    /// Puts a display's contribution in or takes it out. `load` gives the stored row the first time
    /// that a row is needed.
    pub fn change<E: From<BrokenCounter>>(
        &mut self,
        facts: &Facts,
        change: Change,
        mut load: impl FnMut(&Key) -> Result<Packed, E>,
    ) -> Result<(), E> {
        let day = time::day_of(facts.shown_ms);
        let slot = time::slot_of(facts.shown_ms);
        for dimension in Dimension::COUNTED {
            let value = facts.dimension(dimension);
            for (question, counted) in facts.values() {
                let key =
                    Key { day, question: question.to_owned(), dimension, value: value.clone() };
                let packed = match self.rows.entry(key) {
                    std::collections::btree_map::Entry::Occupied(row) => row.into_mut(),
                    std::collections::btree_map::Entry::Vacant(row) => {
                        let stored = load(row.key())?;
                        row.insert(stored)
                    }
                };
                for value in counted {
                    packed.change(slot, value, change)?;
                }
            }
        }
        Ok(())
    }

    /// The rows that were touched, in the order of their keys.
    pub fn into_rows(self) -> impl Iterator<Item = (Key, Packed)> {
        self.rows.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(score: u8) -> Facts {
        Facts {
            shown_ms: time::DAY_MS + time::BUCKET_MS,
            stage: Stage::Completed,
            dismissed: true,
            version: 3,
            channel: Channel::InPage,
            language: "en".to_owned(),
            answers: Answers(vec![
                ("score".to_owned(), Answer::Score(score)),
                ("why".to_owned(), Answer::Text("fast".to_owned())),
            ]),
        }
    }

    #[test]
    fn what_is_put_in_can_be_taken_out_and_leaves_nothing() {
        let mut counters = Counters::default();
        let fresh = |_: &Key| Ok::<_, BrokenCounter>(Packed::default());
        counters.change(&answered(9), Change::PutIn, fresh).unwrap();
        counters.change(&answered(3), Change::PutIn, fresh).unwrap();
        counters.change(&answered(9), Change::TakeOut, fresh).unwrap();
        counters.change(&answered(3), Change::TakeOut, fresh).unwrap();
        assert!(counters.into_rows().all(|(_, packed)| packed.is_empty()));
    }

    #[test]
    fn taking_out_what_was_never_counted_is_told() {
        let broken = Counters::default()
            .change(&answered(9), Change::TakeOut, |_| Ok::<_, BrokenCounter>(Packed::default()));
        assert_eq!(broken, Err(BrokenCounter));
    }

    #[test]
    fn a_row_survives_its_bytes() {
        let mut packed = Packed::default();
        packed.change(95, 10, Change::PutIn).unwrap();
        packed.change(0, 0, Change::PutIn).unwrap();
        let bytes = packed.encode().unwrap();
        assert!(bytes.len() < 12, "{}", bytes.len());
        assert_eq!(Packed::decode(&bytes), Ok(packed));
        assert_eq!(Packed::decode(&[9]), Err(BrokenCounter));
    }
}
