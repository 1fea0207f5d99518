//! Counters: what displays add up to once they are settled.
//!
//! A display contributes to one packed counter for each question and dimension: the row of a day holds 96
//! slots, and a slot holds how often each value was seen. The funnel is counted like a question whose values
//! are the stages. Respondents are counted like a dimension whose values are digests. So folding, taking out,
//! merging and recounting are one operation: adding contributions with a sign.
//!
//! A store accepts rows of 2 MB at most. Rows of values are small, since there are few values. There are as
//! many digests as respondents, so a row of digests covers only an hour, and a slot that is full leaves out the
//! larger half of them, see [`Packed`].

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::error::Error;
use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::facts::Facts;
use crate::time;

/// How often each value was seen. For a rating the value is the score, for a text question 0, and for the
/// funnel a [`funnel_value`] or [`DISMISSED`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Histogram(pub BTreeMap<u8, u64>);

/// The name under which respondents are counted like the values of a dimension. A summary cannot be broken down
/// by it.
pub const RESPONDENT: &str = "respondent";

/// The key of a row of counters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CounterKey {
    /// The question's id, a chosen option's, or [`FUNNEL`].
    pub question: String,
    /// The name of the dimension, or [`RESPONDENT`].
    pub dimension: String,
    /// The UTC day, counted from the epoch.
    pub day: u64,
    /// The dimension's value; empty for [`crate::dimension::Dimension::All`]. For [`RESPONDENT`] it is the hour
    /// of the day.
    pub value: String,
}

impl Histogram {
    /// Returns how often a value was seen.
    pub fn count(&self, value: u8) -> u64 {
        self.0.get(&value).copied().unwrap_or(0)
    }

    /// Returns the number of all answers.
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// Adds another histogram to this one.
    pub fn merge(&mut self, other: &Self) {
        for (value, count) in &other.0 {
            *self.0.entry(*value).or_default() += count;
        }
    }

    /// Returns what is left after subtracting another histogram that is part of this one.
    #[must_use]
    pub fn without(&self, part: &Self) -> Self {
        let left = |(value, count): (&u8, &u64)| (*value, count.saturating_sub(part.count(*value)));
        Self(self.0.iter().map(left).filter(|(_, count)| *count > 0).collect())
    }

    /// Counts a value once.
    pub fn add(&mut self, value: u8) {
        self.add_many(value, 1);
    }

    /// Counts a value a number of times.
    pub fn add_many(&mut self, value: u8, count: u64) {
        *self.0.entry(value).or_default() += count;
    }
}

/// Digests of respondents are below this number, so that JSON and SQLite keep them exactly.
pub const DIGESTS: u64 = 1 << 53;

/// The largest count that is read: far more displays than a shard can hold, and 16 million of such counts add up
/// without an overflow.
const COUNT_LIMIT: u64 = 1 << 40;

/// Number of slots in one row of respondents.
const SLOTS_PER_HOUR: u8 = 4;

/// Number of digests that a slot holds. Even half of them are more than the number of smallest digests from
/// which [`crate::tally::Respondents`] estimates. So the digests that are left out change no summary, unless
/// most of the others are erased. The four slots of a row take 900 KB, nine bytes a digest.
const DIGESTS_LIMIT: usize = 25_000;

/// One row of counters: for each slot of a day in which something was counted, how often each value was seen.
/// Values are those of a [`Histogram`], or digests of respondents.
///
/// A slot with too many digests keeps only those below a half, a quarter and so on of their range. The slot
/// itself stores how often it was halved and how many contributions it left out: as an entry whose value is
/// [`DIGESTS`] plus the number of halvings, which is not a digest, and whose count is the number of
/// contributions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packed {
    slots: BTreeMap<u8, BTreeMap<u64, u64>>,
}

/// The store is broken: a counter holds less than is to be taken out of it or more than can be, or does not
/// decode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BrokenCounter;

impl fmt::Display for BrokenCounter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a counter does not hold what was folded into it")
    }
}

impl Error for BrokenCounter {}

