//! What the Worker and its objects say to each other: one type for each object, sent as JSON to a
//! path that no public route has.

use asklet_shared::definition::question::Rating;
use asklet_shared::definition::{Definition, Published, Status};
use asklet_shared::problem::{Code, Problem};
use asklet_shared::tally;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use worker::{Method, Request, RequestInit, Response, Stub};

use crate::failure::Failure;
use crate::seal::{KeyDigest, SiteId, SurveyId};

/// The path of a call. Public requests that are forwarded untouched begin with `/v1/`.
pub const PATH: &str = "/call";

/// What a `Site` object is asked.
#[derive(Debug, Serialize, Deserialize)]
pub enum SiteCall {
    /// Set the site up; answered with nothing.
    Create(NewSite),
    /// The live surveys; answered with a list of `ConfigSurvey`.
    Live,
    /// A version, or the latest, for a shard that lacks it; answered with `Published`.
    Published { survey: SurveyId, version: Option<u32>, shard: u16 },
    /// What a team asks, with the key that it shows.
    Team { key: KeyDigest, call: TeamCall },
}

/// What a team asks of its site.
#[derive(Debug, Serialize, Deserialize)]
pub enum TeamCall {
    /// All surveys; answered with a list of [`SurveyRecord`].
    Surveys,
    /// Keep a draft; answered with [`SurveyRecord`].
    CreateSurvey { survey: SurveyId, draft: Box<Definition> },
    /// Something about one survey.
    Survey { site: SiteId, survey: SurveyId, action: SurveyAction },
    /// What a summary needs; answered with [`Plan`].
    Plan { survey: SurveyId, question: Option<String> },
}

/// What a team does with a survey. Answered with [`SurveyRecord`], or with nothing where it is gone.
#[derive(Debug, Serialize, Deserialize)]
pub enum SurveyAction {
    /// Look at it.
    Read,
    /// Replace the draft.
    Update(Box<Definition>),
    /// Remove it with everything that was collected.
    Delete,
    /// Keep its draft again, as a survey of this id.
    Duplicate(SurveyId),
    /// Make the draft the next version, live.
    Publish,
    /// Ask it again, or stop asking.
    SetStatus(Status),
    /// Spread its displays over so many shards, not fewer than before.
    SetShards(u16),
}

impl TeamCall {
    /// The scope that a key must have.
    pub fn scope(&self) -> Scope {
        match self {
            Self::Surveys | Self::Plan { .. } | Self::Survey { action: SurveyAction::Read, .. } => {
                Scope::Read
            }
            Self::CreateSurvey { .. } | Self::Survey { .. } => Scope::Write,
        }
    }
}

/// A survey as its team sees it.
#[derive(Debug, Serialize, Deserialize)]
pub struct SurveyRecord {
    /// Its id.
    pub survey: String,
    /// Where it stands.
    pub status: Status,
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

/// A site to set up.
#[derive(Debug, Serialize, Deserialize)]
pub struct NewSite {
    /// How its team calls it.
    pub name: String,
    /// The origins whose pages may ask.
    pub origins: Vec<String>,
    /// The digest of its first key.
    pub key: KeyDigest,
}

/// What has to be asked for a summary.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    /// The id of the question.
    pub question: String,
    /// Its scale.
    pub rating: Rating,
    /// The shards that may hold displays.
    pub shards: u16,
}

/// What a `Survey` object is asked besides the public requests that are forwarded to it.
#[derive(Debug, Serialize, Deserialize)]
pub enum SurveyCall {
    /// Take a version; answered with nothing.
    Publish(Box<Published>),
    /// What was counted in a period; answered with `Counted`.
    Count(tally::Request),
    /// Forget everything; answered with nothing.
    Erase,
}

/// What a key may do; a higher scope implies the lower ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Summaries.
    Read,
    /// Surveys.
    Write,
    /// Everything of the site.
    Admin,
}

impl Scope {
    /// The name as it is stored and told.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }

    /// The scope with a name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Read, Self::Write, Self::Admin].into_iter().find(|scope| scope.name() == name)
    }
}

/// Calls an object and reads its answer; its problem is the caller's.
pub async fn call<T: DeserializeOwned>(stub: &Stub, call: &impl Serialize) -> Result<T, Failure> {
    let mut init = RequestInit::new();
    init.with_method(Method::Post).with_body(Some(serde_json::to_string(call)?.into()));
    let request = Request::new_with_init(&format!("https://object{PATH}"), &init)?;
    let mut response = stub.fetch_with_request(request).await?;
    let text = response.text().await?;
    if response.status_code() == 200 {
        return Ok(serde_json::from_str(&text)?);
    }
    let problem: Problem = serde_json::from_str(&text)?;
    match problem.code {
        Code::Internal => Err(Failure::Broken("an object failed and has logged why".to_owned())),
        _ => Err(problem.into()),
    }
}

/// An object's answer to a call.
pub fn answer(value: &impl Serialize) -> Result<Response, Failure> {
    Ok(Response::from_json(value)?)
}
