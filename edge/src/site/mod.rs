//! The object `Site`: one for each site. It keeps settings, keys and definitions, and tells the shards
//! of its surveys what they have to know. It is never on the way of a display.

mod errands;
mod published;
mod settings;
mod store;
mod surveys;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::collections::HashMap;

use asklet_shared::config::ConfigSurvey;
use asklet_shared::counter::FUNNEL;
use asklet_shared::problem::{Code, Problem};
use asklet_shared::settings::PagePart;
use asklet_shared::summary::Funnel;
use asklet_shared::tally;
use worker::{Date, DurableObject, Env, Request, Response, State, durable_object};

use crate::failure::Failure;
use crate::place;
use crate::respond;
use crate::rpc::{self, Counts, Live, SiteCall, SurveyAction, SurveyCall, TeamCall};
use crate::seal::{Seal, SiteId, SurveyId};
use crate::sql::migrate::Schema;
use crate::sql::object::Object;
use crate::survey::fold::END_OF_TIME_MS;
use errands::Errand;
use published::LiveSurvey;

/// For how long a number of responses is good enough to compare with a quota.
const RESPONSES_MS: u64 = 15_000;

/// One site.
#[durable_object]
pub struct Site {
    state: State,
    env: Env,
    sql: Object,
    schema: Schema,
    /// How many responses surveys with a quota had, and when that was asked.
    responses: RefCell<HashMap<String, (u64, u64)>>,
}

impl DurableObject for Site {
    fn new(state: State, env: Env) -> Self {
        Self {
            sql: Object::of(&state),
            state,
            env,
            schema: Schema::new(store::MIGRATIONS),
            responses: RefCell::default(),
        }
    }

    async fn fetch(&self, request: Request) -> worker::Result<Response> {
        respond::finish("site", self.serve(request).await)
    }

    async fn alarm(&self) -> worker::Result<Response> {
        respond::alarm(self.retry().await)?;
        Response::empty()
    }
}

impl Site {
    async fn serve(&self, mut request: Request) -> Result<Response, Failure> {
        let call = rpc::read(&mut request).await?;
        let sql = &self.sql;
        let now_ms = Date::now().as_millis();
        let is_new = matches!(call, SiteCall::Create { .. });
        if !self.schema.wake(sql, is_new)? {
            return Err(Problem::new(Code::UnknownSite, "there is no such site").into());
        }
        match call {
            SiteCall::Create { settings, key } => {
                rpc::answer(&store::create(sql, &settings, &key, now_ms)?)
            }
            SiteCall::Live { site } => rpc::answer(&self.live(&site, now_ms).await?),
            SiteCall::Published { survey, version, shard } => {
                rpc::answer(&published::published(sql, &survey, version, shard)?)
            }
            SiteCall::Draft { survey } => rpc::answer(&published::draft(sql, &survey)?),
            SiteCall::Team { site, key, call } => {
                store::authorize(sql, &key, call.scope())?;
                self.team(&site, call, now_ms).await
            }
            SiteCall::Delete { site } => self.delete(&site).await,
        }
    }

    /// Serves a team whose key was checked.
    async fn team(&self, site: &SiteId, call: TeamCall, now_ms: u64) -> Result<Response, Failure> {
        let sql = &self.sql;
        match call {
            TeamCall::Settings => rpc::answer(&settings::record(sql)?),
            TeamCall::ChangeSettings(changed) => {
                self.change(site, None, || settings::change(sql, &changed)).await?;
                rpc::answer(&settings::record(sql)?)
            }
            TeamCall::AddSecret { id, secret } => {
                let add = || settings::add_secret(sql, &id, &secret, now_ms);
                self.change(site, None, add).await?;
                rpc::answer(&settings::record(sql)?)
            }
            TeamCall::RemoveSecret { id } => {
                self.change(site, None, || settings::remove_secret(sql, &id)).await?;
                rpc::answer(&settings::record(sql)?)
            }
            TeamCall::Delete => self.delete(site).await,
            TeamCall::Surveys => rpc::answer(&surveys::list(sql)?),
            TeamCall::CreateSurvey { survey, draft } => {
                surveys::create(sql, &survey, &draft, now_ms)?;
                rpc::answer(&surveys::read(sql, &survey)?)
            }
            TeamCall::Survey { survey, action } => {
                match self.act(site, &survey, action, now_ms).await? {
                    Some(changed) => rpc::answer(&surveys::read(sql, &changed)?),
                    None => rpc::answer(&()),
                }
            }
            TeamCall::Plan { survey, .. } => rpc::answer(&published::plan(sql, &survey)?),
            TeamCall::Plans { .. } => rpc::answer(&published::plans(sql)?),
        }
    }

