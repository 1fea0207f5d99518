//! What teams call, with a key.

use std::pin::Pin;
use std::rc::Rc;

use asklet_shared::definition::{Definition, Status};
use asklet_shared::problem::{Code, Problem};
use asklet_shared::settings::Settings;
use asklet_shared::validate::{self, DEFINITION_LIMIT};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use worker::{Date, Env, Headers, Request, Response};

use crate::failure::Failure;
use crate::operator;
use crate::place;
use crate::preview::{self, Preview};
use crate::respond;
use crate::route::Verb;
use crate::rpc::{
    self, Plan, Scope, SiteCall, SiteRecord, SurveyAction, SurveyCall, SurveyRecord, TeamCall,
};
use crate::seal::{self, ApiKey, KeyDigest, Seal, SiteId};
use crate::shards::Shards;
use crate::summary::{self, Query};
use crate::survey::import::{BYTES_LIMIT, LINES_LIMIT};
use crate::survey::keeping;
use crate::zone::Zone;

/// The longest reason for an exclusion, in characters.
const REASON_LIMIT: usize = 200;

/// The body of `POST …/shards`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SetShards {
    shards: u16,
}

/// The body of `POST …/exclude`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Exclude {
    reason: String,
}

/// The body of `POST …/respondents/erase`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EraseRespondent {
    respondent: String,
}

/// A new identity secret. It is shown here and never again.
#[derive(Debug, Serialize)]
struct SecretCreated {
    id: String,
    secret: String,
}

/// `/v1/sites/{site}`: the settings, and the end.
pub async fn site(
    mut request: Request,
    env: &Env,
    site: &str,
    verb: Verb,
) -> Result<Response, Failure> {
    if verb == Verb::Delete {
        if operator::is_admin(request.headers(), env)? {
            let site = Seal::of(env)?.known_site(site)?;
            operator::delete_site(env, site).await?;
            return respond::no_content();
        }
        let team = Team::of(request.headers(), env, site)?;
        // Whether the key may is for the site to say; only then does the list forget it.
        team.call::<()>(env, TeamCall::Delete).await?;
        operator::delete_site(env, team.site).await?;
        return respond::no_content();
    }
    let team = Team::of(request.headers(), env, site)?;
    let call = match verb {
        Verb::Update => TeamCall::ChangeSettings(Box::new(read_settings(&mut request).await?)),
        _ => TeamCall::Settings,
    };
    let record: SiteRecord = team.call(env, call).await?;
    respond::json(200, &record)
}

/// `/v1/sites/{site}/identity-secrets`: makes one, or forgets one.
pub async fn identity_secret(
    request: Request,
    env: &Env,
    site: &str,
    id: Option<String>,
) -> Result<Response, Failure> {
    let team = Team::of(request.headers(), env, site)?;
    if let Some(id) = id {
        let _: SiteRecord = team.call(env, TeamCall::RemoveSecret { id }).await?;
        return respond::no_content();
    }
    let (id, secret) = (seal::random_name()?, seal::random_secret()?);
    let call = TeamCall::AddSecret { id: id.clone(), secret: secret.clone() };
    let _: SiteRecord = team.call(env, call).await?;
    respond::json(201, &SecretCreated { id, secret })
}

/// `POST /v1/sites/{site}/respondents/erase`: erases everything of a respondent in all surveys.
pub async fn erase_respondent(
    mut request: Request,
    env: &Env,
    site: &str,
) -> Result<Response, Failure> {
    let team = Team::of(request.headers(), env, site)?;
    let plans: Vec<Plan> = team.call(env, TeamCall::Plans { access: Scope::Admin }).await?;
    let EraseRespondent { respondent } = respond::read_json(&mut request, DEFINITION_LIMIT).await?;
    let mut displays = 0;
    for plan in &plans {
        displays += Shards::of(env, &team.site, plan).erase(&respondent).await?;
    }
    respond::json(200, &serde_json::json!({ "displays": displays }))
}

