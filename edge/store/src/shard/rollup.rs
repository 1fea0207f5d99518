//! The counters, which are folded from the log.
//!
//! The counters cover a display if it was shown before the watermark. A display that arrives behind the
//! watermark, or is clock-skewed, is deferred: deferred displays are covered in the order of reception, by a
//! watermark of their own. Folding moves a watermark and adds the displays that it passes. If a covered display
//! changes later, its old contribution is taken out and the new one put in, in the transaction that stores the
//! change. So the counters always equal a recount of the covered part of the log, plus what retention has
//! dropped or forgotten. A summary is the counters plus a scan of the displays that they do not cover.
//!
//! The tail is folded when it is long, and not when it is old: a fold writes about as many rows for ten
//! displays as for a thousand. For the same reason no display is counted as it arrives: an untrusted client
//! that invents old displays would make each of them write a row for each dimension and question.

use asklet_protocol::failure::Failure;
use asklet_protocol::problems::migrating;
use asklet_shared::counter::{CounterChange, CounterKey, Counters, Packed, RESPONDENT};
use asklet_shared::dimension::Dimension;
use asklet_shared::facts::{Facts, option_key};
use asklet_shared::funnel::FUNNEL;
use asklet_shared::tally::{Counted, Request};
use asklet_shared::time::{self, BUCKET_MS, END_OF_TIME_MS};

use crate::shard::stored::Stored;
use crate::shard::watermark::{DEFERRED, TAIL, Watermark, deferred};
use crate::shard::{changes, log};
use crate::sql::{Sql, Value};

/// Milliseconds for which a display stays in the tail, where changing it is cheap, unless the tail is full.
const SETTLE_MS: u64 = BUCKET_MS;

/// Number of settled displays from which a fold is worth the rows that it writes.
const WORTHWHILE: usize = 1_000;

/// Number of displays that the tail may have.
pub const TAIL_LIMIT: usize = 10_000;

/// Approximate number of displays that are folded in one transaction, so that nobody waits long.
const STEP: usize = 2_500;

/// Numbers of displays that no counter covers.
#[derive(Debug, Clone, Copy)]
struct Waiting {
    /// Displays in the tail.
    tail: usize,
    /// Displays of the tail that were shown before a given time.
    settled: usize,
    /// Deferred displays, which arrived behind the watermark or are clock-skewed.
    deferred: usize,
}

impl Waiting {
    fn count(sql: &impl Sql, watermark: Watermark, settled_ms: u64) -> Result<Self, Failure> {
        let tail = format!(
            "SELECT count(*), count(*) FILTER (WHERE shown_ms < ?4) FROM display WHERE {TAIL}"
        );
        let mut values = watermark.tail_range(END_OF_TIME_MS).to_vec();
        values.push(settled_ms.into());
        let row = sql.first(&tail, &values)?;
        let (tail, settled) =
            row.map_or(Ok((0, 0)), |mut row| Ok::<_, Failure>((row.integer()?, row.integer()?)))?;
        let deferred = format!("SELECT count(*) FROM {DEFERRED} AND received_ms >= ?");
        let row = sql.first(&deferred, &[watermark.received_ms.into()])?;
        let deferred = row.map_or(Ok(0), |mut row| row.integer())?;
        Ok(Self { tail, settled, deferred })
    }

    fn all(self) -> usize {
        self.tail + self.deferred
    }
}

/// Returns the number of displays that no counter covers.
pub fn tail_length(sql: &impl Sql) -> Result<usize, Failure> {
    Ok(Waiting::count(sql, Watermark::read(sql)?, 0)?.all())
}

/// Returns the number of all displays, in whatever state.
pub fn displays(sql: &impl Sql) -> Result<u64, Failure> {
    let row = sql.first("SELECT displays FROM folded", &[])?;
    let covered: u64 = row.ok_or_else(migrating)?.integer()?;
    Ok(covered + u64::try_from(tail_length(sql)?).unwrap_or(u64::MAX))
}

