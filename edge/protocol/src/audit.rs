//! The audit log of a site: who changed what, and when. An entry never names a respondent.

use serde::{Deserialize, Serialize};

use crate::ids::SurveyId;
use crate::names::names;

/// The name of the caller in the log when a change was made with the admin token. No key's id has this
/// spelling.
pub const OPERATOR: &str = "operator";

names! {
    /// What the caller did.
    Action {
        /// The site was made.
        CreateSite = "create_site",
        /// The site's settings were changed.
        ChangeSettings = "change_settings",
        /// A key was made.
        CreateKey = "create_key",
        /// A key was revoked.
        RevokeKey = "revoke_key",
        /// An identity secret was made.
        CreateIdentitySecret = "create_identity_secret",
        /// An identity secret was removed.
        RemoveIdentitySecret = "remove_identity_secret",
        /// A draft was made.
        CreateSurvey = "create_survey",
        /// A draft was changed.
        UpdateSurvey = "update_survey",
        /// A survey was copied; the target is the copy.
        DuplicateSurvey = "duplicate",
        /// A draft became the next version.
        Publish = "publish",
        /// The previews of a draft were ended.
        RevokePreviews = "revoke_previews",
        /// A survey was paused: it is not shown for now.
        Pause = "pause",
        /// The survey is shown again.
        Resume = "resume",
        /// The survey was archived: it is not shown any more.
        Archive = "archive",
        /// The survey refuses all displays.
        RefuseIntake = "refuse_intake",
        /// The survey takes displays again.
        AcceptIntake = "accept_intake",
        /// The survey was spread over more shards; the detail is their number.
        SetShards = "shards",
        /// The survey was removed with everything that it had collected.
        DeleteSurvey = "delete_survey",
        /// A display, the target, does not count any more.
        Exclude = "exclude",
        /// A display counts again.
        Include = "include",
        /// A display was removed.
        DeleteResponse = "delete_response",
        /// Displays that a filter finds do not count any more; the detail is the filter.
        ExcludeMatching = "exclude_matching",
        /// Displays that a filter finds count again; the detail is the filter.
        IncludeMatching = "include_matching",
        /// Displays that a filter finds were removed; the detail is the filter.
        DeleteMatching = "delete_matching",
        /// Displays were imported; the detail is the number of lines.
        Import = "import",
        /// A caller read the bundle of the site, to move the site.
        GiveBundle = "give_bundle",
        /// The bundle of a site was stored here.
        TakeBundle = "take_bundle",
        /// Everything about a respondent was erased. The entry does not name the respondent; the detail is the
        /// number of displays.
        Erase = "erase",
        /// Responses were exported; the detail is the format.
        Export = "export",
        /// A respondent was looked up. The entry does not name the respondent.
        LookUp = "lookup",
        /// A key was refused; the detail is the code of the problem.
        RefuseKey = "refuse_key",
    }
}

/// A change that is about to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEvent {
    /// What the caller does.
    pub action: Action,
    /// The survey that the change is about.
    pub survey: Option<SurveyId>,
    /// The target within it: a key, a secret, a display, another survey.
    pub target: Option<String>,
    /// Further details.
    pub detail: Option<String>,
}

/// A change that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LogEntry {
    /// The number of the entry; it grows with each entry.
    pub seq: u64,
    /// When the change was made, in milliseconds since the epoch.
    pub at_ms: u64,
    /// Who made the change: the id of a key, `operator`, or `unknown` for a key that does not belong to the
    /// site.
    pub by: String,
    /// What the caller did.
    pub action: Action,
    /// The survey that the change is about.
    pub survey: Option<String>,
    /// The target within it: a key, a secret, a display, another survey.
    pub target: Option<String>,
    /// Further details.
    pub detail: Option<String>,
}

/// A page of the log.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Log {
    /// The entries, newest first.
    pub entries: Vec<LogEntry>,
    /// The value of `before` that requests the next page; `null` on the last page.
    pub next: Option<u64>,
}

impl AuditEvent {
    /// Describes a change of the site.
    pub fn new(action: Action) -> Self {
        Self { action, survey: None, target: None, detail: None }
    }

    /// Describes a change of a survey.
    pub fn of(action: Action, survey: &SurveyId) -> Self {
        Self { survey: Some(survey.clone()), ..Self::new(action) }
    }

    /// Adds the target.
    pub fn at(self, target: &str) -> Self {
        Self { target: Some(target.to_owned()), ..self }
    }

    /// Adds further details.
    pub fn detail(self, detail: String) -> Self {
        Self { detail: Some(detail), ..self }
    }
}
