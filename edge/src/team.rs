//! What teams and operators call, with a key or with the admin token.

use asklet_shared::definition::{Definition, Status};
use asklet_shared::problem::{Code, Problem};
use asklet_shared::validate::{self, DEFINITION_LIMIT};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use worker::{Env, Headers, Request, Response};

use crate::failure::Failure;
use crate::place;
use crate::respond::{self, Cache};
use crate::route::Verb;
use crate::rpc::{self, NewSite, Plan, SiteCall, SurveyAction, SurveyRecord, TeamCall};
use crate::seal::{self, ApiKey, KeyDigest, Seal, SiteId};
use crate::summary::{Query, summarise};

/// The most origins that a site can list.
const ORIGINS_LIMIT: usize = 50;

/// The body of `POST /v1/sites`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateSite {
    name: String,
    origins: Vec<String>,
}

/// The body of `POST …/shards`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SetShards {
    shards: u16,
}

/// What making a site answers. The key is shown here and never again.
#[derive(Debug, Serialize)]
struct SiteCreated {
    site: SiteId,
    key: String,
}

/// `POST /v1/sites`: the operator makes a site.
pub async fn create_site(mut request: Request, env: &Env) -> Result<Response, Failure> {
    check_admin(request.headers(), env)?;
    let CreateSite { name, origins } = respond::read_json(&mut request, DEFINITION_LIMIT).await?;
    if name.trim().is_empty() || name.chars().count() > 100 {
        return Err(Problem::new(Code::InvalidSettings, "a site has a name")
            .at("name")
            .limit("1..=100 characters")
            .into());
    }
    if origins.is_empty() || origins.len() > ORIGINS_LIMIT {
        return Err(Problem::new(Code::InvalidSettings, "a site lists the origins of its pages")
            .at("origins")
            .limit(format!("1..={ORIGINS_LIMIT} origins"))
            .into());
    }
    if let Some(at) = origins.iter().position(|origin| !validate::is_origin(origin)) {
        let detail = "an origin is a scheme, a host and maybe a port, such as https://shop.example";
        return Err(Problem::new(Code::InvalidSettings, detail)
            .at(format!("origins[{at}]"))
            .into());
    }
    let site = Seal::of(env)?.new_site()?;
    let (text, key) = ApiKey::make(&site)?;
    let call = SiteCall::Create(NewSite { name, origins, key });
    rpc::call::<()>(&place::site(env, &site)?, &call).await?;
    respond::json(201, &SiteCreated { site, key: text })
}

/// `/v1/sites/{site}/surveys`: lists the surveys, or keeps a new draft.
pub async fn surveys(
    mut request: Request,
    env: &Env,
    site: &str,
    verb: Verb,
) -> Result<Response, Failure> {
    let team = Team::of(request.headers(), env, site)?;
    if verb == Verb::Read {
        let surveys: Vec<SurveyRecord> = team.call(env, TeamCall::Surveys).await?;
        return respond::json(200, &serde_json::json!({ "surveys": surveys }));
    }
    let draft = read_definition(&mut request).await?;
    let survey = team.seal.new_survey(&team.site)?;
    let record: SurveyRecord = team.call(env, TeamCall::CreateSurvey { survey, draft }).await?;
    respond::json(201, &record)
}

/// `/v1/sites/{site}/surveys/{survey}` and the verbs below it.
pub async fn survey(
    mut request: Request,
    env: &Env,
    site: &str,
    survey: &str,
    verb: Verb,
) -> Result<Response, Failure> {
    let team = Team::of(request.headers(), env, site)?;
    let survey = team.seal.known_survey(&team.site, survey)?;
    let action = match verb {
        Verb::Read | Verb::Create => SurveyAction::Read,
        Verb::Update => SurveyAction::Update(read_definition(&mut request).await?),
        Verb::Delete => SurveyAction::Delete,
        Verb::Duplicate => SurveyAction::Duplicate(team.seal.new_survey(&team.site)?),
        Verb::Publish => SurveyAction::Publish,
        Verb::Pause => SurveyAction::SetStatus(Status::Paused),
        Verb::Resume => SurveyAction::SetStatus(Status::Live),
        Verb::Archive => SurveyAction::SetStatus(Status::Archived),
        Verb::Shard => {
            let SetShards { shards } = respond::read_json(&mut request, DEFINITION_LIMIT).await?;
            SurveyAction::SetShards(shards)
        }
    };
    let call = TeamCall::Survey { site: team.site.clone(), survey, action };
    let record: Option<SurveyRecord> = team.call(env, call).await?;
    match record {
        None => Ok(respond::private(Cache::Never)?.with_status(204).empty()),
        Some(record) => respond::json(if verb == Verb::Duplicate { 201 } else { 200 }, &record),
    }
}