    /// Does something with a survey. Returns the survey to show afterwards.
    async fn act(
        &self,
        site: &SiteId,
        survey: &SurveyId,
        action: SurveyAction,
        now_ms: u64,
    ) -> Result<Option<SurveyId>, Failure> {
        let sql = &self.sql;
        match action {
            SurveyAction::Read => {}
            SurveyAction::Check => published::check(sql, survey)?,
            SurveyAction::Update(draft) => surveys::update(sql, survey, &draft)?,
            SurveyAction::SetStatus(status) => {
                let set = || surveys::set_status(sql, survey, status, now_ms);
                self.change(site, Some(survey), set).await?;
            }
            SurveyAction::SetShards(shards) => {
                // A new one may have refused a display just before, and has to hear of it.
                let set = || surveys::set_shards(sql, survey, shards);
                self.change(site, Some(survey), set).await?;
            }
            SurveyAction::Duplicate(copy) => {
                let draft = surveys::read(sql, survey)?.draft;
                let draft =
                    draft.ok_or_else(|| Failure::Broken("a survey has no draft".to_owned()))?;
                surveys::create(sql, &copy, &draft, now_ms)?;
                return Ok(Some(copy));
            }
            SurveyAction::Publish => {
                let publish = || published::publish(sql, survey, now_ms);
                self.change(site, Some(survey), publish).await?;
            }
            SurveyAction::Delete => {
                // From here on nobody can pull it; what is on its way to a shard the shard ignores.
                surveys::delete(sql, site, survey)?;
                self.run_errands().await?;
                return Ok(None);
            }
        }
        Ok(Some(survey.clone()))
    }

    /// Removes the site with everything in it. What breaks off can be repeated.
    async fn delete(&self, site: &SiteId) -> Result<Response, Failure> {
        for survey in surveys::list(&self.sql)? {
            surveys::delete(&self.sql, site, &SurveyId::stored(survey.survey))?;
        }
        self.run_errands().await?;
        if !errands::all(&self.sql)?.is_empty() {
            return Err(Failure::Broken("a shard could not be emptied".to_owned()));
        }
        let storage = self.state.storage();
        storage.delete_alarm().await?;
        storage.delete_all().await?;
        self.schema.forget();
        rpc::answer(&())
    }

    /// The surveys that pages are told of: those that are live and want more responses.
    async fn live(&self, site: &SiteId, now_ms: u64) -> Result<Live, Failure> {
        let mut surveys = Vec::new();
        let settings = settings::read(&self.sql)?;
        let seal = Seal::of(&self.env)?;
        let live = published::live(&self.sql, (&seal, site), &settings.look(), now_ms)?;
        for LiveSurvey { mut survey, quota } in live {
            let is_full = match quota {
                Some(quota) => self.responses(site, &survey, now_ms).await >= u64::from(quota),
                None => false,
            };
            if !is_full {
                survey.query = settings.privacy.page == PagePart::Query;
                surveys.push(survey);
            }
        }
        let ask_despite_signal = settings.privacy.ask_despite_signal;
        Ok(Live { surveys, rest_days: settings.rest_days, ask_despite_signal })
    }

    /// How many responses a survey has. Where a shard cannot tell, it is what was known before: one
    /// survey must not take the others from the page.
    async fn responses(&self, site: &SiteId, survey: &ConfigSurvey, now_ms: u64) -> u64 {
        let known = self.responses.borrow().get(&survey.id).copied();
        match known {
            Some((at_ms, known)) if now_ms.saturating_sub(at_ms) < RESPONSES_MS => return known,
            _ => {}
        }
        let responses = match self.count_responses(site, survey).await {
            Ok(responses) => responses,
            Err(failure) => {
                respond::warn("quota", &format!("a shard did not count: {failure:?}"));
                known.map_or(0, |(_, known)| known)
            }
        };
        self.responses.borrow_mut().insert(survey.id.clone(), (now_ms, responses));
        responses
    }

    async fn count_responses(&self, site: &SiteId, survey: &ConfigSurvey) -> Result<u64, Failure> {
        let id = SurveyId::stored(survey.id.clone());
        let call = SurveyCall::Count(tally::Request::whole("", 0, END_OF_TIME_MS));
        let mut responses = 0;
        for (shard, _) in (0..).zip(&survey.shards) {
            let stub = place::survey(&self.env, site, &id, shard)?;
            let counts: Counts = rpc::call(&stub, &call).await?;
            responses += Funnel::of(&counts.counted.total().question(FUNNEL)).started;
        }
        Ok(responses)
    }

    /// Makes a change that the shards of one survey, or of all, have to know of, and tells them.
    async fn change(
        &self,
        site: &SiteId,
        survey: Option<&SurveyId>,
        change: impl FnOnce() -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        errands::change(&self.sql, site, survey.map(SurveyId::as_str), change)?;
        self.run_errands().await
    }

    async fn run_errands(&self) -> Result<(), Failure> {
        errands::run_all(&self.sql, &self.state, async |errand: &Errand| {
            let outcome = self.run(errand).await;
            if let Err(failure) = &outcome {
                respond::warn("errand", &format!("shard {}: {failure:?}", errand.shard));
            }
            outcome.is_ok()
        })
        .await
    }

    async fn run(&self, errand: &Errand) -> Result<(), Failure> {
        let survey = SurveyId::stored(errand.survey.clone());
        let call = if errand.forget {
            SurveyCall::Forget { number: errand.number }
        } else {
            let told = published::published(&self.sql, &survey, None, errand.shard)?;
            SurveyCall::Take(Box::new(told))
        };
        let stub = place::survey(&self.env, &errand.site, &survey, errand.shard)?;
        rpc::call::<()>(&stub, &call).await
    }

    async fn retry(&self) -> Result<(), Failure> {
        if self.schema.wake(&self.sql, false)? { self.run_errands().await } else { Ok(()) }
    }
}
