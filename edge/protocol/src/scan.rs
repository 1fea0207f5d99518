//! Counting display by display, for questions that no counter can answer.

use std::collections::BTreeMap;

use asklet_shared::dimension::Dimension;
use asklet_shared::tally::{Counted, LatestOfEach, Request, keep_latest};
use serde::{Deserialize, Serialize};

use crate::cursor::Cursor;
use crate::retention::Since;

/// A request to count display by display.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanQuery {
    /// What is counted.
    pub request: Request,
    /// Count only displays with one of these values in each of these dimensions.
    pub filters: BTreeMap<Dimension, Vec<String>>,
    /// Count only each respondent's latest display that answers the question.
    pub per_respondent: bool,
}

/// The result of one slice.
#[derive(Debug, Serialize, Deserialize)]
pub struct Scanned {
    /// The counts, unless each respondent counts once.
    pub counted: Counted,
    /// The latest display of each respondent, if each respondent counts once.
    pub latest: LatestOfEach,
    /// What retention has removed.
    pub since: Since,
    /// Where the next slice begins; `None` after the last.
    pub next: Option<Cursor>,
}

impl Scanned {
    /// Returns the result for a slice without displays.
    pub fn nothing(query: &ScanQuery) -> Self {
        let counted = query.request.nothing();
        Self { counted, latest: LatestOfEach::new(), since: Since::default(), next: None }
    }

    /// Adds the result of the next slice, or of the first slice of another shard.
    pub fn add(&mut self, next: Self) {
        self.counted.merge(&next.counted);
        self.since = self.since.max(next.since);
        for (digest, latest) in next.latest {
            keep_latest(&mut self.latest, digest, latest);
        }
        self.next = next.next;
    }
}
