//! What a team, or the operator, asks of its `Site` object, and what that answers.

use asklet_shared::definition::{Definition, Status};
use asklet_shared::settings::Settings;
use serde::{Deserialize, Serialize};

use crate::audit::{Action, AuditEvent};
use crate::ids::SurveyId;
use crate::json::patch::Patch;
use crate::keys::NewKey;

/// What a team asks of its site.
#[derive(Debug, Serialize, Deserialize)]
pub enum TeamCall {
    /// Only whether it may ask; answered with nothing.
    Nothing,
    /// Its keys; answered with a `Keys`.
    Keys,
    /// What the request was answered with when it came before; answered with that, or with nothing, and
    /// then it is kept as begun.
    EarlierAnswer,
    /// Keep what the request is answered with; answered with nothing.
    KeepAnswer {
        /// The answer.
        answer: String,
    },
    /// Keep another key; answered with its id.
    AddKey(NewKey),
    /// Forget a key; answered with nothing.
    RemoveKey {
        /// Its id.
        id: String,
    },
    /// Where the tag ran; answered with `Installs`.
    Installs,
    /// What was changed, before an entry or up to now; answered with `Log`.
    Audit {
        /// Only those before this one.
        before: Option<u64>,
    },
    /// Write down what is being read; answered with nothing.
    Note(AuditEvent),
    /// Keep what is about to be changed in the shards; answered with a number.
    Begin(AuditEvent),
    /// Write down what happened of it, if anything did; answered with nothing.
    End {
        /// Its number.
        intent: u64,
        /// What happened; nothing where nothing did.
        happened: Option<AuditEvent>,
    },
    /// Its settings; answered with [`SiteRecord`].
    Settings,
    /// Replace the settings; answered with [`SiteRecord`].
    ChangeSettings(Box<Settings>),
    /// Change some of the settings; answered with [`SiteRecord`].
    PatchSettings(Patch),
    /// Keep another identity secret, as a [`asklet_store::vault::Vault`] locks it; answered with its id.
    AddSecret {
        /// Its id.
        id: String,
        /// The secret, encrypted where there is a key.
        secret: String,
    },
    /// Forget an identity secret; answered with [`SiteRecord`].
    RemoveSecret {
        /// Its id.
        id: String,
    },
    /// Remove the site with everything in it; answered with nothing.
    Delete,
    /// All surveys; answered with `Surveys`.
    Surveys,
    /// Keep a draft; answered with [`SurveyRecord`].
    CreateSurvey {
        /// The survey.
        survey: SurveyId,
        /// Its draft.
        draft: Box<Definition>,
    },
    /// Something about one survey.
    Survey {
        /// The survey.
        survey: SurveyId,
        /// What is done.
        action: SurveyAction,
    },
    /// Whether its draft could be published and shown; answered with how often its previews were revoked.
    Preview {
        /// The survey.
        survey: SurveyId,
    },
    /// End its previews; answered with nothing.
    RevokePreviews {
        /// The survey.
        survey: SurveyId,
    },
    /// What has to be known to ask the shards of a survey; answered with [`Plan`].
    Plan {
        /// The survey.
        survey: SurveyId,
    },
    /// The surveys that were ever published; answered with a list of their ids, oldest first.
    PublishedSurveys,
}

impl TeamCall {
    /// What it changes; `None` where it only reads, or leaves nothing that could be looked at.
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
    /// Its settings.
    pub settings: Settings,
    /// Its identity secrets, without what is secret.
    pub identity_secrets: Vec<SecretRecord>,
}

/// An identity secret as its team sees it.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SecretRecord {
    /// What it is called.
    pub id: String,
    /// When it was made, in milliseconds since the epoch.
    pub created_ms: u64,
}

/// What a team does with a survey. Answered with [`SurveyRecord`], or with nothing where it is gone.
#[derive(Debug, Serialize, Deserialize)]
pub enum SurveyAction {
    /// Look at it.
    Read,
    /// Replace the draft.
    Update(Box<Definition>),
    /// Change something of the draft.
    Patch(Patch),
    /// Remove it with everything that was collected.
    Delete,
    /// Keep its draft again, as a survey of this id.
    Duplicate(SurveyId),
    /// Make the draft the next version, live.
    Publish,
    /// Ask it again, or stop asking.
    SetStatus(Status),
    /// Take none of its displays any more, or take them again.
    SetIntake(Intake),
    /// Spread its displays over so many shards, not fewer than before.
    SetShards(u16),
}

/// Whether displays are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Intake {
    /// They are, as the survey's status says.
    Open,
    /// None is.
    Refused,
}

/// A survey as its team sees it.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SurveyRecord {
    /// Its id.
    pub survey: String,
    /// Where it stands.
    pub status: Status,
    /// Whether its displays are refused, whatever its status is.
    pub refuses: bool,
    /// The latest version; 0 before the first publish.
    pub version: u32,
    /// How many shards take its displays.
    pub shards: u16,
    /// When it was made, in milliseconds since the epoch.
    pub created_ms: u64,
    /// What would be published next; left out of lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draft: Option<Definition>,
}

/// The surveys of a site.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Surveys {
    /// The oldest first, without their drafts.
    pub surveys: Vec<SurveyRecord>,
}
