//! Corrections: excluding, including or deleting the displays that a filter finds.

use serde::{Deserialize, Serialize};

use crate::cursor::Cursor;
use crate::find::DisplayFilter;

/// What a correction does to the displays that it finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Treatment {
    /// Stop counting the display, for a reason.
    Exclude,
    /// Count the display again if it was excluded; with a reason, only if it was excluded for that reason.
    Include,
    /// Delete the display permanently.
    Delete,
}

/// A correction and the displays that it applies to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correction {
    /// What the correction does.
    pub treatment: Treatment,
    /// The reason for which displays are excluded, or were excluded.
    pub reason: Option<String>,
    /// The filter that finds the displays.
    pub find: DisplayFilter,
    /// Whether the displays are only counted and not changed.
    pub dry_run: bool,
}

/// The result of some slices.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Corrected {
    /// Number of displays that the filter found.
    pub matched: u64,
    /// Number of those displays that were changed, or would be changed in a dry run.
    pub changed: u64,
    /// Where the next slice begins; `None` after the last.
    pub next: Option<Cursor>,
}
