//! The routes of keys, and of the log of what was done with them.

use asklet_protocol::calls::team::TeamCall;
use asklet_protocol::failure::Failure;
use asklet_protocol::keys::{ApiKey, NewKey};
use asklet_protocol::seal;
use asklet_shared::problem::{Code, Problem};
use asklet_shared::scope::Scope;
use asklet_shared::validate::DEFINITION_LIMIT;
use serde::{Deserialize, Serialize};
use worker::{Date, Request, Response};

use crate::http::{problems, respond, url};
use crate::service::caller::Team;

/// The longest name of a key, in characters.
const NAME_LIMIT: usize = 100;

/// The body of `POST …/keys`.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct MakeKey {
    name: String,
    scope: Scope,
}

/// A new key. It is shown only in this answer.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct KeyCreated {
    /// The key itself, as requests send it.
    pub key: String,
    /// Its name in the log.
    pub id: String,
    /// The name that its team gave it.
    pub name: String,
    /// What the key may do.
    pub scope: Scope,
    /// When it was made, in milliseconds since the epoch.
    pub created_ms: u64,
    /// The day on which it was last used: `null`.
    pub last_used: Option<String>,
}

/// `GET …/keys`
pub async fn list(team: &Team) -> Result<Response, Failure> {
    respond::written(200, team.ask(TeamCall::Keys).await?)
}

/// `POST …/keys`
pub async fn create(team: &Team, mut request: Request) -> Result<Response, Failure> {
    let MakeKey { name, scope } = team.read_json(&mut request, DEFINITION_LIMIT).await?;
    if name.trim().is_empty() || name.chars().count() > NAME_LIMIT {
        return Err(Problem::new(Code::InvalidSettings, "the name is missing or too long")
            .at("name")
            .limit(format!("1 to {NAME_LIMIT} characters"))
            .into());
    }
    let (key, digest) = ApiKey::make(&team.site)?;
    let (id, created_ms) = (seal::random_name()?, Date::now().as_millis());
    let kept = NewKey { id: id.clone(), digest, name: name.clone(), scope, created_ms };
    team.make_once(TeamCall::AddKey(kept), &id).await?;
    respond::json(201, &KeyCreated { key, id, name, scope, created_ms, last_used: None })
}

/// `DELETE …/keys/{id}`
pub async fn revoke(team: &Team, id: String) -> Result<Response, Failure> {
    team.ask(TeamCall::RemoveKey { id }).await?;
    respond::no_content()
}

/// `GET …/audit`
pub async fn log(team: &Team, request: Request) -> Result<Response, Failure> {
    let mut before = None;
    for (name, value) in url::query(&request)? {
        match (name.as_str(), value.parse::<u64>()) {
            ("before", Ok(seq)) => before = Some(seq),
            ("before", Err(_)) => {
                let detail = "the value must be the number of an entry";
                return Err(Problem::new(Code::InvalidQuery, detail).at(name).into());
            }
            _ => return Err(problems::unknown_parameter(&name).into()),
        }
    }
    respond::written(200, team.ask(TeamCall::Audit { before }).await?)
}
