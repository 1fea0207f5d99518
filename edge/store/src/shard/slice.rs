//! Slices: long work over the log is done on one range of keys at a time, so that displays are collected in
//! between.
//!
//! The clock-skewed displays come first, by an index of their own, because their keys do not show when they
//! were shown. The other displays follow, whose keys lie around the period.

use asklet_protocol::cursor::Cursor;
use asklet_protocol::failure::Failure;
use asklet_shared::display_id::DisplayId;

use crate::shard::columns::{DRIFT_MS, display_id};
use crate::sql::{Sql, Value};

/// The clock-skewed displays. Without `INDEXED BY`, SQLite would search all keys for them.
const CLOCK_SKEWED: &str = "display INDEXED BY astray WHERE astray = 1";

/// Where a slice begins, and the approximate number of its rows of each kind.
#[derive(Debug, Clone, Copy)]
pub struct Slice {
    /// Where the previous slice ended; `None` for the first slice.
    pub after: Option<Cursor>,
    /// Number of rows to look at.
    pub rows: u32,
}

/// The rows of one slice that were shown in a period, as an SQL condition.
pub struct Range {
    /// The condition.
    pub condition: String,
    /// The values of the condition.
    pub values: Vec<Value>,
    /// Where the next slice begins; `None` after the last.
    pub next: Option<Cursor>,
}

impl Slice {
    /// Makes a first slice with this number of rows.
    #[cfg(test)]
    pub fn first(rows: u32) -> Self {
        Self { after: None, rows }
    }

    /// Returns the ranges of this slice within a period: a range of the clock-skewed displays while any are
    /// left; and with the last of these, or after them, a range of the other displays.
    pub fn ranges(self, sql: &impl Sql, from_ms: u64, to_ms: u64) -> Result<Vec<Range>, Failure> {
        let mut ranges = Vec::new();
        if self.after.is_none_or(|after| after.clock_skewed) {
            let start = self.after.map_or(vec![], |after| after.id.as_bytes().to_vec());
            // Keys have 16 bytes, so every key is smaller.
            let end = vec![u8::MAX; 17];
            let last = self.last(sql, true, &start, &end)?;
            let is_left = last.is_some();
            ranges.push(range((start, end), last, true, (from_ms, to_ms)));
            if is_left {
                return Ok(ranges);
            }
        }
        let start = match self.after.filter(|after| !after.clock_skewed) {
            Some(after) => after.id.as_bytes().to_vec(),
            None => DisplayId::floor(from_ms.saturating_sub(DRIFT_MS)).to_vec(),
        };
        let end = DisplayId::floor(to_ms.saturating_add(DRIFT_MS)).to_vec();
        let last = self.last(sql, false, &start, &end)?;
        ranges.push(range((start, end), last, false, (from_ms, to_ms)));
        Ok(ranges)
    }

    /// Returns the last key of this slice, if there are more keys after it.
    fn last(
        self,
        sql: &impl Sql,
        clock_skewed: bool,
        start: &[u8],
        end: &[u8],
    ) -> Result<Option<DisplayId>, Failure> {
        let source = if clock_skewed { CLOCK_SKEWED } else { "display WHERE true" };
        let rows = self.rows;
        let last = sql.first(
            &format!(
                "SELECT id FROM {source} AND id > ? AND id < ? ORDER BY id LIMIT 1 OFFSET {rows}"
            ),
            &[start.to_vec().into(), end.to_vec().into()],
        )?;
        last.map(|mut row| display_id(&row.blob()?)).transpose()
    }
}

/// Returns the range between two keys, or up to the last key of the slice.
fn range(
    (start, end): (Vec<u8>, Vec<u8>),
    last: Option<DisplayId>,
    clock_skewed: bool,
    (from_ms, to_ms): (u64, u64),
) -> Range {
    let condition = if clock_skewed {
        format!("id IN (SELECT id FROM {CLOCK_SKEWED} AND id > ? AND id <= ?)")
    } else {
        "astray = 0 AND id > ? AND id <= ?".to_owned()
    } + " AND shown_ms >= ? AND shown_ms < ?";
    let next = last.map(|id| Cursor { id, clock_skewed });
    let last = last.map_or(end, |last| last.as_bytes().to_vec());
    Range { condition, values: vec![start.into(), last.into(), from_ms.into(), to_ms.into()], next }
}
