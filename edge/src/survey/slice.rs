//! Slices: long work over the log is done a range of keys at a time, so that collecting goes on
//! meanwhile.

use asklet_shared::display_id::DisplayId;

use super::log::{DRIFT_MS, display_id};
use crate::failure::Failure;
use crate::sql::{Sql, Value};

/// Where a slice begins and about how many rows it has.
#[derive(Debug, Clone, Copy)]
pub struct Slice {
    /// The last key of the slice before; `None` for the first slice, to which the displays belong
    /// whose keys say nothing about their time.
    pub after: Option<DisplayId>,
    /// How many rows to look at.
    pub rows: u32,
}

/// The rows of one slice that were shown in a period, as a condition on them.
pub struct Range {
    /// The condition, with its values.
    pub condition: &'static str,
    /// Its values.
    pub values: Vec<Value>,
    /// Where the next slice begins; `None` after the last.
    pub next: Option<DisplayId>,
}

impl Slice {
    /// The first slice of so many rows.
    #[cfg(test)]
    pub fn first(rows: u32) -> Self {
        Self { after: None, rows }
    }

    /// The ranges of this slice within a period; for the first one also the astray displays'.
    pub fn ranges(self, sql: &impl Sql, from_ms: u64, to_ms: u64) -> Result<Vec<Range>, Failure> {
        let mut ranges = Vec::new();
        let start = match self.after {
            Some(after) => after.as_bytes().to_vec(),
            None => {
                ranges.push(Range {
                    condition: "astray = 1 AND shown_ms >= ? AND shown_ms < ?",
                    values: vec![from_ms.into(), to_ms.into()],
                    next: None,
                });
                DisplayId::floor(from_ms.saturating_sub(DRIFT_MS)).to_vec()
            }
        };
        let end = DisplayId::floor(to_ms.saturating_add(DRIFT_MS)).to_vec();
        let last = sql.first(
            &format!(
                "SELECT id FROM display WHERE id > ? AND id < ? ORDER BY id LIMIT 1 OFFSET {}",
                self.rows
            ),
            &[start.clone().into(), end.clone().into()],
        )?;
        let next = last.map(|mut row| display_id(&row.blob()?)).transpose()?;
        let last = next.map_or(end, |next| next.as_bytes().to_vec());
        ranges.push(Range {
            condition: "astray = 0 AND id > ? AND id <= ? AND shown_ms >= ? AND shown_ms < ?",
            values: vec![start.into(), last.into(), from_ms.into(), to_ms.into()],
            next,
        });
        Ok(ranges)
    }
}