impl Packed {
    /// Reads what [`Packed::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self, BrokenCounter> {
        postcard::from_bytes(bytes).map_err(|_| BrokenCounter)
    }

    /// Returns the bytes to store: postcard, in which a sparse day takes a few bytes for each slot.
    pub fn encode(&self) -> Result<Vec<u8>, BrokenCounter> {
        postcard::to_allocvec(self).map_err(|_| BrokenCounter)
    }

    /// Passes slot, value and count of every entry in the bytes that [`Packed::encode`] wrote to a function,
    /// without building a [`Packed`]: a year of a large survey has hundreds of thousands of entries.
    pub fn each(bytes: &[u8], mut counted: impl FnMut(u8, u64, u64)) -> Result<(), BrokenCounter> {
        fn take<T: DeserializeOwned>(rest: &mut &[u8]) -> Result<T, BrokenCounter> {
            let (value, after) = postcard::take_from_bytes(rest).map_err(|_| BrokenCounter)?;
            *rest = after;
            Ok(value)
        }
        let mut rest = bytes;
        for _ in 0..take::<usize>(&mut rest)? {
            let slot = take(&mut rest)?;
            for _ in 0..take::<usize>(&mut rest)? {
                let (value, count) = (take(&mut rest)?, take(&mut rest)?);
                if count > COUNT_LIMIT {
                    return Err(BrokenCounter);
                }
                counted(slot, value, count);
            }
        }
        Ok(())
    }

    /// Whether nothing is counted, so that no row needs to be kept.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Adds a respondent or takes one out.
    fn change_digest(
        &mut self,
        slot: u8,
        digest: u64,
        change: CounterChange,
    ) -> Result<(), BrokenCounter> {
        let left_out = self.slots.get(&slot).and_then(|digests| {
            let (left_out, _) = digests.last_key_value().filter(|(key, _)| **key >= DIGESTS)?;
            (digest >= DIGESTS >> (left_out - DIGESTS)).then_some(*left_out)
        });
        self.change(slot, left_out.unwrap_or(digest), change)?;
        match self.slots.get_mut(&slot) {
            Some(digests) if digests.len() > DIGESTS_LIMIT => halve(digests),
            _ => {}
        }
        Ok(())
    }

    fn change(&mut self, slot: u8, value: u64, change: CounterChange) -> Result<(), BrokenCounter> {
        match change {
            CounterChange::PutIn(times) => {
                let count = self.slots.entry(slot).or_default().entry(value).or_default();
                *count = count.checked_add(times).ok_or(BrokenCounter)?;
            }
            CounterChange::TakeOut => {
                let values = self.slots.get_mut(&slot).ok_or(BrokenCounter)?;
                let count = values.get_mut(&value).ok_or(BrokenCounter)?;
                *count = count.checked_sub(1).ok_or(BrokenCounter)?;
                if *count == 0 {
                    values.remove(&value);
                }
                if values.is_empty() {
                    self.slots.remove(&slot);
                }
            }
        }
        Ok(())
    }
}

/// Leaves out the upper half of the range of digests.
fn halve(digests: &mut BTreeMap<u64, u64>) {
    let halved = digests.last_key_value().map_or(0, |(last, _)| last.saturating_sub(DIGESTS));
    let upper = digests.split_off(&(DIGESTS >> (halved + 1)));
    digests.insert(DIGESTS + halved + 1, upper.values().sum());
}

/// Whether a display's contribution enters the counters or leaves them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CounterChange {
    /// The contribution enters, multiplied by the number of equal displays.
    PutIn(u64),
    /// The contribution of one display leaves.
    TakeOut,
}

/// A set of counter rows into which displays are folded, in memory.
#[derive(Debug, Default)]
pub struct Counters {
    rows: BTreeMap<CounterKey, Packed>,
}

impl Counters {
    /// Adds a display's contribution or takes it out. `load` returns the stored row when a row is needed for
    /// the first time.
    pub fn change<E: From<BrokenCounter>>(
        &mut self,
        facts: &Facts,
        change: CounterChange,
        mut load: impl FnMut(&CounterKey) -> Result<Packed, E>,
    ) -> Result<(), E> {
        let day = time::day_of(facts.shown_ms);
        let slot = time::slot_of(facts.shown_ms);
        let values = facts.values();
        let key = |question: &str, dimension: &str, value: &str| CounterKey {
            question: question.to_owned(),
            dimension: dimension.to_owned(),
            day,
            value: value.to_owned(),
        };
        for (dimension, value) in facts.dimensions() {
            let dimension = dimension.name();
            for (question, counted) in &values {
                let row = self.row(key(question, &dimension, &value), &mut load)?;
                for value in counted {
                    row.change(slot, u64::from(*value), change)?;
                }
            }
        }
        if let Some(respondent) = facts.respondent {
            let hour = (slot / SLOTS_PER_HOUR).to_string();
            for (question, _) in &facts.answers.0 {
                let row = self.row(key(question, RESPONDENT, &hour), &mut load)?;
                row.change_digest(slot, respondent, change)?;
            }
        }
        Ok(())
    }

    /// Returns a row, and loads it when it is needed for the first time.
    fn row<E>(
        &mut self,
        key: CounterKey,
        load: &mut impl FnMut(&CounterKey) -> Result<Packed, E>,
    ) -> Result<&mut Packed, E> {
        Ok(match self.rows.entry(key) {
            Entry::Occupied(row) => row.into_mut(),
            Entry::Vacant(row) => {
                let stored = load(row.key())?;
                row.insert(stored)
            }
        })
    }

