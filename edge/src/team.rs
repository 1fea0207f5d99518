//! What teams call, with a key.

use asklet_shared::definition::{Definition, Status};
use asklet_shared::display_id::DisplayId;
use asklet_shared::problem::{Code, Problem};
use asklet_shared::settings::Settings;
use asklet_shared::validate::{self, DEFINITION_LIMIT};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use worker::{Date, Env, Request, Response};

use crate::caller::Team;
use crate::failure::Failure;
use crate::json::patch::Patch;
use crate::operator;
use crate::preview::Preview;
use crate::respond;
use crate::route::{Route, Verb};
use crate::rpc::{Intake, SiteRecord, SurveyAction, SurveyCall, TeamCall};
use crate::seal;
use crate::shards::Shards;
use crate::site::audit::{Action, Change};
use crate::summary::{self, Query};
use crate::survey::asked::check_respondent;
use crate::survey::import::{BYTES_LIMIT, Imported, LINES_LIMIT, check_lines};
use crate::survey::keeping;
use crate::vault::Vault;
use crate::zone::Zone;

/// The longest reason for an exclusion, in characters.
const REASON_LIMIT: usize = 200;

/// The body of `POST …/shards`.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SetShards {
    shards: u16,
}

/// The body of `POST …/exclude`.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Exclude {
    reason: String,
}

/// The body of `POST …/respondents/erase`.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct EraseRespondent {
    respondent: String,
}

/// What an erasure came to.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RespondentErased {
    /// How many displays there were.
    pub displays: u64,
}

/// A new identity secret. It is shown here and never again.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SecretCreated {
    /// What it is called.
    pub id: String,
    /// What tokens are signed with.
    pub secret: String,
}

/// `/v1/sites/{site}`: the settings, and the end.
pub async fn site(
    mut request: Request,
    env: &Env,
    route: &Route,
    verb: Verb,
) -> Result<Response, Failure> {
    let team = Team::of(request.headers(), env, route)?;
    if verb == Verb::Delete {
        if !team.is_operator() {
            // Whether the key may is for the site to say; only then does the list forget it.
            team.ask(env, TeamCall::Delete).await?;
        }
        operator::delete_site(env, team.site).await?;
        return respond::no_content();
    }
    let call = match verb {
        Verb::Update => {
            let settings: Box<Settings> = team.read_json(&mut request, DEFINITION_LIMIT).await?;
            check_settings(&settings)?;
            TeamCall::ChangeSettings(settings)
        }
        Verb::Patch => {
            let patch: Patch = team.read_json(&mut request, DEFINITION_LIMIT).await?;
            if let Some(tz) = patch.get("tz").and_then(Value::as_str) {
                check_zone(tz)?;
            }
            TeamCall::PatchSettings(patch)
        }
        _ => TeamCall::Settings,
    };
    respond::written(200, team.ask(env, call).await?)
}

/// `/v1/sites/{site}/identity-secrets`: makes one, or forgets one.
pub async fn identity_secret(
    request: Request,
    env: &Env,
    route: &Route,
    id: Option<String>,
) -> Result<Response, Failure> {
    let team = Team::of(request.headers(), env, route)?;
    if let Some(id) = id {
        team.ask(env, TeamCall::RemoveSecret { id }).await?;
        return respond::no_content();
    }
    let (id, secret) = (seal::random_name()?, seal::random_secret()?);
    let kept = Vault::of(env)?.lock(&secret)?;
    let call = TeamCall::AddSecret { id: id.clone(), secret: kept };
    team.make_once(env, call, &id).await?;
    respond::json(201, &SecretCreated { id, secret })
}

/// `POST /v1/sites/{site}/respondents/erase`: erases everything of a respondent in all surveys.
pub async fn erase_respondent(
    mut request: Request,
    env: &Env,
    route: &Route,
) -> Result<Response, Failure> {
    let team = Team::of(request.headers(), env, route)?;
    let surveys = team.published_surveys(env).await?;
    let EraseRespondent { respondent } = team.read_json(&mut request, DEFINITION_LIMIT).await?;
    let respondent = check_respondent(respondent)?;
    let erase = async {
        let mut displays = 0;
        for survey in &surveys {
            let Some(plan) = team.plan_if_there(env, survey).await? else { continue };
            displays += Shards::of(env, &team.site, &plan).erase(&respondent).await?;
        }
        Ok::<_, Failure>(displays)
    };
    let happened =
        |displays: &u64, change: Change| Some(change.detail(format!("{displays} displays")));
    let work = async {
        let displays = team.change(env, Change::new(Action::Erase), erase, happened).await?;
        Ok(RespondentErased { displays })
    };
    respond::written(200, team.once(env, work).await?)
}

