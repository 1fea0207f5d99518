//! Counters as the fold of the log.
//!
//! A display is covered by the counters once it was shown before the watermark, or if it is astray.
//! Folding moves the watermark and adds the displays that it passes. A display that changes after
//! that takes its old contribution out and puts the new one in, in the transaction that stores it.
//! So the counters always equal a recount of the covered part of the log, plus what retention settled
//! by dropping rows or forgetting people, and a summary is the counters plus a scan of the tail.
//!
//! The tail is folded when it is long, and not when it is old: a fold writes about as many rows for
//! ten displays as for a thousand.

use asklet_shared::counter::{Change, Counters, FUNNEL, Key, Packed, RESPONDENT};
use asklet_shared::dimension::Dimension;
use asklet_shared::display_id::DisplayId;
use asklet_shared::facts::{Facts, option_key};
use asklet_shared::tally::{Counted, Request};
use asklet_shared::time::{self, BUCKET_MS};

use super::changes;
use super::log::{self, DRIFT_MS, Stored};
use crate::bundle;
use crate::failure::Failure;
use crate::sql::{Sql, Value};

/// Later than any display: the largest integer that passes through JavaScript unharmed.
pub const END_OF_TIME_MS: u64 = (1 << 53) - 1;

/// How long a display stays in the tail, where changing it is cheap, unless the tail is full.
const SETTLE_MS: u64 = BUCKET_MS;

/// How many settled displays make a fold worth its rows.
const WORTHWHILE: usize = 1_000;

/// How long the tail may be.
pub const TAIL_LIMIT: usize = 10_000;

/// About how many displays are folded in one transaction, so that nobody waits long.
const STEP: usize = 2_500;

/// The displays that no counter covers. Their keys are a range at the end of the log, so that
/// reading them does not touch the rest.
pub const TAIL: &str = "id >= ?1 AND astray = 0 AND shown_ms >= ?2 AND shown_ms < ?3";

/// Displays shown before this are in the counters.
#[derive(Debug, Clone, Copy)]
pub struct Watermark(u64);

impl Watermark {
    /// The stored watermark; there is none until a shard that moves here has come whole.
    pub fn read(sql: &impl Sql) -> Result<Self, Failure> {
        let row = sql.first("SELECT until_ms FROM folded", &[])?;
        let mut row = row.ok_or_else(bundle::moving_in)?;
        Ok(Self(row.integer()?))
    }

    /// Whether a display's contribution is in the counters.
    pub fn covers(self, display: &Stored) -> bool {
        display.astray || display.shown_ms < self.0
    }

    /// Whether all displays that were shown before a time are in the counters.
    pub fn is_past(self, ms: u64) -> bool {
        ms <= self.0
    }

    /// The values of [`TAIL`] for displays that were shown before `until_ms`.
    pub fn tail_range(self, until_ms: u64) -> [Value; 3] {
        let first_id = DisplayId::floor(self.0.saturating_sub(DRIFT_MS)).to_vec();
        [first_id.into(), self.0.into(), until_ms.into()]
    }

    /// Hands over the facts of the tail that was shown before `until_ms`, kind by kind.
    fn tail(
        self,
        sql: &impl Sql,
        until_ms: u64,
        kind: &mut dyn FnMut(&Facts, u64) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        log::each_kind(sql, TAIL, &self.tail_range(until_ms), kind)
    }
}

/// How many displays are in the tail.
pub fn tail_length(sql: &impl Sql) -> Result<usize, Failure> {
    Ok(count_tail(sql, Watermark::read(sql)?, END_OF_TIME_MS)?.0)
}

/// How many displays are in the tail, and how many of them were shown before a time.
fn count_tail(
    sql: &impl Sql,
    watermark: Watermark,
    settled_ms: u64,
) -> Result<(usize, usize), Failure> {
    let query =
        format!("SELECT count(*), count(*) FILTER (WHERE shown_ms < ?4) FROM display WHERE {TAIL}");
    let mut values = watermark.tail_range(END_OF_TIME_MS).to_vec();
    values.push(settled_ms.into());
    let row = sql.first(&query, &values)?;
    row.map_or(Ok((0, 0)), |mut row| Ok((row.integer()?, row.integer()?)))
}

/// Folds what is worth folding: settled displays if there are many, and even the newest if the tail
/// is full. At most one step at a time; `true` where there is more to do.
pub fn fold(sql: &impl Sql, now_ms: u64) -> Result<bool, Failure> {
    let watermark = Watermark::read(sql)?;
    let settled_ms = now_ms.saturating_sub(SETTLE_MS);
    let (all, settled) = count_tail(sql, watermark, settled_ms)?;
    if settled >= WORTHWHILE {
        return fold_step(sql, watermark, settled_ms);
    }
    if all > TAIL_LIMIT {
        // A burst. A step takes the oldest, and what was shown in the last seconds is left alone as
        // long as that is possible.
        return fold_step(sql, watermark, now_ms);
    }
    Ok(false)
}

/// Folds everything that was shown before a time, however little it is. One step at a time.
pub fn fold_before(sql: &impl Sql, until_ms: u64) -> Result<bool, Failure> {
    fold_step(sql, Watermark::read(sql)?, until_ms)
}

/// Moves the watermark by about one step towards a time.
fn fold_step(sql: &impl Sql, watermark: Watermark, until_ms: u64) -> Result<bool, Failure> {
    if until_ms <= watermark.0 {
        return Ok(false);
    }
    // By key, which is almost by time; a step that gets nowhere takes a millisecond at least.
    let step_ms = nth_shown_ms(sql, watermark, STEP)?.unwrap_or(until_ms);
    let step_ms = step_ms.clamp(watermark.0 + 1, until_ms);
    sql.transaction(|| {
        let mut changes = Changes::default();
        watermark.tail(sql, step_ms, &mut |facts, count| changes.put_in(sql, facts, count))?;
        changes.save(sql)?;
        changes::cover(sql, TAIL, &watermark.tail_range(step_ms))?;
        sql.run("UPDATE folded SET until_ms = ?", &[step_ms.into()])
    })?;
    Ok(step_ms < until_ms)
}

