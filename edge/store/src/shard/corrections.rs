//! Corrections by filter: all displays that a filter finds are excluded, included again or deleted. This is
//! done one slice at a time, so that displays are collected in between. Repeating a slice changes nothing more.

use asklet_protocol::corrections::{Corrected, Correction, Treatment};
use asklet_protocol::cursor::Cursor;
use asklet_protocol::failure::Failure;

use crate::shard::find::{self, Plain};
use crate::shard::retention;
use crate::shard::slice::{Range, Slice};
use crate::shard::stored::{self, COLUMNS, DELETED, Stored};
use crate::sql::Sql;

/// Number of rows that a slice looks at.
pub const ROWS: u32 = 1_500;

/// Number of displays that a slice reads and changes. Each of them may have about ten counters to change, and
/// nobody should wait 50 ms for a slice.
const DISPLAYS: usize = 50;

/// Corrects one slice in one transaction.
pub fn step(
    correction: &Correction,
    sql: &impl Sql,
    slice: Slice,
    plain: Plain<'_>,
) -> Result<Corrected, Failure> {
    sql.transaction(|| {
        let mut corrected = Corrected::default();
        let mut wrong = Vec::new();
        for range in slice.ranges(sql, correction.find.from_ms, correction.find.to_ms)? {
            let found = find(correction, sql, &range)?;
            let is_cut = found.len() == DISPLAYS;
            corrected.next = match found.last() {
                Some(last) if is_cut => {
                    Some(Cursor { id: last.id, clock_skewed: last.clock_skewed })
                }
                _ => range.next,
            };
            for display in
                found.into_iter().filter(|display| find::holds(&correction.find, display, plain))
            {
                corrected.matched += 1;
                if changes(correction, &display) {
                    corrected.changed += 1;
                    wrong.push(display);
                }
            }
            if is_cut {
                break;
            }
        }
        if !correction.dry_run {
            treat(correction, sql, wrong)?;
        }
        Ok(corrected)
    })
}

/// Returns the first displays of a range that match the filter as far as SQL can check it.
fn find(correction: &Correction, sql: &impl Sql, range: &Range) -> Result<Vec<Stored>, Failure> {
    let mut values = range.values.clone();
    let filter = find::condition(&correction.find, &mut values);
    let condition = &range.condition;
    let query = format!(
        "SELECT {COLUMNS} FROM display WHERE {condition} AND {filter} ORDER BY id LIMIT {DISPLAYS}"
    );
    let mut found = Vec::new();
    sql.query(&query, &values, &mut |row| {
        found.push(stored::read(row)?);
        Ok(())
    })?;
    Ok(found)
}

/// Whether the correction changes the display.
fn changes(correction: &Correction, display: &Stored) -> bool {
    match (correction.treatment, &display.excluded) {
        (Treatment::Exclude, excluded) => excluded.is_none(),
        (Treatment::Include, None) => false,
        (Treatment::Include, Some(excluded)) => {
            correction.reason.as_ref().is_none_or(|reason| reason == excluded)
        }
        (Treatment::Delete, _) => true,
    }
}

fn treat(correction: &Correction, sql: &impl Sql, displays: Vec<Stored>) -> Result<(), Failure> {
    match correction.treatment {
        Treatment::Delete => retention::remove(sql, displays, DELETED),
        Treatment::Exclude => retention::mark(sql, displays, correction.reason.as_deref()),
        Treatment::Include => retention::mark(sql, displays, None),
    }
}