/// Refuses settings that break a rule.
pub fn check_settings(settings: &Settings) -> Result<(), Failure> {
    validate::settings(settings)?;
    check_zone(&settings.tz)
}

/// Refuses a time zone that the platform does not know.
fn check_zone(tz: &str) -> Result<(), Failure> {
    Zone::named(tz).map(drop).map_err(|failure| match failure {
        Failure::Problem(problem) => Problem { code: Code::InvalidSettings, ..problem }.into(),
        broken => broken,
    })
}

/// `/v1/sites/{site}/surveys`: lists the surveys, or keeps a new draft.
pub async fn surveys(
    mut request: Request,
    env: &Env,
    route: &Route,
    verb: Verb,
) -> Result<Response, Failure> {
    let team = Team::of(request.headers(), env, route)?;
    if verb == Verb::Read {
        return respond::written(200, team.ask(env, TeamCall::Surveys).await?);
    }
    let draft = read_definition(&mut request, &team, env).await?;
    let survey = team.seal.new_survey(&team.site)?;
    respond::written(201, team.ask(env, TeamCall::CreateSurvey { survey, draft }).await?)
}

/// `/v1/sites/{site}/surveys/{survey}` and the verbs below it.
pub async fn survey(
    mut request: Request,
    env: &Env,
    route: &Route,
    survey: &str,
    verb: Verb,
) -> Result<Response, Failure> {
    let team = Team::of(request.headers(), env, route)?;
    let survey = team.survey(survey)?;
    let action = match verb {
        Verb::Read | Verb::Create => SurveyAction::Read,
        Verb::Update => SurveyAction::Update(read_definition(&mut request, &team, env).await?),
        Verb::Patch => SurveyAction::Patch(team.read_json(&mut request, DEFINITION_LIMIT).await?),
        Verb::Delete => SurveyAction::Delete,
        Verb::Duplicate => SurveyAction::Duplicate(team.seal.new_survey(&team.site)?),
        Verb::Publish => SurveyAction::Publish,
        Verb::Pause => SurveyAction::SetStatus(Status::Paused),
        Verb::Resume => SurveyAction::SetStatus(Status::Live),
        Verb::Archive => SurveyAction::SetStatus(Status::Archived),
        Verb::Refuse => SurveyAction::SetIntake(Intake::Refused),
        Verb::Accept => SurveyAction::SetIntake(Intake::Open),
        Verb::Shard => {
            let SetShards { shards } = team.read_json(&mut request, DEFINITION_LIMIT).await?;
            SurveyAction::SetShards(shards)
        }
    };
    let call = TeamCall::Survey { survey, action };
    let record = team.ask(env, call).await?;
    match verb {
        Verb::Delete => respond::no_content(),
        Verb::Duplicate => respond::written(201, record),
        _ => respond::written(200, record),
    }
}

/// `POST /v1/sites/{site}/surveys/{survey}/preview`: an address of the draft, if it could be published.
pub async fn preview(
    request: Request,
    env: &Env,
    route: &Route,
    survey: &str,
) -> Result<Response, Failure> {
    let team = Team::of(request.headers(), env, route)?;
    let survey = team.survey(survey)?;
    let revocations = team.call(env, TeamCall::Preview { survey: survey.clone() }).await?;
    let now_ms = Date::now().as_millis();
    respond::json(201, &Preview::new(&team.seal, (&team.site, &survey), revocations, now_ms))
}

/// `DELETE /v1/sites/{site}/surveys/{survey}/preview`: ends all previews of a survey.
pub async fn revoke_previews(
    request: Request,
    env: &Env,
    route: &Route,
    survey: &str,
) -> Result<Response, Failure> {
    let team = Team::of(request.headers(), env, route)?;
    let survey = team.survey(survey)?;
    team.ask(env, TeamCall::RevokePreviews { survey }).await?;
    respond::no_content()
}

async fn read_definition(
    request: &mut Request,
    team: &Team,
    env: &Env,
) -> Result<Box<Definition>, Failure> {
    let mut definition: Box<Definition> = team.read_json(request, DEFINITION_LIMIT).await?;
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
    route: &Route,
    survey: &str,
) -> Result<Response, Failure> {
    let team = Team::of(request.headers(), env, route)?;
    let query = Query::parse(respond::query(&request)?)?;
    let plan = team.plan(env, survey).await?;
    summary::of_survey(&Shards::of(env, &team.site, &plan), &query).await
}

