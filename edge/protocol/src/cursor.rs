//! How far a slice of the log reached.

use asklet_shared::display_id::DisplayId;
use serde::{Deserialize, Serialize};

/// Where a slice ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The id of the last display.
    pub id: DisplayId,
    /// Whether that display was clock-skewed. The clock-skewed displays come first, all others after them.
    pub clock_skewed: bool,
}
