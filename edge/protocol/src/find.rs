//! Which displays a team looks for, and in which order it reads them.

use std::collections::BTreeMap;

use asklet_shared::dimension::Dimension;
use asklet_shared::display_id::DisplayId;
use asklet_shared::time::END_OF_TIME_MS;
use serde::{Deserialize, Serialize};

/// Which displays are looked for; all filters must hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisplayFilter {
    /// Shown in this time, in milliseconds since the epoch; the end is not in it.
    pub from_ms: u64,
    /// Its end.
    pub to_ms: u64,
    /// First received in this time; the end is not in it.
    pub received_from_ms: u64,
    /// Its end.
    pub received_to_ms: u64,
    /// Answered this question.
    pub question: Option<String>,
    /// Gave this question one of these scores.
    pub scores: Option<(String, Vec<u8>)>,
    /// Whether anything was written.
    pub has_comment: Option<bool>,
    /// Has one of these values, in each of these dimensions.
    pub filters: BTreeMap<Dimension, Vec<String>>,
    /// Has this in a text, however it is spelt: as texts are compared.
    pub text: Option<String>,
    /// Is this respondent's.
    pub respondent: Option<String>,
    /// Whether displays without an answer are wanted, too.
    pub unanswered: bool,
    /// Whether it is excluded.
    pub excluded: Option<bool>,
}

impl DisplayFilter {
    /// Everything that a period holds.
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
    /// Whether one stands before another.
    pub fn precedes(self, one: Position, other: Position) -> bool {
        match self {
            Self::NewestFirst => one > other,
            Self::Reception => one < other,
        }
    }

    /// Where a display stands.
    pub fn key(self, received_ms: u64, id: DisplayId) -> Position {
        match self {
            Self::NewestFirst => Position::of(id),
            Self::Reception => Position { ms: received_ms, id: Some(id) },
        }
    }
}

/// Where a display stands in an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// The time by which the order goes.
    pub ms: u64,
    /// The display's id; without one it is where those of its time begin.
    pub id: Option<DisplayId>,
}

impl Position {
    /// Where a display stands among ids.
    pub fn of(id: DisplayId) -> Self {
        Self { ms: id.unix_ms(), id: Some(id) }
    }
}

/// Where a page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageStart {
    /// Where it begins behind; none for the first page.
    pub after: Option<Position>,
    /// Whether the display that stands there may be in it.
    pub with: bool,
    /// In which order.
    pub order: Order,
}

impl PageStart {
    /// The beginning.
    pub fn start(order: Order) -> Self {
        Self { after: None, with: false, order }
    }
}