/// Reads and checks settings.
pub async fn read_settings(request: &mut Request) -> Result<Settings, Failure> {
    let settings: Settings = respond::read_json(request, DEFINITION_LIMIT).await?;
    validate::settings(&settings)?;
    Zone::named(&settings.tz).map_err(|failure| match failure {
        Failure::Problem(problem) => Problem { code: Code::InvalidSettings, ..problem }.into(),
        broken => broken,
    })?;
    Ok(settings)
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
    let draft = read_definition(&mut request, &team, env).await?;
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
        Verb::Update => SurveyAction::Update(read_definition(&mut request, &team, env).await?),
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
    let call = TeamCall::Survey { survey, action };
    let record: Option<SurveyRecord> = team.call(env, call).await?;
    match record {
        None => respond::no_content(),
        Some(record) => respond::json(if verb == Verb::Duplicate { 201 } else { 200 }, &record),
    }
}

/// `POST /v1/sites/{site}/surveys/{survey}/preview`: an address of the draft, if it could be published.
pub async fn preview(
    request: Request,
    env: &Env,
    site: &str,
    survey: &str,
) -> Result<Response, Failure> {
    let team = Team::of(request.headers(), env, site)?;
    let survey = team.seal.known_survey(&team.site, survey)?;
    let action = SurveyAction::Check;
    let call = TeamCall::Survey { survey: survey.clone(), action };
    let record: SurveyRecord = team.call(env, call).await?;
    preview::check_shown(record.draft.as_ref())?;
    respond::json(201, &Preview::new(&team.seal, (&team.site, &survey), Date::now().as_millis()))
}

async fn read_definition(
    request: &mut Request,
    team: &Team,
    env: &Env,
) -> Result<Box<Definition>, Failure> {
    let mut definition: Box<Definition> = respond::read_json(request, DEFINITION_LIMIT).await?;
    if definition.language.is_empty() {
        let site: SiteRecord = team.call(env, TeamCall::Settings).await?;
        definition.language = site.settings.language;
    }
    validate::definition(&definition)?;
    Ok(definition)
}

/// `GET /v1/sites/{site}/surveys/{survey}/summary`
pub async fn summary(
    request: Request,
    env: &Env,
    site: &str,
    survey: &str,
) -> Result<Response, Failure> {
    let team = Team::of(request.headers(), env, site)?;
    let query = Query::parse(respond::parameters(&request)?)?;
    let plan = team.plan(env, survey, Scope::Read).await?;
    summary::of_survey(&Shards::of(env, &team.site, &plan), &query).await
}

/// `GET /v1/sites/{site}/summary`
pub async fn site_summary(request: Request, env: &Env, site: &str) -> Result<Response, Failure> {
    let team = Team::of(request.headers(), env, site)?;
    let query = Query::parse(respond::parameters(&request)?)?.of_site()?;
    let plans: Vec<Plan> = team.call(env, TeamCall::Plans { access: Scope::Read }).await?;
    let record: SiteRecord = team.call(env, TeamCall::Settings).await?;
    summary::of_site(env, &team.site, &record.settings, &plans, &query).await
}

/// `GET /v1/sites/{site}/surveys/{survey}/usage`
pub async fn usage(
    request: Request,
    env: &Env,
    site: &str,
    survey: &str,
) -> Result<Response, Failure> {
    let team = Team::of(request.headers(), env, site)?;
    let plan = team.plan(env, survey, Scope::Read).await?;
    respond::json(200, &Shards::of(env, &team.site, &plan).usage().await?)
}

/// `POST /v1/sites/{site}/surveys/{survey}/import`
pub async fn import(
    mut request: Request,
    env: &Env,
    site: &str,
    survey: &str,
) -> Result<Response, Failure> {
    let team = Team::of(request.headers(), env, site)?;
    let mut shard = 0;
    for (name, value) in respond::parameters(&request)? {
        match (name.as_str(), value.parse()) {
            ("shard", Ok(named)) => shard = named,
            ("shard", Err(_)) => {
                let detail = "a shard is named by its number";
                return Err(Problem::new(Code::InvalidQuery, detail).at(name).into());
            }
            _ => return Err(respond::unknown_parameter(&name).into()),
        }
    }
    // Megabytes are read for nobody whose key was not checked.
    let plan = team.plan(env, survey, Scope::Write).await?;
    let lines = respond::read_text(&mut request, BYTES_LIMIT).await?;
    if lines.lines().count() > LINES_LIMIT {
        return Err(Problem::new(Code::BodyTooLarge, "the import has too many lines")
            .limit(format!("{LINES_LIMIT} lines"))
            .into());
    }
    respond::json(200, &Shards::of(env, &team.site, &plan).import(shard, lines).await?)
}