/// When the so-many-th display of the tail was shown, in the order of keys.
fn nth_shown_ms(sql: &impl Sql, watermark: Watermark, nth: usize) -> Result<Option<u64>, Failure> {
    let query =
        format!("SELECT shown_ms FROM display WHERE {TAIL} ORDER BY id LIMIT 1 OFFSET {nth}");
    let row = sql.first(&query, &watermark.tail_range(END_OF_TIME_MS))?;
    row.map(|mut row| row.integer()).transpose()
}

/// Counts anew after a change of what is counted: empties the counters, puts those in that no tail
/// ever holds, and leaves the rest to the next folds.
pub fn recount_if_needed(sql: &impl Sql) -> Result<(), Failure> {
    let needed = sql.first("SELECT 1 FROM folded WHERE recount = 1", &[])?;
    if needed.is_none() {
        return Ok(());
    }
    sql.transaction(|| {
        sql.run("DELETE FROM counter", &[])?;
        let mut changes = Changes::default();
        let put_in = &mut |facts: &Facts, count| changes.put_in(sql, facts, count);
        log::each_kind(sql, "astray = 1", &[], put_in)?;
        changes.save(sql)?;
        sql.run("DELETE FROM change", &[])?;
        changes::cover(sql, "astray = 1", &[])?;
        sql.run("UPDATE folded SET until_ms = 0, recount = 0", &[])
    })
}

/// Changes of counters for displays that they cover already. They are made within the transaction
/// that changes the displays.
#[derive(Default)]
pub struct Changes(Counters);

impl Changes {
    /// Takes a display out and puts what became of it, and was written, in.
    pub fn replace(
        &mut self,
        sql: &impl Sql,
        earlier: Option<&Stored>,
        later: &Stored,
    ) -> Result<(), Failure> {
        changes::replace(sql, earlier, later)?;
        for (display, change) in [(earlier, Change::TakeOut), (Some(later), Change::PutIn(1))] {
            if let Some(facts) = display.and_then(Stored::facts) {
                self.0.change(&facts, change, |key| load(sql, key))?;
            }
        }
        Ok(())
    }

    /// Puts so many displays of a kind in.
    fn put_in(&mut self, sql: &impl Sql, facts: &Facts, count: u64) -> Result<(), Failure> {
        self.0.change(facts, Change::PutIn(count), |key| load(sql, key))
    }

    /// Stores the counters that were changed.
    pub fn save(self, sql: &impl Sql) -> Result<(), Failure> {
        save(sql, self.0)
    }
}

const ROW: &str = "question = ? AND dimension = ? AND day = ? AND value = ?";

fn load(sql: &impl Sql, key: &Key) -> Result<Packed, Failure> {
    let row = sql.first(&format!("SELECT packed FROM counter WHERE {ROW}"), &columns(key))?;
    match row {
        Some(mut row) => Ok(Packed::decode(&row.blob()?)?),
        None => Ok(Packed::default()),
    }
}

fn save(sql: &impl Sql, counters: Counters) -> Result<(), Failure> {
    for (key, packed) in counters.into_rows() {
        let mut values = columns(&key).to_vec();
        if packed.is_empty() {
            sql.run(&format!("DELETE FROM counter WHERE {ROW}"), &values)?;
        } else {
            values.push(packed.encode()?.into());
            sql.run(
                "REPLACE INTO counter (question, dimension, day, value, packed)
                 VALUES (?, ?, ?, ?, ?)",
                &values,
            )?;
        }
    }
    Ok(())
}

fn columns(key: &Key) -> [Value; 4] {
    [
        key.question.as_str().into(),
        key.dimension.as_str().into(),
        key.day.into(),
        key.value.as_str().into(),
    ]
}

/// What this shard has counted in a period: the counters and the tail.
pub fn count(sql: &impl Sql, request: &Request) -> Result<Counted, Failure> {
    let mut counted = request.nothing();
    let (from_ms, to_ms) = request.range();
    let by = request.by.as_ref().map_or("".into(), Dimension::name);
    let mut add = |questions: &str, range: [&str; 2]| {
        sql.query(
            &format!(
                "SELECT question, dimension, day, value, packed FROM counter
                 WHERE {questions} AND dimension IN ('', ?, ?) AND day >= ? AND day <= ?"
            ),
            &[
                range[0].into(),
                range[1].into(),
                by.as_ref().into(),
                RESPONDENT.into(),
                time::day_of(from_ms).into(),
                time::day_of(to_ms).into(),
            ],
            &mut |mut row| {
                let key = Key {
                    question: row.text()?,
                    dimension: row.text()?,
                    day: row.integer()?,
                    value: row.text()?,
                };
                Ok(counted.add_row(request, &key, &row.blob()?)?)
            },
        )
    };
    add("question IN (?, ?)", [FUNNEL, &request.question])?;
    // The question's options lie between it with a slash and it with what follows a slash.
    let (first, end) = (option_key(&request.question, ""), format!("{}0", request.question));
    add("question > ? AND question < ?", [&first, &end])?;
    Watermark::read(sql)?.tail(sql, END_OF_TIME_MS, &mut |facts, count| {
        counted.add(request, facts, count);
        Ok(())
    })?;
    Ok(counted)
}
