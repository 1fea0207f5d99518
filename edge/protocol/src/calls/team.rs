//! The calls of a team, or of the operator, to its `Site` object, and the object's answers.

use asklet_shared::definition::{Definition, Status};
use asklet_shared::settings::Settings;
use serde::{Deserialize, Serialize};

use crate::audit::{Action, AuditEvent};
use crate::ids::SurveyId;
use crate::json::patch::Patch;
use crate::keys::NewKey;

/// A call of a team to its site.
#[derive(Debug, Serialize, Deserialize)]
pub enum TeamCall {
    /// Only check whether the caller may make the request; answered with nothing.
    Nothing,
    /// List the keys; answered with a `Keys`.
    Keys,
    /// Return the answer that an earlier copy of this request got; answered with that answer. Without one,
    /// answered with nothing, and the site stores the request as begun.
    EarlierAnswer,
    /// Store the answer of the request; answered with nothing.
    KeepAnswer {
        /// The answer.
        answer: String,
    },
    /// Store another key; answered with its id.
    AddKey(NewKey),
    /// Revoke a key; answered with nothing.
    RemoveKey {
        /// The id of the key.
        id: String,
    },
    /// List where the tag ran; answered with `Installs`.
    Installs,
    /// Return the newest audit entries, or those before an entry; answered with `Log`.
    Audit {
        /// The entry before which the page ends; `None` for the newest entries.
        before: Option<u64>,
    },
    /// Write to the log what the caller is reading; answered with nothing.
    Note(AuditEvent),
    /// Store the intent of a change before the shards make it; answered with the intent's number.
    Begin(AuditEvent),
    /// Write to the log what came of an intent, if anything was changed; answered with nothing.
    End {
        /// The number of the intent.
        intent: u64,
        /// The change that was made; `None` if nothing was changed.
        happened: Option<AuditEvent>,
    },
    /// Return the settings; answered with [`SiteRecord`].
    Settings,
    /// Replace the settings; answered with [`SiteRecord`].
    ChangeSettings(Box<Settings>),
    /// Change some of the settings; answered with [`SiteRecord`].
    PatchSettings(Patch),
    /// Store another identity secret, as a [`asklet_store::vault::Vault`] encrypts it; answered with its id.
    AddSecret {
        /// The id of the secret.
        id: String,
        /// The secret, encrypted if the deployment has a key for it.
        secret: String,
    },
    /// Remove an identity secret; answered with [`SiteRecord`].
    RemoveSecret {
        /// The id of the secret.
        id: String,
    },
    /// Remove the site with everything in it; answered with nothing.
    Delete,
    /// List all surveys; answered with `Surveys`.
    Surveys,
    /// Store a draft as a new survey; answered with [`SurveyRecord`].
    CreateSurvey {
        /// The survey.
        survey: SurveyId,
        /// The draft of the survey.
        draft: Box<Definition>,
    },
    /// A call about one survey.
    Survey {
        /// The survey.
        survey: SurveyId,
        /// The action.
        action: SurveyAction,
    },
    /// Check whether the draft could be published and shown; answered with the number of times that its
    /// previews were revoked.
    Preview {
        /// The survey.
        survey: SurveyId,
    },
    /// Revoke all previews; answered with nothing.
    RevokePreviews {
        /// The survey.
        survey: SurveyId,
    },
    /// Return what the Worker needs to know to call the shards of a survey; answered with [`Plan`].
    Plan {
        /// The survey.
        survey: SurveyId,
    },
    /// List the surveys that were ever published; answered with a list of their ids, oldest first.
    PublishedSurveys,
}