    /// Returns the rows that were used, in the order of their keys.
    pub fn into_rows(self) -> impl Iterator<Item = (CounterKey, Packed)> {
        self.rows.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::display::Stage;
    use crate::display::{Answer, Answers};
    use crate::facts::Context;
    use crate::tally::{Request, Respondents};

    fn answered(score: u8) -> Facts {
        Facts {
            shown_ms: time::DAY_MS + time::BUCKET_MS,
            stage: Stage::Completed,
            dismissed: true,
            context: Context { version: 3, language: "en".to_owned(), ..Context::default() },
            answers: Answers(vec![
                ("score".to_owned(), Answer::Score(score)),
                ("why".to_owned(), Answer::Text("fast".to_owned())),
            ]),
            traits: [("plan".to_owned(), "pro".to_owned())].into(),
            respondent: Some(7),
        }
    }

    #[test]
    fn what_is_put_in_can_be_taken_out_and_leaves_nothing() {
        let mut counters = Counters::default();
        let fresh = |_: &CounterKey| Ok::<_, BrokenCounter>(Packed::default());
        counters.change(&answered(9), CounterChange::PutIn(1), fresh).unwrap();
        counters.change(&answered(3), CounterChange::PutIn(1), fresh).unwrap();
        counters.change(&answered(9), CounterChange::TakeOut, fresh).unwrap();
        counters.change(&answered(3), CounterChange::TakeOut, fresh).unwrap();
        assert!(counters.into_rows().all(|(_, packed)| packed.is_empty()));
    }

    #[test]
    fn taking_out_what_was_never_counted_is_told() {
        let broken = Counters::default().change(&answered(9), CounterChange::TakeOut, |_| {
            Ok::<_, BrokenCounter>(Packed::default())
        });
        assert_eq!(broken, Err(BrokenCounter));
    }

    #[test]
    fn a_row_of_respondents_has_an_end_and_what_it_leaves_out_changes_no_estimate() {
        let identified = |number: u64| Facts {
            shown_ms: number % 4 * time::BUCKET_MS,
            respondent: Some(Respondents::digest(number.wrapping_mul(0x9e37_79b9_7f4a_7c15))),
            ..answered(9)
        };
        let numbers = 0..150_000;
        let (mut counters, mut all) = (Counters::default(), Respondents::default());
        let fresh = |_: &CounterKey| Ok::<_, BrokenCounter>(Packed::default());
        for number in numbers.clone() {
            let one = identified(number);
            counters.change(&one, CounterChange::PutIn(1), fresh).unwrap();
            all.add(one.respondent.unwrap());
        }
        let request = Request::whole("score", 0, time::DAY_MS);
        let mut counted = request.nothing();
        let theirs = counters.rows.iter().filter(|(key, _)| key.dimension == RESPONDENT);
        for (key, packed) in theirs {
            let bytes = packed.encode().unwrap();
            assert!(bytes.len() < 1_000_000, "{key:?}: {} bytes", bytes.len());
            if key.question == "score" {
                counted.add_row(&request, key, &bytes).unwrap();
            }
        }
        assert_eq!(counted.respondents, all);
        // Contributions that were left out can still be taken out, and nothing more than those.
        for number in numbers {
            counters.change(&identified(number), CounterChange::TakeOut, fresh).unwrap();
        }
        assert!(counters.rows.values().all(Packed::is_empty));
        let more = counters.change(&identified(0), CounterChange::TakeOut, fresh);
        assert_eq!(more, Err(BrokenCounter));
    }

    #[test]
    fn a_row_survives_its_bytes() {
        let mut packed = Packed::default();
        packed.change(95, 10, CounterChange::PutIn(1)).unwrap();
        packed.change(0, 0, CounterChange::PutIn(1)).unwrap();
        let bytes = packed.encode().unwrap();
        assert!(bytes.len() < 12, "{}", bytes.len());
        let mut each = Vec::new();
        Packed::each(&bytes, |slot, value, count| each.push((slot, value, count))).unwrap();
        assert_eq!(each, [(0, 0, 1), (95, 10, 1)]);
        assert_eq!(Packed::decode(&bytes), Ok(packed));
        assert_eq!(Packed::decode(&[9]), Err(BrokenCounter));
        assert_eq!(Packed::each(&[9], |_, _, _| ()), Err(BrokenCounter));
        let mut large = Packed::default();
        large.change(1, u64::MAX, CounterChange::PutIn(1 << 40)).unwrap();
        let mut each = Vec::new();
        let bytes = large.encode().unwrap();
        Packed::each(&bytes, |slot, value, count| each.push((slot, value, count))).unwrap();
        assert_eq!(each, [(1, u64::MAX, 1 << 40)]);
    }

    #[test]
    fn stored_counts_that_cannot_be_are_an_error_and_never_overflow() {
        let row = |count: u64| Packed { slots: [(1, [(9, count)].into())].into() };
        let each = |row: &Packed| Packed::each(&row.encode().unwrap(), |_, _, _| ());
        assert_eq!(each(&row(COUNT_LIMIT)), Ok(()));
        assert_eq!(each(&row(COUNT_LIMIT + 1)), Err(BrokenCounter));
        assert_eq!(row(u64::MAX).change(1, 9, CounterChange::PutIn(1)), Err(BrokenCounter));
        assert_eq!(row(0).change(1, 9, CounterChange::TakeOut), Err(BrokenCounter));
        let request = Request::whole("score", 0, time::DAY_MS);
        let key = CounterKey {
            question: "score".to_owned(),
            dimension: String::new(),
            day: u64::MAX,
            value: String::new(),
        };
        let bytes = row(1).encode().unwrap();
        assert_eq!(request.nothing().add_row(&request, &key, &bytes), Err(BrokenCounter));
    }
}
