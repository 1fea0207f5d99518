//! The calls to a `Survey` object besides the public requests that are forwarded to it, and its answers.

use asklet_shared::display_id::DisplayId;
use asklet_shared::settings::Limits;
use asklet_shared::tally::{self, Counted};
use serde::{Deserialize, Serialize};

use crate::bundle::Head;
use crate::calls::site::Publication;
use crate::corrections::Correction;
use crate::cursor::Cursor;
use crate::find::{DisplayFilter, PageStart};
use crate::rendering::Rendering;
use crate::retention::Since;
use crate::scan;

/// A call to a `Survey` object besides the public requests that are forwarded to it.
#[derive(Debug, Serialize, Deserialize)]
pub enum SurveyCall {
    /// Store the latest version and the current policy; answered with nothing.
    Take(Box<Publication>),
    /// Count the displays of a period; answered with [`Counts`].
    Count(tally::Request),
    /// Count displays of one slice, one by one; answered with `Scanned`.
    Scan {
        /// What is counted.
        query: scan::ScanQuery,
        /// Where the previous slice ended.
        after: Option<Cursor>,
    },
    /// Stop counting a display, for a reason, or count it again; answered with nothing.
    Exclude {
        /// The display's id.
        id: DisplayId,
        /// Why the display does not count; `None` to count it again.
        reason: Option<String>,
    },
    /// Delete a display; answered with nothing.
    Delete {
        /// The display's id.
        id: DisplayId,
    },
    /// Correct the displays of one slice that a filter finds; answered with `Corrected`.
    Correct {
        /// The correction and its filter.
        correction: Box<Correction>,
        /// Where the previous slice ended.
        after: Option<Cursor>,
    },
    /// Return a page of the displays that a search finds; answered with `Found`.
    Find {
        /// The filter of the search.
        find: Box<DisplayFilter>,
        /// How they are written.
        rendering: Box<Rendering>,
        /// Where the page begins.
        from: PageStart,
        /// Number of displays at most.
        limit: usize,
    },
    /// Return the changes after a number; answered with [`Followed`].
    Follow {
        /// The number after which the changes begin.
        after: u64,
        /// How they are written.
        rendering: Box<Rendering>,
        /// Number of changes at most.
        limit: usize,
    },
    /// Erase the displays of a respondent in one slice; answered with [`Erased`].
    Erase {
        /// The respondent.
        respondent: String,
        /// Where the previous slice ended.
        after: Option<Cursor>,
    },
    /// Check for which lines a display exists, in whatever state; answered with a text that has a `1` or a `0`
    /// for each line.
    Known {
        /// The site.
        site: String,
        /// The lines, in NDJSON.
        lines: String,
    },
    /// Store lines of displays; answered with `Imported`.
    Import {
        /// The site.
        site: String,
        /// The lines, in NDJSON.
        lines: String,
    },
    /// Return how much the shard stores and writes; answered with [`Usage`].
    Usage,
    /// Return the page of the shard's tables that begins at a place, and name the object whose pages follow;
    /// answered with the text of the page.
    Dump {
        /// Where the page begins.
        from: Box<Head>,
        /// The object whose pages follow.
        following: Option<String>,
    },
    /// Ask the site for the current policy before any display is taken, because the site is moving here;
    /// answered with nothing.
    StartMigration,
    /// Store a page; answered with the number of its rows.
    Load {
        /// The page.
        page: String,
    },
    /// Delete everything, since the survey was deleted at this revision of the site; answered with nothing.
    Forget {
        /// The revision of the site.
        revision: u64,
    },
}

/// The counts of a period, and since when the data behind them is complete.
#[derive(Debug, Serialize, Deserialize)]
pub struct Counts {
    /// The counts.
    pub counted: Counted,
    /// What retention has removed.
    pub since: Since,
}

/// The changes of a shard, in the order of each display's last change.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Followed {
    /// Each display once, in its current state, in JSON.
    pub changes: Vec<String>,
    /// The number of the last of these changes.
    pub last: Option<u64>,
    /// Whether more changes follow.
    pub more: bool,
}

/// The result of one slice of an erasure.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Erased {
    /// How many displays were erased.
    pub displays: u64,
    /// Where the next slice begins; `None` after the last.
    pub next: Option<Cursor>,
}

/// How much the shards of a survey store and write.
#[derive(Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Usage {
    /// Number of stored displays, with or without an answer.
    pub displays: u64,
    /// Number of displays that no counter covers yet.
    pub tail: u64,
    /// Size of the database files in bytes. A file never shrinks: freed space is used again.
    pub bytes: u64,
    /// Number of those bytes that are in use.
    pub used_bytes: u64,
    /// Number of rows written since each shard woke, as the platform counts and bills them.
    pub rows_written: u64,
    /// The limits of the site's settings.
    pub limits: Limits,
}
