//! What retention has removed.

use serde::{Deserialize, Serialize};

/// Since when the log is complete. Each time is 0 until something is missing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Since {
    /// Unanswered displays that were shown before this time were dropped; 0 if none were.
    pub dropped_ms: u64,
    /// People whose displays were shown before this time were forgotten; 0 if none were.
    pub forgotten_ms: u64,
}

impl Since {
    /// Returns the later of each time.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self {
            dropped_ms: self.dropped_ms.max(other.dropped_ms),
            forgotten_ms: self.forgotten_ms.max(other.forgotten_ms),
        }
    }
}
