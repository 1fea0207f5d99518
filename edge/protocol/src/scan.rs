//! Counting display by display, where no counter can tell.

use std::collections::BTreeMap;

use asklet_shared::dimension::Dimension;
use asklet_shared::tally::{Counted, LatestOfEach, Request, keep_latest};
use serde::{Deserialize, Serialize};

use crate::cursor::Cursor;
use crate::retention::Since;

/// What is to be counted display by display.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanQuery {
    /// What is counted.
    pub request: Request,
    /// Only displays with one of these values, in each of these dimensions.
    pub filters: BTreeMap<Dimension, Vec<String>>,
    /// Only each respondent's latest display that answers the question.
    pub per_respondent: bool,
}

/// What one slice held.
#[derive(Debug, Serialize, Deserialize)]
pub struct Scanned {
    /// What was counted, unless each respondent counts once.
    pub counted: Counted,
    /// Each respondent's latest display, if each counts once.
    pub latest: LatestOfEach,
    /// What retention has removed.
    pub since: Since,
    /// Where the next slice begins; `None` after the last.
    pub next: Option<Cursor>,
}

impl Scanned {
    /// What is found where there are no displays.
    pub fn nothing(query: &ScanQuery) -> Self {
        let counted = query.request.nothing();
        Self { counted, latest: LatestOfEach::new(), since: Since::default(), next: None }
    }

    /// Adds what the next slice held, or the first one of another shard.
    pub fn add(&mut self, next: Self) {
        self.counted.merge(&next.counted);
        self.since = self.since.max(next.since);
        for (digest, latest) in next.latest {
            keep_latest(&mut self.latest, digest, latest);
        }
        self.next = next.next;
    }
}
