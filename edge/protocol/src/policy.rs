//! What holds for a survey now, besides its versions: pushed by the site to every shard, so that a
//! display is taken without asking anybody.

use asklet_shared::settings::{self, Limits, Look, Privacy};
use serde::{Deserialize, Serialize};

/// The policy of one survey.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Grows with each change at the site; a shard keeps the highest.
    #[serde(rename = "number")]
    pub revision: u64,
    /// The origins whose pages may ask.
    pub origins: Vec<String>,
    /// What is collected.
    pub privacy: Privacy,
    /// Whether traits must come with a token.
    pub require_identity: bool,
    /// The secrets with which tokens are signed, locked where this is stored, and open in memory.
    pub identity_secrets: Vec<String>,
    /// For how many hours a token may hold.
    #[serde(default = "settings::a_day")]
    pub identity_max_hours: u16,
    /// How much this shard takes.
    pub limits: Limits,
    /// Whether the team has nothing taken.
    #[serde(default)]
    pub refuses: bool,
    /// What of the site is seen in it.
    #[serde(default)]
    pub look: Look,
    /// When it was paused or archived, unless it is live.
    pub stopped_ms: Option<u64>,
    /// Until when it is asked.
    pub end_ms: Option<u64>,
    /// After how many days people are forgotten.
    pub retention_days: Option<u16>,
}

impl Policy {
    /// Since when the survey is not asked, at a time; `None` while it is.
    pub fn closed_ms(&self, now_ms: u64) -> Option<u64> {
        let ended = self.end_ms.filter(|end_ms| *end_ms <= now_ms);
        match (self.stopped_ms, ended) {
            (Some(stopped_ms), Some(end_ms)) => Some(stopped_ms.min(end_ms)),
            (stopped, ended) => stopped.or(ended),
        }
    }
}
