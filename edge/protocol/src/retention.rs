//! What retention has removed.

use serde::{Deserialize, Serialize};

/// Since when the log is whole: each is told of only once something is missing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Since {
    /// Unanswered displays shown before this were dropped; 0 for none.
    pub dropped_ms: u64,
    /// People were forgotten whose displays were shown before this; 0 for none.
    pub forgotten_ms: u64,
}

impl Since {
    /// The later of two.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self {
            dropped_ms: self.dropped_ms.max(other.dropped_ms),
            forgotten_ms: self.forgotten_ms.max(other.forgotten_ms),
        }
    }
}