/// Adds one to the number of covered displays, for a display that the counters cover from its first receipt.
pub fn cover_one(sql: &impl Sql) -> Result<(), Failure> {
    sql.run("UPDATE folded SET displays = displays + 1", &[])
}

/// Folds if it is worthwhile: settled or deferred displays if there are many, and even the newest displays if
/// the tail is full. Makes at most one step; returns `true` if there is more to do.
pub fn fold(sql: &impl Sql, now_ms: u64) -> Result<bool, Failure> {
    let watermark = Watermark::read(sql)?;
    let settled_ms = now_ms.saturating_sub(SETTLE_MS);
    let waiting = Waiting::count(sql, watermark, settled_ms)?;
    if waiting.settled >= WORTHWHILE {
        return fold_step(sql, watermark, settled_ms);
    }
    if waiting.deferred >= WORTHWHILE {
        return fold_deferred(sql, watermark);
    }
    if waiting.all() > TAIL_LIMIT {
        // This is a burst. A step takes the oldest displays, so that those of the last seconds stay in the tail
        // as long as possible.
        return fold_step(sql, watermark, now_ms);
    }
    Ok(false)
}

/// Folds everything that was shown before a time, and all deferred displays, however few they are. Makes one
/// step; returns `true` if there is more to do.
pub fn fold_before(sql: &impl Sql, until_ms: u64) -> Result<bool, Failure> {
    let watermark = Watermark::read(sql)?;
    let is_more = fold_deferred(sql, watermark)?;
    Ok(fold_step(sql, watermark, until_ms)? || is_more)
}

/// Moves the watermark by about one step towards a time.
fn fold_step(sql: &impl Sql, watermark: Watermark, until_ms: u64) -> Result<bool, Failure> {
    if until_ms <= watermark.shown_ms {
        return Ok(false);
    }
    // The step is measured in keys, whose order is almost that of time. It covers at least one millisecond, so
    // that every step makes progress.
    let step_ms = nth_shown_ms(sql, watermark, STEP)?.unwrap_or(until_ms);
    let step_ms = step_ms.clamp(watermark.shown_ms + 1, until_ms);
    cover(sql, (TAIL, &watermark.tail_range(step_ms)), ("until_ms", step_ms))?;
    Ok(step_ms < until_ms)
}

/// Moves the watermark of the deferred displays by about one step; returns `true` if there is more to do.
fn fold_deferred(sql: &impl Sql, watermark: Watermark) -> Result<bool, Failure> {
    let find = |order: &str| {
        let query = format!(
            "SELECT received_ms FROM {DEFERRED} AND received_ms >= ? ORDER BY received_ms {order}"
        );
        let row = sql.first(&query, &[watermark.received_ms.into()])?;
        row.map(|mut row| row.integer::<u64>()).transpose()
    };
    let Some(last_ms) = find("DESC LIMIT 1")? else { return Ok(false) };
    let step_ms = find(&format!("LIMIT 1 OFFSET {STEP}"))?.unwrap_or(last_ms + 1);
    // Displays that arrived in the same millisecond are counted together.
    let step_ms = step_ms.max(watermark.received_ms + 1);
    let range = &watermark.deferred_range(step_ms);
    cover(sql, (&deferred(1), range), ("received_until_ms", step_ms))?;
    Ok(step_ms <= last_ms)
}

/// Adds the displays that match a condition to the counters, and moves a watermark past them.
fn cover(
    sql: &impl Sql,
    (condition, range): (&str, &[Value]),
    (watermark, step_ms): (&str, u64),
) -> Result<(), Failure> {
    sql.transaction(|| {
        let mut changes = CounterChanges::default();
        log::each_group(sql, condition, range, &mut |facts, count| {
            changes.put_in(sql, facts, count)
        })?;
        changes.save(sql)?;
        changes::cover(sql, condition, range)?;
        let count = format!("SELECT count(*) FROM display WHERE {condition}");
        let row = sql.first(&count, range)?;
        let count: u64 = row.map_or(Ok(0), |mut row| row.integer())?;
        let update = format!("UPDATE folded SET displays = displays + ?, {watermark} = ?");
        sql.run(&update, &[count.into(), step_ms.into()])
    })
}

