//! What the Worker and its objects say to each other: one type for each object, sent as JSON to a
//! path that no public route has.

use asklet_shared::definition::{Definition, Published};
use asklet_shared::metrics::Scale;
use asklet_shared::problem::{Code, Problem};
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
    /// A version, for a shard that lacks it; answered with `Published`.
    Published { survey: SurveyId, version: u32, shard: u16 },
    /// What a team asks, with the key that it shows.
    Team { key: KeyDigest, call: TeamCall },
}

/// What a team asks of its site.
#[derive(Debug, Serialize, Deserialize)]
pub enum TeamCall {
    /// Keep a draft; answered with nothing.
    CreateSurvey { survey: SurveyId, draft: Definition },
    /// Publish the draft; answered with the version's number.
    Publish { site: SiteId, survey: SurveyId },
    /// What a summary needs; answered with [`Plan`].
    Plan { survey: SurveyId },
}

impl TeamCall {
    /// The scope that a key must have.
    pub fn scope(&self) -> Scope {
        match self {
            Self::CreateSurvey { .. } | Self::Publish { .. } => Scope::Write,
            Self::Plan { .. } => Scope::Read,
        }
    }
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
    /// The id of the primary question.
    pub question: String,
    /// Its scale.
    pub scale: Scale,
    /// The shards that may hold displays.
    pub shards: u16,
}

/// What a `Survey` object is asked besides the public requests that are forwarded to it.
#[derive(Debug, Serialize, Deserialize)]
pub enum SurveyCall {
    /// Take a version; answered with nothing.
    Publish(Published),
    /// What was counted; answered with a `Tally`.
    Tally,
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
