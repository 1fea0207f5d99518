//! Corrections: excluding, including or deleting what a filter finds.

use serde::{Deserialize, Serialize};

use crate::cursor::Cursor;
use crate::find::DisplayFilter;

/// What is done to what is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Treatment {
    /// Count it nowhere, for a reason.
    Exclude,
    /// Count it again, if it was excluded; with a reason, if it was for that one.
    Include,
    /// Remove it for good.
    Delete,
}

/// What is done to which displays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correction {
    /// What is done.
    pub treatment: Treatment,
    /// Why it is excluded, or was.
    pub reason: Option<String>,
    /// To which displays.
    pub find: DisplayFilter,
    /// Whether it is only counted.
    pub dry_run: bool,
}

/// What some slices came to.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Corrected {
    /// How many displays the filter found.
    pub matched: u64,
    /// How many of them were changed, or would be.
    pub changed: u64,
    /// Where the next slice begins; `None` after the last.
    pub next: Option<Cursor>,
}