/// `POST /v1/sites/{site}/surveys/{survey}/displays/{display}/exclude` and `/include`
pub async fn exclude(
    mut request: Request,
    env: &Env,
    (site, survey): (&str, &str),
    display: &str,
    excluded: bool,
) -> Result<Response, Failure> {
    let team = Team::of(request.headers(), env, site)?;
    let plan = team.plan(env, survey, Scope::Write).await?;
    let reason = if excluded {
        let Exclude { reason } = respond::read_json(&mut request, DEFINITION_LIMIT).await?;
        if reason.trim().is_empty() || reason.chars().count() > REASON_LIMIT {
            return Err(Problem::new(Code::InvalidSettings, "an exclusion has a reason")
                .at("reason")
                .limit(format!("1..={REASON_LIMIT} characters"))
                .into());
        }
        Some(reason)
    } else {
        None
    };
    let id = display.parse().map_err(|_| keeping::unknown_display())?;
    Shards::of(env, &team.site, &plan).exclude(id, reason.as_deref()).await?;
    respond::no_content()
}

/// `DELETE /v1/sites/{site}/surveys/{survey}/displays/{display}`
pub async fn delete_display(
    request: Request,
    env: &Env,
    (site, survey): (&str, &str),
    display: &str,
) -> Result<Response, Failure> {
    let team = Team::of(request.headers(), env, site)?;
    let plan = team.plan(env, survey, Scope::Write).await?;
    let id = display.parse().map_err(|_| keeping::unknown_display())?;
    Shards::of(env, &team.site, &plan).change(&SurveyCall::Delete { id }).await?;
    respond::no_content()
}

/// A team that showed a key of the site that it asks about. The site has not checked the key yet:
/// it does with each call, so a revoked key is dead at once.
pub struct Team {
    seal: Rc<Seal>,
    /// The site.
    pub site: SiteId,
    key: KeyDigest,
}

impl Team {
    /// The team that a request's headers name.
    pub fn of(headers: &Headers, env: &Env, site: &str) -> Result<Self, Failure> {
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

    /// What has to be known to ask the shards of a survey. In a box, or every route would hold a copy
    /// of it.
    pub fn plan<'a>(
        &'a self,
        env: &'a Env,
        survey: &'a str,
        access: Scope,
    ) -> Pin<Box<dyn Future<Output = Result<Plan, Failure>> + 'a>> {
        Box::pin(async move {
            let survey = self.seal.known_survey(&self.site, survey)?;
            self.call(env, TeamCall::Plan { survey, access }).await
        })
    }

    /// Asks the site.
    pub async fn call<T: DeserializeOwned>(&self, env: &Env, call: TeamCall) -> Result<T, Failure> {
        let call = SiteCall::Team { site: self.site.clone(), key: self.key.clone(), call };
        match rpc::call(&place::site(env, &self.site)?, &call).await {
            // A key whose site is gone is a key that is not known.
            Err(Failure::Problem(problem)) if problem.code == Code::UnknownSite => {
                Err(Problem::new(Code::Unauthenticated, "the key is not known").into())
            }
            outcome => outcome,
        }
    }
}

/// What stands behind `Bearer` in the `Authorization` header.
pub fn bearer(headers: &Headers) -> Result<String, Failure> {
    let header = headers.get("authorization")?.unwrap_or_default();
    let token = header.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let Some((_, token)) = token else {
        let detail = "send the header Authorization: Bearer with a key";
        return Err(Problem::new(Code::Unauthenticated, detail).into());
    };
    Ok(token.trim().to_owned())
}
