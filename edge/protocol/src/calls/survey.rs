//! What a `Survey` object is asked besides the public requests that are forwarded to it, and what it
//! answers.

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

/// What a `Survey` object is asked besides the public requests that are forwarded to it.
#[derive(Debug, Serialize, Deserialize)]
pub enum SurveyCall {
    /// Take the latest version and what holds now; answered with nothing.
    Take(Box<Publication>),
    /// What was counted in a period; answered with [`Counts`].
    Count(tally::Request),
    /// What some displays after a key add up to; answered with `Scanned`.
    Scan {
        /// What is counted.
        query: scan::ScanQuery,
        /// Where the slice before ended.
        after: Option<Cursor>,
    },
    /// Stop counting a display, for a reason, or count it again; answered with nothing.
    Exclude {
        /// Its id.
        id: DisplayId,
        /// Why it does not count; nothing where it is to count again.
        reason: Option<String>,
    },
    /// Delete a display; answered with nothing.
    Delete {
        /// Its id.
        id: DisplayId,
    },
    /// Correct displays after a key by a filter; answered with `Corrected`.
    Correct {
        /// What is done to which displays.
        correction: Box<Correction>,
        /// Where the slice before ended.
        after: Option<Cursor>,
    },
    /// Some of the displays that are looked for; answered with `Found`.
    Find {
        /// Which displays are looked for.
        find: Box<DisplayFilter>,
        /// How they are written.
        tell: Box<Rendering>,
        /// Where the page begins.
        from: PageStart,
        /// So many at most.
        limit: usize,
    },
    /// What was changed after a number; answered with [`Followed`].
    Follow {
        /// The number after which changes are told.
        after: u64,
        /// How they are written.
        tell: Box<Rendering>,
        /// So many at most.
        limit: usize,
    },
    /// Erase the displays of a respondent among some after a key; answered with [`Erased`].
    Erase {
        /// The respondent.
        respondent: String,
        /// Where the slice before ended.
        after: Option<Cursor>,
    },
    /// Of which lines it has the displays, whatever became of them; answered with a text that has for each
    /// line a `1` or a `0`.
    Known {
        /// The site.
        site: String,
        /// The lines, in NDJSON.
        lines: String,
    },
    /// Take lines of displays; answered with `Imported`.
    Import {
        /// The site.
        site: String,
        /// The lines, in NDJSON.
        lines: String,
    },
    /// How much it stores and writes; answered with [`Usage`].
    Usage,
    /// The page of what it keeps that begins there, and which object's pages follow; answered with its text.
    Dump {
        /// Where the page begins.
        from: Box<Head>,
        /// The object whose pages follow.
        following: Option<String>,
    },
    /// Ask what holds now before anything is taken: the site moves here; answered with nothing.
    StartMigration,
    /// Take a page; answered with how many rows it held.
    Load {
        /// The page.
        page: String,
    },
    /// Forget everything, since the survey was deleted at this revision of the site; answered with nothing.
    Forget {
        /// The revision of the site.
        revision: u64,
    },
}

/// What was counted, and since when there is more.
#[derive(Debug, Serialize, Deserialize)]
pub struct Counts {
    /// What was counted.
    pub counted: Counted,
    /// What retention has removed.
    pub since: Since,
}

/// What was changed on a shard, in the order of the last changes.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Followed {
    /// Each display once, as it is now, in JSON.
    pub changes: Vec<String>,
    /// The number of the last of them.
    pub last: Option<u64>,
    /// Whether more was changed after that.
    pub more: bool,
}

/// What one part of an erasure came to.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Erased {
    /// How many displays were erased.
    pub displays: u64,
    /// After which key the next part begins; `None` after the last.
    pub next: Option<Cursor>,
}

/// What the shards of a survey store and write.
#[derive(Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Usage {
    /// How many displays are kept, answered or not.
    pub displays: u64,
    /// How many displays no counter covers yet.
    pub tail: u64,
    /// How large the databases' files are. A file never shrinks: what is freed is used again.
    pub bytes: u64,
    /// How much of that is in use.
    pub used_bytes: u64,
    /// How many rows were written since each shard woke, as the platform counts and bills them.
    pub rows_written: u64,
    /// How much may be taken and kept, as the site's settings say.
    pub limits: Limits,
}
