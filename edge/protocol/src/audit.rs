//! The log of a site: who changed what, and when. An entry names no respondent.

use serde::{Deserialize, Serialize};

use crate::ids::SurveyId;
use crate::names::names;

/// Who changed what was changed with the admin token. No key's id is spelled so.
pub const OPERATOR: &str = "operator";

names! {
    /// What was done.
    Action {
        /// The site was made.
        CreateSite = "create_site",
        /// Its settings were changed.
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
        /// A survey is asked no more for now.
        Pause = "pause",
        /// It is asked again.
        Resume = "resume",
        /// It is asked no more.
        Archive = "archive",
        /// Nothing of it is taken any more.
        RefuseIntake = "refuse_intake",
        /// Its displays are taken again.
        AcceptIntake = "accept_intake",
        /// It was spread over more shards; the detail is their number.
        SetShards = "shards",
        /// It was removed with everything that was collected.
        DeleteSurvey = "delete_survey",
        /// A display, the target, counts no more.
        Exclude = "exclude",
        /// It counts again.
        Include = "include",
        /// It was removed.
        DeleteResponse = "delete_response",
        /// Displays that a filter finds, the detail, count no more.
        ExcludeMatching = "exclude_matching",
        /// They count again.
        IncludeMatching = "include_matching",
        /// They were removed.
        DeleteMatching = "delete_matching",
        /// Displays were imported; the detail is how many lines there were.
        Import = "import",
        /// Everything of the site was asked for, to move it.
        GiveBundle = "give_bundle",
        /// Everything of a site came here.
        TakeBundle = "take_bundle",
        /// Everything of a respondent was erased. Of whom is not said; the detail is how many displays.
        Erase = "erase",
        /// Responses were exported; the detail is the format.
        Export = "export",
        /// A respondent was looked up. Who is not said.
        LookUp = "lookup",
        /// A key was refused; the detail is the code of the problem.
        RefuseKey = "refuse_key",
    }
}

/// A change that is about to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEvent {
    /// What is done.
    pub action: Action,
    /// To which survey.
    pub survey: Option<SurveyId>,
    /// To what there: a key, a secret, a display, another survey.
    pub target: Option<String>,
    /// What else is to be known.
    pub detail: Option<String>,
}

/// A change that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LogEntry {
    /// Grows with each entry.
    pub seq: u64,
    /// When, in milliseconds since the epoch.
    pub at_ms: u64,
    /// By whom: the id of a key, `operator`, or `unknown` of a key that is none of the site's.
    pub by: String,
    /// What was done.
    pub action: Action,
    /// To which survey.
    pub survey: Option<String>,
    /// To what there: a key, a secret, a display, another survey.
    pub target: Option<String>,
    /// What else is to be known.
    pub detail: Option<String>,
}

/// A page of the log.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Log {
    /// The newest first.
    pub entries: Vec<LogEntry>,
    /// What to ask for as `before` to get the next page; `null` on the last.
    pub next: Option<u64>,
}

impl AuditEvent {
    /// A change of the site.
    pub fn new(action: Action) -> Self {
        Self { action, survey: None, target: None, detail: None }
    }

    /// A change of a survey.
    pub fn of(action: Action, survey: &SurveyId) -> Self {
        Self { survey: Some(survey.clone()), ..Self::new(action) }
    }

    /// With what it is done to.
    pub fn at(self, target: &str) -> Self {
        Self { target: Some(target.to_owned()), ..self }
    }

    /// With what else is to be known.
    pub fn detail(self, detail: String) -> Self {
        Self { detail: Some(detail), ..self }
    }
}
