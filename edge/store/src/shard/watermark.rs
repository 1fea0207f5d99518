//! The watermarks: which displays the counters cover, and which wait to be counted.
//!
//! What arrived in time is covered by when it was shown, and what was deferred by when it was received.

use asklet_protocol::failure::Failure;
use asklet_protocol::problems::migrating;
use asklet_shared::display_id::DisplayId;

use crate::shard::columns::DRIFT_MS;
use crate::shard::stored::Stored;
use crate::sql::{Sql, Value};

/// The displays that arrived in time and that no counter covers. Their keys are a range at the end of the
/// log, so that reading them does not touch the rest.
pub const TAIL: &str = "id >= ?1 AND deferred = 0 AND shown_ms >= ?2 AND shown_ms < ?3";

/// The displays that were deferred. By itself SQLite would look for them among all keys.
pub const DEFERRED: &str = "display INDEXED BY late
    WHERE (deferred = 1 OR received_ms > shown_ms + 1200000) AND deferred = 1";

/// What is in the counters: of the displays that arrived in time those that were shown before a time,
/// and of those that were deferred, which arrived behind that or are clock-skewed, those received before
/// another.
#[derive(Debug, Clone, Copy)]
pub struct Watermark {
    /// Displays that arrived in time and were shown before this are counted.
    pub shown_ms: u64,
    /// Deferred displays that were received before this are counted.
    pub received_ms: u64,
}

impl Watermark {
    /// The stored watermark; there is none until a shard that moves here has come whole.
    pub fn read(sql: &impl Sql) -> Result<Self, Failure> {
        let row = sql.first("SELECT until_ms, received_until_ms FROM folded", &[])?;
        let mut row = row.ok_or_else(migrating)?;
        Ok(Self { shown_ms: row.integer()?, received_ms: row.integer()? })
    }

    /// Whether a display's contribution is in the counters.
    pub fn covers(self, display: &Stored) -> bool {
        if display.deferred {
            display.received_ms < self.received_ms
        } else {
            display.shown_ms < self.shown_ms
        }
    }

    /// Whether a display that is new waits to be counted in the order of reception.
    pub fn defers(self, display: &Stored) -> bool {
        display.clock_skewed || display.shown_ms < self.shown_ms
    }

    /// Whether all displays that arrived in time and were shown before a time are in the counters.
    pub fn is_past(self, ms: u64) -> bool {
        ms <= self.shown_ms
    }

    /// The values of [`TAIL`] for displays that were shown before `until_ms`.
    pub fn tail_range(self, until_ms: u64) -> [Value; 3] {
        let first_id = DisplayId::floor(self.shown_ms.saturating_sub(DRIFT_MS)).to_vec();
        [first_id.into(), self.shown_ms.into(), until_ms.into()]
    }

    /// The values of [`deferred`] for displays that were received before `until_ms`.
    pub fn deferred_range(self, until_ms: u64) -> [Value; 2] {
        [self.received_ms.into(), until_ms.into()]
    }
}

/// The deferred displays that no counter covers, by the index that holds them, as a condition whose two
/// values have numbers from this one on.
pub fn deferred(first: u8) -> String {
    let second = first + 1;
    format!(
        "id IN (SELECT id FROM {DEFERRED} AND received_ms >= ?{first} AND received_ms < ?{second})"
    )
}