/// `GET /v1/sites/{site}/summary`
pub async fn site_summary(request: Request, env: &Env, route: &Route) -> Result<Response, Failure> {
    let team = Team::of(request.headers(), env, route)?;
    let query = Query::parse(respond::query(&request)?)?.of_site()?;
    let record: SiteRecord = team.call(env, TeamCall::Settings).await?;
    summary::of_site(env, &team, &record.settings, &query).await
}

/// `GET /v1/sites/{site}/surveys/{survey}/usage`
pub async fn usage(
    request: Request,
    env: &Env,
    route: &Route,
    survey: &str,
) -> Result<Response, Failure> {
    let team = Team::of(request.headers(), env, route)?;
    let plan = team.plan(env, survey).await?;
    respond::json(200, &Shards::of(env, &team.site, &plan).usage().await?)
}

/// `POST /v1/sites/{site}/surveys/{survey}/import`
pub async fn import(
    mut request: Request,
    env: &Env,
    route: &Route,
    survey: &str,
) -> Result<Response, Failure> {
    let team = Team::of(request.headers(), env, route)?;
    let mut shard = 0_u16;
    for (name, value) in respond::query(&request)? {
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
    let plan = team.plan(env, survey).await?;
    let lines = respond::read_large_text(&mut request, BYTES_LIMIT).await?;
    check_lines(&lines)?;
    let count = lines.lines().count();
    if count > LINES_LIMIT {
        return Err(Problem::new(Code::BodyTooLarge, "the import has too many lines")
            .limit(format!("{LINES_LIMIT} lines"))
            .into());
    }
    team.says(&shard.to_be_bytes());
    team.says(lines.as_bytes());
    if let Some(earlier) = team.earlier_answer(env).await? {
        return respond::written(200, earlier);
    }
    let shards = Shards::of(env, &team.site, &plan);
    let change = Change::of(Action::Import, &plan.survey);
    let happened = |imported: &Imported, change: Change| {
        let detail = format!("{} of {count} lines stored", imported.stored);
        (imported.stored > 0).then(|| change.detail(detail))
    };
    let imported = team.change(env, change, shards.import(shard, lines), happened).await?;
    let answer = serde_json::to_string(&imported)?;
    if imported.is_whole() {
        team.keep_answer(env, &answer).await;
    }
    respond::written(200, answer)
}

/// `POST /v1/sites/{site}/surveys/{survey}/displays/{display}/exclude` and `/include`
pub async fn exclude(
    mut request: Request,
    env: &Env,
    (route, survey): (&Route, &str),
    display: &str,
    excluded: bool,
) -> Result<Response, Failure> {
    let team = Team::of(request.headers(), env, route)?;
    let plan = team.plan(env, survey).await?;
    let reason = if excluded {
        let Exclude { reason } = team.read_json(&mut request, DEFINITION_LIMIT).await?;
        check_reason(&reason)?;
        Some(reason)
    } else {
        None
    };
    let id: DisplayId = display.parse().map_err(|_| keeping::unknown_display())?;
    let action = if excluded { Action::Exclude } else { Action::Include };
    let change = Change::of(action, &plan.survey).at(&id.to_string());
    let shards = Shards::of(env, &team.site, &plan);
    let exclude = shards.exclude(id, reason.as_deref());
    team.once(env, team.change(env, change, exclude, |(), change| Some(change))).await?;
    respond::no_content()
}

/// Refuses what cannot be the reason of an exclusion.
pub fn check_reason(reason: &str) -> Result<(), Problem> {
    if reason.trim().is_empty() || reason.chars().count() > REASON_LIMIT {
        return Err(Problem::new(Code::InvalidSettings, "an exclusion has a reason")
            .at("reason")
            .limit(format!("1..={REASON_LIMIT} characters")));
    }
    Ok(())
}

/// `DELETE /v1/sites/{site}/surveys/{survey}/displays/{display}`
pub async fn delete_display(
    request: Request,
    env: &Env,
    (route, survey): (&Route, &str),
    display: &str,
) -> Result<Response, Failure> {
    let team = Team::of(request.headers(), env, route)?;
    let plan = team.plan(env, survey).await?;
    let id: DisplayId = display.parse().map_err(|_| keeping::unknown_display())?;
    let change = Change::of(Action::DeleteResponse, &plan.survey).at(&id.to_string());
    let shards = Shards::of(env, &team.site, &plan);
    let call = SurveyCall::Delete { id };
    let delete = shards.change(&call);
    team.once(env, team.change(env, change, delete, |(), change| Some(change))).await?;
    respond::no_content()
}