async fn read_definition(request: &mut Request) -> Result<Box<Definition>, Failure> {
    let definition: Box<Definition> = respond::read_json(request, DEFINITION_LIMIT).await?;
    validate::definition(&definition)?;
    Ok(definition)
}

/// `GET /v1/sites/{site}/surveys/{survey}/summary`: asks every shard and merges.
pub async fn summary(
    request: Request,
    env: &Env,
    site: &str,
    survey: &str,
) -> Result<Response, Failure> {
    let team = Team::of(request.headers(), env, site)?;
    let survey = team.seal.known_survey(&team.site, survey)?;
    let query = Query::parse(request.url()?.query_pairs())?;
    let question = query.question.clone();
    let plan: Plan = team.call(env, TeamCall::Plan { survey: survey.clone(), question }).await?;
    respond::json(200, &summarise(env, (&team.site, &survey), &plan, &query).await?)
}

/// A team that showed a key of the site that it asks about. The site has not checked the key yet:
/// it does with each call, so a revoked key is dead at once.
struct Team {
    seal: Seal,
    site: SiteId,
    key: KeyDigest,
}

impl Team {
    fn of(headers: &Headers, env: &Env, site: &str) -> Result<Self, Failure> {
        let unknown = || Problem::new(Code::Unauthenticated, "the key is not known");
        let key = ApiKey::parse(&bearer(headers)?).ok_or_else(unknown)?;
        let seal = Seal::of(env)?;
        // A key says which site it is for. Whether that site exists is for its holders to know.
        let site_of_key = seal.site(&key.site)?.ok_or_else(unknown)?;
        if site_of_key.as_str() != site {
            return Err(Problem::new(Code::Forbidden, "the key is another site's").into());
        }
        Ok(Self { seal, site: site_of_key, key: key.digest })
    }

    async fn call<T: DeserializeOwned>(&self, env: &Env, call: TeamCall) -> Result<T, Failure> {
        let call = SiteCall::Team { key: self.key.clone(), call };
        match rpc::call(&place::site(env, &self.site)?, &call).await {
            // A key whose site is gone is a key that is not known.
            Err(Failure::Problem(problem)) if problem.code == Code::UnknownSite => {
                Err(Problem::new(Code::Unauthenticated, "the key is not known").into())
            }
            outcome => outcome,
        }
    }
}

fn check_admin(headers: &Headers, env: &Env) -> Result<(), Failure> {
    let token = env.secret("ASKLET_ADMIN_TOKEN").map(|token| token.to_string());
    let Some(token) = token.ok().filter(|token| !token.is_empty()) else {
        let detail = "set ASKLET_ADMIN_TOKEN to create sites";
        return Err(Problem::new(Code::NoAdminToken, detail).into());
    };
    // Digests are compared, so that neither the content nor the length of the token takes time.
    let shown = bearer(headers)?;
    if seal::same(&seal::digest(shown.as_bytes()), &seal::digest(token.as_bytes())) {
        return Ok(());
    }
    Err(Problem::new(Code::Unauthenticated, "the admin token is not the deployment's").into())
}

/// What stands behind `Bearer` in the `Authorization` header.
fn bearer(headers: &Headers) -> Result<String, Failure> {
    let header = headers.get("authorization")?.unwrap_or_default();
    let token = header.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let Some((_, token)) = token else {
        let detail = "send the header Authorization: Bearer with a key";
        return Err(Problem::new(Code::Unauthenticated, detail).into());
    };
    Ok(token.trim().to_owned())
}