impl TeamCall {
    /// Returns the audit event of the call; `None` if the call only reads, or leaves nothing that a team could
    /// look up.
    pub fn change(&self) -> Option<AuditEvent> {
        Some(match self {
            Self::Nothing
            | Self::Note(_)
            | Self::Begin(_)
            | Self::End { .. }
            | Self::EarlierAnswer
            | Self::KeepAnswer { .. }
            | Self::Keys
            | Self::Installs
            | Self::Audit { .. }
            | Self::Settings
            | Self::Surveys
            | Self::Preview { .. }
            | Self::Plan { .. }
            | Self::PublishedSurveys
            | Self::Delete => return None,
            Self::AddKey(key) => AuditEvent::new(Action::CreateKey).at(&key.id).detail(format!(
                "{}: {}",
                key.scope.name(),
                key.name
            )),
            Self::RemoveKey { id } => AuditEvent::new(Action::RevokeKey).at(id),
            Self::ChangeSettings(_) | Self::PatchSettings(_) => {
                AuditEvent::new(Action::ChangeSettings)
            }
            Self::AddSecret { id, .. } => AuditEvent::new(Action::CreateIdentitySecret).at(id),
            Self::RemoveSecret { id } => AuditEvent::new(Action::RemoveIdentitySecret).at(id),
            Self::RevokePreviews { survey } => AuditEvent::of(Action::RevokePreviews, survey),
            Self::CreateSurvey { survey, .. } => AuditEvent::of(Action::CreateSurvey, survey),
            Self::Survey { survey, action } => match action {
                SurveyAction::Read => return None,
                SurveyAction::Update(_) | SurveyAction::Patch(_) => {
                    AuditEvent::of(Action::UpdateSurvey, survey)
                }
                SurveyAction::Delete => AuditEvent::of(Action::DeleteSurvey, survey),
                SurveyAction::Duplicate(copy) => {
                    AuditEvent::of(Action::DuplicateSurvey, survey).at(copy.as_str())
                }
                SurveyAction::Publish => AuditEvent::of(Action::Publish, survey),
                SurveyAction::SetStatus(Status::Live) => AuditEvent::of(Action::Resume, survey),
                SurveyAction::SetStatus(Status::Archived) => {
                    AuditEvent::of(Action::Archive, survey)
                }
                SurveyAction::SetIntake(Intake::Refused) => {
                    AuditEvent::of(Action::RefuseIntake, survey)
                }
                SurveyAction::SetIntake(Intake::Open) => {
                    AuditEvent::of(Action::AcceptIntake, survey)
                }
                SurveyAction::SetStatus(_) => AuditEvent::of(Action::Pause, survey),
                SurveyAction::SetShards(shards) => {
                    AuditEvent::of(Action::SetShards, survey).detail(shards.to_string())
                }
            },
        })
    }
}

/// A site as its team sees it.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SiteRecord {
    /// When it was made, in milliseconds since the epoch.
    pub created_ms: u64,
    /// The settings.
    pub settings: Settings,
    /// The identity secrets, without the secret part.
    pub identity_secrets: Vec<SecretRecord>,
}

/// An identity secret as its team sees it.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SecretRecord {
    /// The id of the secret.
    pub id: String,
    /// When it was made, in milliseconds since the epoch.
    pub created_ms: u64,
}

/// What a team does with a survey. Answered with [`SurveyRecord`], or with nothing if the survey is deleted.
#[derive(Debug, Serialize, Deserialize)]
pub enum SurveyAction {
    /// Return the survey.
    Read,
    /// Replace the draft.
    Update(Box<Definition>),
    /// Change some members of the draft.
    Patch(Patch),
    /// Remove the survey with everything that it has collected.
    Delete,
    /// Copy the draft into a new survey with this id.
    Duplicate(SurveyId),
    /// Publish the draft as the next version, live.
    Publish,
    /// Show the survey again, or stop showing it.
    SetStatus(Status),
    /// Refuse all displays of the survey, or take them again.
    SetIntake(Intake),
    /// Spread the displays over this number of shards; the number cannot shrink.
    SetShards(u16),
}

/// Whether the survey takes displays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Intake {
    /// It takes displays, as far as its status allows.
    Open,
    /// It takes no displays.
    Refused,
}

/// A survey as its team sees it.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SurveyRecord {
    /// The id of the survey.
    pub survey: String,
    /// The name of its draft.
    pub name: String,
    /// The status of the survey.
    pub status: Status,
    /// Whether its displays are refused regardless of its status.
    pub refuses: bool,
    /// The latest version; 0 before the first publish.
    pub version: u32,
    /// Number of shards that take its displays.
    pub shards: u16,
    /// When it was made, in milliseconds since the epoch.
    pub created_ms: u64,
    /// The definition that the next publish makes a version; left out of lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draft: Option<Definition>,
}

/// The surveys of a site.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Surveys {
    /// The surveys, oldest first, without their drafts.
    pub surveys: Vec<SurveyRecord>,
}
