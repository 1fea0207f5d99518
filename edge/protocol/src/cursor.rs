//! How far a slice of the log came.

use asklet_shared::display_id::DisplayId;
use serde::{Deserialize, Serialize};

/// Where a slice ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The last key.
    pub id: DisplayId,
    /// Whether it was one of the clock-skewed displays, after which the others come.
    pub clock_skewed: bool,
}
