//! The funnel of a survey: how far visitors came, as counters hold it.

use crate::display::Stage;

/// The "question" under which the stages of displays are counted; no question's id can be empty.
pub const FUNNEL: &str = "";

/// The value under which the funnel counts dismissed displays.
pub const DISMISSED: u8 = 4;

/// The offset that is added to the number of a stage for channels where nobody can tell whether the survey was
/// seen.
const UNSEEN: u8 = 5;

/// Returns the number under which the funnel counts a stage. Displays of a channel where nobody can tell
/// whether they were seen have numbers of their own, since they are not part of a response rate.
pub fn funnel_value(stage: Stage, tells_seen: bool) -> u8 {
    stage_value(stage) + if tells_seen { 0 } else { UNSEEN }
}

/// Returns the number under which the store keeps a stage.
pub fn stage_value(stage: Stage) -> u8 {
    match stage {
        Stage::Shown => 0,
        Stage::Seen => 1,
        Stage::Started => 2,
        Stage::Completed => 3,
    }
}
