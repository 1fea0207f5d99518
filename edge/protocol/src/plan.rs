//! What the Worker needs to know about a survey to call its shards.

use asklet_shared::definition::Definition;
use asklet_shared::definition::question::Question;
use asklet_shared::settings::{Limits, WeekStart};
use serde::{Deserialize, Serialize};

use crate::ids::SurveyId;

/// The largest number of shards that a survey can have. Shard numbers are below this limit.
pub const SHARDS_LIMIT: u16 = 8;

/// What the Worker needs to know to call the shards of a survey.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    /// The survey's id.
    pub survey: SurveyId,
    /// The latest version, or, before the first publish, the draft.
    pub definition: Definition,
    /// Number of shards that may hold displays.
    pub shards: u16,
    /// The questions that only earlier versions asked, each as the latest of those versions asked it.
    pub earlier_questions: Vec<Question>,
    /// The ids of those earlier questions that were a version's primary question.
    pub earlier_primaries: Vec<String>,
    /// The traits that at least one version declares.
    pub traits: Vec<String>,
    /// The traits that every version declares, so that their counters are complete.
    pub counted_traits: Vec<String>,
    /// The limits on what the survey takes.
    pub limits: Limits,
    /// The site's time zone.
    pub tz: String,
    /// The day on which the site's weeks begin.
    pub week_starts: WeekStart,
}

impl Plan {
    /// Finds a question that any version asked.
    pub fn question(&self, id: &str) -> Option<&Question> {
        let mut earlier = self.earlier_questions.iter();
        self.definition.question(id).or_else(|| earlier.find(|question| question.id == id))
    }
}
