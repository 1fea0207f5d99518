//! Which displays a team searches for, and in which order it reads them.

use std::collections::BTreeMap;

use asklet_shared::dimension::Dimension;
use asklet_shared::display_id::DisplayId;
use asklet_shared::time::END_OF_TIME_MS;
use serde::{Deserialize, Serialize};

/// Which displays a search finds; all filters must match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisplayFilter {
    /// Start of the period in which the display was shown, in milliseconds since the epoch.
    pub from_ms: u64,
    /// End of that period, exclusive.
    pub to_ms: u64,
    /// Start of the period in which the display was first received.
    pub received_from_ms: u64,
    /// End of that period, exclusive.
    pub received_to_ms: u64,
    /// The display has an answer to this question.
    pub question: Option<String>,
    /// The display gives this question one of these scores.
    pub scores: Option<(String, Vec<u8>)>,
    /// Whether the display has a written comment.
    pub has_comment: Option<bool>,
    /// The display has one of these values in each of these dimensions.
    pub filters: BTreeMap<Dimension, Vec<String>>,
    /// A text of the display contains this text; spelling variants match as texts are compared.
    pub text: Option<String>,
    /// The display belongs to this respondent.
    pub respondent: Option<String>,
    /// Whether displays without an answer are included.
    pub unanswered: bool,
    /// Whether the display is excluded.
    pub excluded: Option<bool>,
}

impl DisplayFilter {
    /// Finds all displays of all periods.
    pub fn all() -> Self {
        Self {
            from_ms: 0,
            to_ms: END_OF_TIME_MS,
            received_from_ms: 0,
            received_to_ms: END_OF_TIME_MS,
            question: None,
            scores: None,
            has_comment: None,
            filters: BTreeMap::new(),
            text: None,
            respondent: None,
            unanswered: false,
            excluded: None,
        }
    }
}

/// An order of displays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    /// From the highest id to the lowest.
    NewestFirst,
    /// From the first that arrived to the last.
    Reception,
}

impl Order {
    /// Whether one position comes before another in this order.
    pub fn precedes(self, one: Position, other: Position) -> bool {
        match self {
            Self::NewestFirst => one > other,
            Self::Reception => one < other,
        }
    }

    /// Returns the position of a display in this order.
    pub fn key(self, received_ms: u64, id: DisplayId) -> Position {
        match self {
            Self::NewestFirst => Position::of(id),
            Self::Reception => Position { ms: received_ms, id: Some(id) },
        }
    }
}

/// The position of a display in an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// The time by which the displays are ordered.
    pub ms: u64,
    /// The display's id. `None` is the position before all displays with this time.
    pub id: Option<DisplayId>,
}

impl Position {
    /// Returns the position of a display when displays are ordered by id.
    pub fn of(id: DisplayId) -> Self {
        Self { ms: id.unix_ms(), id: Some(id) }
    }
}

/// Where a page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageStart {
    /// The position after which the page begins; `None` for the first page.
    pub after: Option<Position>,
    /// Whether the page may include the display at that position.
    pub with: bool,
    /// The order of the page.
    pub order: Order,
}

impl PageStart {
    /// Returns the start of the first page.
    pub fn start(order: Order) -> Self {
        Self { after: None, with: false, order }
    }
}