/// Returns when the `nth` display of the tail was shown, in the order of keys.
fn nth_shown_ms(sql: &impl Sql, watermark: Watermark, nth: usize) -> Result<Option<u64>, Failure> {
    let query =
        format!("SELECT shown_ms FROM display WHERE {TAIL} ORDER BY id LIMIT 1 OFFSET {nth}");
    let row = sql.first(&query, &watermark.tail_range(END_OF_TIME_MS))?;
    row.map(|mut row| row.integer()).transpose()
}

/// Starts a recount after a change of what is counted: empties the counters, and leaves all displays to the
/// next folds.
pub fn recount_if_needed(sql: &impl Sql) -> Result<(), Failure> {
    let needed = sql.first("SELECT 1 FROM folded WHERE recount = 1", &[])?;
    if needed.is_none() {
        return Ok(());
    }
    sql.transaction(|| {
        sql.run("DELETE FROM counter", &[])?;
        sql.run("DELETE FROM change", &[])?;
        sql.run(
            "UPDATE folded SET until_ms = 0, received_until_ms = 0, displays = 0, recount = 0",
            &[],
        )
    })
}

/// Changes of counters for displays that the counters cover already. They are made within the transaction that
/// changes the displays.
#[derive(Default)]
pub struct CounterChanges(Counters);

impl CounterChanges {
    /// Takes the contribution of the earlier state of a display out, and puts that of the later state in, which
    /// was written already.
    pub fn replace(
        &mut self,
        sql: &impl Sql,
        earlier: Option<&Stored>,
        later: &Stored,
    ) -> Result<(), Failure> {
        changes::replace(sql, earlier, later)?;
        for (display, change) in
            [(earlier, CounterChange::TakeOut), (Some(later), CounterChange::PutIn(1))]
        {
            if let Some(facts) = display.and_then(Stored::facts) {
                self.0.change(&facts, change, |key| load(sql, key))?;
            }
        }
        Ok(())
    }

    /// Adds `count` displays of the same group.
    fn put_in(&mut self, sql: &impl Sql, facts: &Facts, count: u64) -> Result<(), Failure> {
        self.0.change(facts, CounterChange::PutIn(count), |key| load(sql, key))
    }

    /// Stores the changed counters.
    pub fn save(self, sql: &impl Sql) -> Result<(), Failure> {
        save(sql, self.0)
    }
}

const ROW: &str = "question = ? AND dimension = ? AND day = ? AND value = ?";

fn load(sql: &impl Sql, key: &CounterKey) -> Result<Packed, Failure> {
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

fn columns(key: &CounterKey) -> [Value; 4] {
    [
        key.question.as_str().into(),
        key.dimension.as_str().into(),
        key.day.into(),
        key.value.as_str().into(),
    ]
}

/// Returns what this shard has counted in a period: the counters, and the displays that they do not cover.
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
                let key = CounterKey {
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
    // The keys of the question's options lie between the question with a slash and the question with the
    // character after the slash.
    let (first, end) = (option_key(&request.question, ""), format!("{}0", request.question));
    add("question > ? AND question < ?", [&first, &end])?;
    each_uncovered(Watermark::read(sql)?, sql, &mut |facts, count| {
        counted.add(request, facts, count);
        Ok(())
    })?;
    Ok(counted)
}

/// Calls `kind` for each group of the displays that no counter covers.
fn each_uncovered(
    watermark: Watermark,
    sql: &impl Sql,
    kind: &mut dyn FnMut(&Facts, u64) -> Result<(), Failure>,
) -> Result<(), Failure> {
    log::each_group(sql, TAIL, &watermark.tail_range(END_OF_TIME_MS), kind)?;
    log::each_group(sql, &deferred(1), &watermark.deferred_range(END_OF_TIME_MS), kind)
}
