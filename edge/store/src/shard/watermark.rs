//! The watermarks: which displays the counters cover, and which displays wait to be counted.
//!
//! Displays that arrived in time are covered by the time when they were shown, and deferred displays by the
//! time when they were received.

use asklet_protocol::failure::Failure;
use asklet_protocol::problems::migrating;
use asklet_shared::display_id::DisplayId;

use crate::shard::columns::DRIFT_MS;
use crate::shard::stored::Stored;
use crate::sql::{Sql, Value};

/// The displays that arrived in time and that no counter covers. Their keys are a range at the end of the log,
/// so that reading them does not touch the rest.
pub const TAIL: &str = "id >= ?1 AND deferred = 0 AND shown_ms >= ?2 AND shown_ms < ?3";

/// The deferred displays. Without `INDEXED BY`, SQLite would search all keys for them.
pub const DEFERRED: &str = "display INDEXED BY late
    WHERE (deferred = 1 OR received_ms > shown_ms + 1200000) AND deferred = 1";

/// Which displays the counters contain. Displays that arrived in time are contained if they were shown before a
/// time. Deferred displays, which arrived behind that time or are clock-skewed, are contained if they were
/// received before another time.
#[derive(Debug, Clone, Copy)]
pub struct Watermark {
    /// The time before which displays must be shown to be counted, if they arrived in time.
    pub shown_ms: u64,
    /// The time before which deferred displays must be received to be counted.
    pub received_ms: u64,
}

impl Watermark {
    /// Returns the stored watermark. There is none until the migration of a shard to this deployment is
    /// complete.
    pub fn read(sql: &impl Sql) -> Result<Self, Failure> {
        let row = sql.first("SELECT until_ms, received_until_ms FROM folded", &[])?;
        let mut row = row.ok_or_else(migrating)?;
        Ok(Self { shown_ms: row.integer()?, received_ms: row.integer()? })
    }

    /// Whether the counters contain a display's contribution.
    pub fn covers(self, display: &Stored) -> bool {
        if display.deferred {
            display.received_ms < self.received_ms
        } else {
            display.shown_ms < self.shown_ms
        }
    }

    /// Whether a new display must wait to be counted in the order of reception.
    pub fn defers(self, display: &Stored) -> bool {
        display.clock_skewed || display.shown_ms < self.shown_ms
    }

    /// Whether the counters contain all displays that arrived in time and were shown before a time.
    pub fn is_past(self, ms: u64) -> bool {
        ms <= self.shown_ms
    }

    /// Returns the values of [`TAIL`] for displays that were shown before `until_ms`.
    pub fn tail_range(self, until_ms: u64) -> [Value; 3] {
        let first_id = DisplayId::floor(self.shown_ms.saturating_sub(DRIFT_MS)).to_vec();
        [first_id.into(), self.shown_ms.into(), until_ms.into()]
    }

    /// Returns the values of [`deferred`] for displays that were received before `until_ms`.
    pub fn deferred_range(self, until_ms: u64) -> [Value; 2] {
        [self.received_ms.into(), until_ms.into()]
    }
}

/// Returns an SQL condition for the deferred displays that no counter covers, which uses the index of these
/// displays. Its two values are numbered from `first`.
pub fn deferred(first: u8) -> String {
    let second = first + 1;
    format!(
        "id IN (SELECT id FROM {DEFERRED} AND received_ms >= ?{first} AND received_ms < ?{second})"
    )
}
