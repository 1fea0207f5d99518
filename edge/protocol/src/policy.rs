//! What holds for a survey now, besides its versions. The site sends it to every shard, so that a shard takes a
//! display without a call to the site.

use asklet_shared::settings::{self, Limits, Look, Privacy};
use serde::{Deserialize, Serialize};

/// The policy of one survey.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// The revision of the site with which this policy was made. It grows with each change at the site; a shard
    /// keeps the highest.
    #[serde(rename = "number")]
    pub revision: u64,
    /// The origins whose pages may show the survey.
    pub origins: Vec<String>,
    /// What is collected about visitors.
    pub privacy: Privacy,
    /// Whether traits must come with an identity token.
    pub require_identity: bool,
    /// The secrets with which identity tokens are signed: encrypted in the database, in the clear in memory.
    pub identity_secrets: Vec<String>,
    /// Number of hours for which an identity token may be valid.
    #[serde(default = "settings::a_day")]
    pub identity_max_hours: u16,
    /// The limits on what this shard takes.
    pub limits: Limits,
    /// Whether the team has the survey refuse all displays.
    #[serde(default)]
    pub refuses: bool,
    /// The look that the site's settings give the survey.
    #[serde(default)]
    pub look: Look,
    /// When the survey was paused or archived; `None` while it is live.
    pub stopped_ms: Option<u64>,
    /// When the survey ends.
    pub end_ms: Option<u64>,
    /// Number of days after which people are forgotten.
    pub retention_days: Option<u16>,
}

impl Policy {
    /// Returns since when the survey is closed at a given time; `None` while it is open.
    pub fn closed_ms(&self, now_ms: u64) -> Option<u64> {
        let ended = self.end_ms.filter(|end_ms| *end_ms <= now_ms);
        match (self.stopped_ms, ended) {
            (Some(stopped_ms), Some(end_ms)) => Some(stopped_ms.min(end_ms)),
            (stopped, ended) => stopped.or(ended),
        }
    }
}
