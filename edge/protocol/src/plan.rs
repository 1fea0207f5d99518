//! What the Worker has to know of a survey to ask its shards.

use asklet_shared::definition::Definition;
use asklet_shared::definition::question::Question;
use asklet_shared::settings::{Limits, WeekStart};
use serde::{Deserialize, Serialize};

use crate::ids::SurveyId;

/// The most shards that a survey can have; a larger number cannot be one.
pub const SHARDS_LIMIT: u16 = 8;

/// What has to be known to ask the shards of a survey.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    /// The survey's id.
    pub survey: SurveyId,
    /// The latest version, or, before the first publish, the draft.
    pub definition: Definition,
    /// The shards that may hold displays.
    pub shards: u16,
    /// The questions that only earlier versions asked, each as the last of them asked it.
    pub earlier_questions: Vec<Question>,
    /// Those of them that were a version's primary one.
    pub earlier_primaries: Vec<String>,
    /// The traits that any version declares.
    pub traits: Vec<String>,
    /// Those of them that every version declares, so that their counters are whole.
    pub counted_traits: Vec<String>,
    /// How much the survey may take.
    pub limits: Limits,
    /// The site's time zone.
    pub tz: String,
    /// The day on which the site's weeks begin.
    pub week_starts: WeekStart,
}

impl Plan {
    /// A question that any version asked.
    pub fn question(&self, id: &str) -> Option<&Question> {
        let mut earlier = self.earlier_questions.iter();
        self.definition.question(id).or_else(|| earlier.find(|question| question.id == id))
    }
}
