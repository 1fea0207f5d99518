//! The funnel of a survey: how far visitors came, as counters hold it.

use crate::display::Stage;

/// The "question" under which the stages of displays are counted; no question's id can be empty.
pub const FUNNEL: &str = "";

/// The value under which the funnel counts the dismissed.
pub const DISMISSED: u8 = 4;

/// What is added to the number of a stage where nobody can tell whether it was seen.
const UNSEEN: u8 = 5;

/// The number under which the funnel counts a stage. Displays of a channel on which nobody can tell
/// whether they were seen have numbers of their own, since they are no part of a response rate.
pub fn funnel_value(stage: Stage, tells_seen: bool) -> u8 {
    stage_value(stage) + if tells_seen { 0 } else { UNSEEN }
}

/// The number of a stage, under which the store keeps it.
pub fn stage_value(stage: Stage) -> u8 {
    match stage {
        Stage::Shown => 0,
        Stage::Seen => 1,
        Stage::Started => 2,
        Stage::Completed => 3,
    }
}
