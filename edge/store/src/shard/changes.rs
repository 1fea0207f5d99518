//! Changes: each shard numbers the changes of its displays, so that a program that polls misses none.
//!
//! The row of a display stores the number of its last change, so that numbering costs no additional row.
//! Numbers are counted in memory, and looked up when the object wakes: the next number is larger than every
//! number in the tail, among the deferred displays, and in the table `change`. That table holds the number of
//! each display that the counters cover and that readers learn of. Such a display never disappears from both:
//! an erased or deleted display leaves a tombstone, and no stage goes back. So a number that a reader has
//! received is never used again.
//!
//! Readers learn of displays that have started, and of those that were removed. The tail is short, so reading
//! changes means reading a range of `change` and the tail.

use asklet_protocol::failure::Failure;
use asklet_shared::time::END_OF_TIME_MS;

use crate::shard::stored::{self, COLUMNS, Stored, TOMBSTONES};
use crate::shard::watermark::{self, TAIL, Watermark};
use crate::sql::{Sql, Value};

/// Returns the condition for the displays that readers learn of: a display with an answer has started.
fn reported_condition() -> String {
    format!("(stage >= 2 OR excluded IN {TOMBSTONES})")
}

/// Returns the number of the next change.
pub fn next(sql: &impl Sql) -> Result<u64, Failure> {
    let next = latest(sql)? + 1;
    sql.latest_change().set(Some(next));
    Ok(next)
}

/// Returns the number of the latest change. If the object has changed nothing since it woke, this is the
/// largest number that a reader may have received.
pub fn latest(sql: &impl Sql) -> Result<u64, Failure> {
    sql.latest_change().get().map_or_else(|| find_latest(sql), Ok)
}

/// Returns the largest number that a reader may have received.
fn find_latest(sql: &impl Sql) -> Result<u64, Failure> {
    let query = format!(
        "SELECT max(coalesce((SELECT max(seq) FROM change), 0),
            coalesce((SELECT max(seq) FROM display WHERE {TAIL}), 0),
            coalesce((SELECT max(seq) FROM display WHERE {}), 0))",
        watermark::deferred(4)
    );
    let watermark = Watermark::read(sql)?;
    let mut values = watermark.tail_range(END_OF_TIME_MS).to_vec();
    values.extend(watermark.deferred_range(END_OF_TIME_MS));
    let row = sql.first(&query, &values)?;
    row.map_or(Ok(0), |mut row| row.integer())
}

/// Lists the displays that match a condition in `change`, because the counters cover them from now on.
pub fn cover(sql: &impl Sql, condition: &str, values: &[Value]) -> Result<(), Failure> {
    let reported = reported_condition();
    let query = format!(
        "REPLACE INTO change (seq, id) SELECT seq, id FROM display WHERE {condition} AND {reported}"
    );
    sql.run(&query, values)
}

/// Lists a display that the counters cover, under the number of its latest change.
pub fn replace(sql: &impl Sql, earlier: Option<&Stored>, later: &Stored) -> Result<(), Failure> {
    let id = later.id.as_bytes().to_vec();
    if let Some(earlier) = earlier
        && renumber(sql, (earlier.seq, later.seq), id.clone())?
    {
        return Ok(());
    }
    let is_told = later.stage >= asklet_shared::display::Stage::Started || later.is_tombstone();
    if is_told {
        let insert = "INSERT INTO change (seq, id) VALUES (?, ?)";
        sql.run(insert, &[later.seq.into(), id.into()])?;
    }
    Ok(())
}

/// Gives a listed display its new number. Returns `false` if the display is not listed.
pub fn renumber(
    sql: &impl Sql,
    (earlier, later): (u64, u64),
    id: Vec<u8>,
) -> Result<bool, Failure> {
    let query = "UPDATE change SET seq = ? WHERE seq = ? AND id = ?";
    sql.write(query, &[later.into(), earlier.into(), id.into()])
}

/// Returns the displays that were changed after a number, in their current state and in the order of their last
/// change: at most `limit`.
pub fn after(sql: &impl Sql, seq: u64, limit: usize) -> Result<Vec<Stored>, Failure> {
    let watermark = Watermark::read(sql)?;
    let mut values = watermark.tail_range(END_OF_TIME_MS).to_vec();
    let limit = u64::try_from(limit).unwrap_or(u64::MAX);
    values.extend([seq.into(), limit.into()]);
    values.extend(watermark.deferred_range(END_OF_TIME_MS));
    let deferred = watermark::deferred(6);
    let reported = reported_condition();
    let mut found = Vec::new();
    sql.query(
        &format!(
            "SELECT {COLUMNS} FROM (
                SELECT seq, id FROM (SELECT seq, id FROM change WHERE seq > ?4 ORDER BY seq LIMIT ?5)
                UNION SELECT seq, id FROM display WHERE {TAIL} AND seq > ?4 AND {reported}
                UNION SELECT seq, id FROM display WHERE {deferred} AND seq > ?4 AND {reported}
                ORDER BY seq LIMIT ?5
             ) AS changed JOIN display ON display.id = changed.id ORDER BY changed.seq"
        ),
        &values,
        &mut |row| {
            found.push(stored::read(row)?);
            Ok(())
        },
    )?;
    Ok(found)
}
