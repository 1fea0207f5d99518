//! The object `Site`: one for each site. It keeps settings, keys and definitions, and sends the shards of its
//! surveys what they need to know. No display passes through it.

mod migration;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use asklet_protocol::audit::OPERATOR;
use asklet_protocol::calls::site::{Caller, Live, SiteCall};
use asklet_protocol::calls::survey::{Counts, SurveyCall};
use asklet_protocol::calls::team::TeamCall;
use asklet_protocol::failure::Failure;
use asklet_protocol::ids::{SiteId, SurveyId};
use asklet_protocol::keys::KeyDigest;
use asklet_protocol::problems;
use asklet_shared::config::{Config, ConfigSurvey, Files};
use asklet_shared::funnel::FUNNEL;
use asklet_shared::problem::{Code, Problem};
use asklet_shared::scope::Scope;
use asklet_shared::settings::PagePart;
use asklet_shared::summary::Funnel;
use asklet_shared::tally;
use asklet_shared::time::END_OF_TIME_MS;
use asklet_store::site::outbox::{self, OutboxMessage};
use asklet_store::site::published::{self, LiveSurvey};
use asklet_store::site::refused_keys::{self, RefusedKeys};
use asklet_store::site::team::CallContext;
use asklet_store::site::{
    audit, installs, keys, migration as moving, schema, settings, surveys, team,
};
use asklet_store::sql::Sql;
use asklet_store::sql::migrate::Schema;
use futures_util::future::LocalBoxFuture;
use worker::{Date, DurableObject, Env, Request, Response, State, durable_object};

use crate::http::respond;
use crate::platform::alarm::ObjectAlarm;
use crate::platform::sql::Object;
use crate::platform::trace::{Context, Trace};
use crate::platform::{deployment, log, metrics, rpc, stubs};

/// The name of the object in logs and metrics.
const KIND: &str = "site";

/// How long a number of responses is recent enough to compare with a quota, in milliseconds.
const RESPONSES_MS: u64 = 15_000;

/// Outbox messages that are being delivered.
type Running<'a> = LocalBoxFuture<'a, Result<(), Failure>>;

/// One site.
#[durable_object]
pub struct Site {
    state: State,
    env: Env,
    sql: Object,
    schema: Schema,
    /// The number of responses of each survey with a quota, and when it was counted.
    responses: RefCell<HashMap<String, (u64, u64)>>,
    /// Whether the identity secrets were checked for encryption since the object woke.
    secrets_locked: Cell<bool>,
    /// The keys that were refused since the object woke.
    refused_keys: RefCell<RefusedKeys>,
}

impl DurableObject for Site {
    fn new(state: State, env: Env) -> Self {
        metrics::woke(KIND);
        log::configure(&env);
        Self {
            sql: Object::of(&state),
            state,
            env,
            schema: Schema::new(schema::MIGRATIONS),
            responses: RefCell::default(),
            secrets_locked: Cell::new(false),
            refused_keys: RefCell::default(),
        }
    }

    async fn fetch(&self, request: Request) -> worker::Result<Response> {
        let trace = rpc::trace(&request, KIND)?;
        let context = Context::new(self.env.clone(), trace.clone());
        respond::finish(&trace, self.serve(&context, request).await)
    }

    async fn alarm(&self) -> worker::Result<Response> {
        let trace = Trace::new(KIND);
        let context = Context::new(self.env.clone(), trace.clone());
        respond::alarm(&trace, self.retry(&context).await)?;
        Response::empty()
    }
}

impl Site {
    async fn serve(&self, context: &Context, mut request: Request) -> Result<Response, Failure> {
        let call = rpc::read(&mut request, &self.env).await?;
        let sql = &self.sql;
        let now_ms = Date::now().as_millis();
        let is_new = matches!(call, SiteCall::Create { .. });
        if !self.schema.wake(sql, is_new)? {
            return Err(Problem::new(Code::UnknownSite, "there is no such site").into());
        }
        match call {
            SiteCall::Create { settings, key } => {
                rpc::answer(&schema::create(sql, &settings, &key, now_ms)?)
            }
            SiteCall::Live { site, files } => {
                rpc::answer(&self.live(context, &site, files, now_ms).await?)
            }
            SiteCall::Published { survey, version, shard } => {
                moving::check_complete(sql)?;
                rpc::answer(&published::published(sql, &survey, version, shard)?)
            }
            SiteCall::Draft { survey, revocations } => {
                if surveys::revocations(sql, &survey)? != revocations {
                    return Err(problems::revoked().into());
                }
                rpc::answer(&published::draft(sql, &survey)?)
            }
            SiteCall::Installed { origin, directive } => {
                rpc::answer(&installs::note(sql, &origin, directive, now_ms)?)
            }
            SiteCall::Team { site, by, scope, once, if_match, call } => {
                let who = match by {
                    Caller::Key(key) => self.authorize(&key, scope, now_ms)?,
                    Caller::Operator => OPERATOR.to_owned(),
                };
                let change = call.change();
                let call_context = CallContext {
                    who: &who,
                    change: change.as_ref(),
                    once: once.as_ref(),
                    if_match: if_match.as_ref(),
                    now_ms,
                };
                self.team(context, &site, call_context, call).await
            }
            SiteCall::Delete { site } => self.delete(context, &site).await,
            SiteCall::GiveBundle { site, cursor, keys } => {
                rpc::rendered(self.give_bundle(context, site, cursor, keys, now_ms).await?)
            }
            SiteCall::TakeBundle { site, page } => {
                rpc::answer(&self.take_bundle(context, &site, page, now_ms).await?)
            }
        }
    }

    /// Checks a key, and adds a refusal to the log. Returns the key's id.
    fn authorize(&self, key: &KeyDigest, scope: Scope, now_ms: u64) -> Result<String, Failure> {
        let sql = &self.sql;
        let outcome = keys::authorize(sql, key, scope, now_ms);
        if let Err(Failure::Problem(problem)) = &outcome {
            let id = keys::find_id(sql, key)?;
            let who = id.as_deref().unwrap_or(refused_keys::UNKNOWN);
            let entry = self.refused_keys.borrow_mut().note(who, problem.code, now_ms);
            if let Some(entry) = entry {
                sql.transaction(|| audit::add(sql, who, &entry, now_ms))?;
            }
        }
        outcome
    }

    /// Serves a team or the operator, whose credential was checked.
    async fn team(
        &self,
        context: &Context,
        site: &SiteId,
        call_context: CallContext<'_>,
        call: TeamCall,
    ) -> Result<Response, Failure> {
        if matches!(call, TeamCall::Delete) {
            return self.delete(context, site).await;
        }
        moving::check_complete(&self.sql)?;
        let is_due = !self.secrets_locked.get() && self.lock_secrets(site)?;
        let answer = team::answer(&self.sql, site, call_context, call);
        // The change is made, whether or not the outbox messages are delivered. Those that are left are
        // delivered later.
        if ((call_context.change.is_some() && answer.is_ok()) || is_due)
            && let Err(failure) = self.deliver_messages(context).await
        {
            log::handled(&context.trace, "messages wait for the next change", &failure);
        }
        rpc::rendered(answer?)
    }

    /// Encrypts the identity secrets that were stored before the deployment had a key for it, once each time
    /// that the object wakes. Returns whether the shards have to be notified.
    fn lock_secrets(&self, site: &SiteId) -> Result<bool, Failure> {
        let vault = deployment::vault(&self.env)?;
        let is_due = self.sql.transaction(|| {
            let is_due = settings::lock_secrets(&self.sql, &vault)?;
            if is_due {
                outbox::notify(&self.sql, site, None)?;
            }
            Ok(is_due)
        })?;
        self.secrets_locked.set(true);
        Ok(is_due)
    }

    /// Removes the site with everything in it. A deletion that breaks off can be repeated.
    async fn delete(&self, context: &Context, site: &SiteId) -> Result<Response, Failure> {
        for survey in surveys::list(&self.sql)? {
            let survey = SurveyId::stored(survey.survey);
            self.sql.transaction(|| surveys::delete(&self.sql, site, &survey))?;
        }
        self.deliver_messages(context).await?;
        if !outbox::all(&self.sql)?.is_empty() {
            return Err(Failure::broken("a shard could not be emptied"));
        }
        let storage = self.state.storage();
        storage.delete_alarm().await?;
        storage.delete_all().await?;
        self.schema.forget();
        rpc::answer(&())
    }

    /// Returns the surveys that pages may show: those that are live and want more responses.
    async fn live(
        &self,
        context: &Context,
        site: &SiteId,
        files: Option<Files>,
        now_ms: u64,
    ) -> Result<Live, Failure> {
        let mut surveys = Vec::new();
        let settings = settings::read(&self.sql)?;
        let seal = deployment::seal(&self.env)?;
        let live = match settings.refuse || moving::is_migrating(&self.sql)? {
            // A visitor who answered now would do so for nothing: the answer would not be stored.
            true => Vec::new(),
            false => {
                let address = &|survey: &SurveyId, shard| seal.shard(site, survey, shard);
                published::live(&self.sql, address, &settings.look(), now_ms)?
            }
        };
        for LiveSurvey { mut survey, quota } in live {
            let is_full = match quota {
                Some(quota) => {
                    self.responses(context, site, &survey, now_ms).await >= u64::from(quota)
                }
                None => false,
            };
            if !is_full {
                survey.query = settings.privacy.page == PagePart::Query;
                surveys.push(survey);
            }
        }
        let ask_despite_signal = settings.privacy.ask_despite_signal;
        let ids = surveys.iter().map(|survey| survey.id.clone()).collect();
        let config = match surveys.is_empty() {
            true => Config::nothing(),
            false => Config { files, rest_days: settings.rest_days, surveys, problem: None },
        };
        let config = serde_json::to_string(&config)?;
        Ok(Live { surveys: ids, config, ask_despite_signal, origins: settings.origins })
    }

    /// Returns how many responses a survey has. If a shard cannot count, this is the number that was known
    /// before: one survey must not keep the others from the page.
    async fn responses(
        &self,
        context: &Context,
        site: &SiteId,
        survey: &ConfigSurvey,
        now_ms: u64,
    ) -> u64 {
        let known = self.responses.borrow().get(&survey.id).copied();
        match known {
            Some((at_ms, known)) if now_ms.saturating_sub(at_ms) < RESPONSES_MS => return known,
            _ => {}
        }
        let responses = match self.count_responses(context, site, survey).await {
            Ok(responses) => responses,
            Err(failure) => {
                log::handled(&context.trace, "a shard did not count", &failure);
                known.map_or(0, |(_, known)| known)
            }
        };
        self.responses.borrow_mut().insert(survey.id.clone(), (now_ms, responses));
        responses
    }

    async fn count_responses(
        &self,
        context: &Context,
        site: &SiteId,
        survey: &ConfigSurvey,
    ) -> Result<u64, Failure> {
        let id = SurveyId::stored(survey.id.clone());
        let call = SurveyCall::Count(tally::Request::whole("", 0, END_OF_TIME_MS));
        let mut responses = 0;
        for (shard, _) in (0..).zip(&survey.shards) {
            let stub = stubs::survey(context, site, &id, shard)?;
            let counts: Counts = rpc::call(&stub, &call).await?;
            responses += Funnel::of(&counts.counted.total().question(FUNNEL)).started;
        }
        Ok(responses)
    }

    /// Boxed: otherwise the module would contain this code once for each place that awaits it.
    fn deliver_messages<'a>(&'a self, context: &'a Context) -> Running<'a> {
        Box::pin(async move {
            let alarm = ObjectAlarm(&self.state);
            let run = async |message: &OutboxMessage| {
                let outcome = self.deliver(context, message).await;
                if let Err(failure) = &outcome {
                    let what = format!("a message to shard {} was not delivered", message.shard);
                    log::handled(&context.trace, &what, failure);
                }
                outcome.is_ok()
            };
            let outcome = outbox::deliver_all(&self.sql, &alarm, run).await;
            let waiting = outbox::all(&self.sql)?.len();
            let waiting = u64::try_from(waiting).unwrap_or(u64::MAX);
            metrics::measured(KIND, self.state.id().to_string(), self.sql.bytes(), waiting);
            outcome
        })
    }

    fn deliver<'a>(&'a self, context: &'a Context, message: &'a OutboxMessage) -> Running<'a> {
        Box::pin(self.deliver_one(context, message))
    }

    async fn deliver_one(&self, context: &Context, message: &OutboxMessage) -> Result<(), Failure> {
        let survey = SurveyId::stored(message.survey.clone());
        let call = if message.forget {
            SurveyCall::Forget { revision: message.revision }
        } else if moving::is_migrating(&self.sql)? {
            SurveyCall::StartMigration
        } else {
            let publication = published::published(&self.sql, &survey, None, message.shard)?;
            SurveyCall::Take(Box::new(publication))
        };
        let stub = stubs::survey(context, &message.site, &survey, message.shard)?;
        rpc::call::<()>(&stub, &call).await
    }

    async fn retry(&self, context: &Context) -> Result<(), Failure> {
        if self.schema.wake(&self.sql, false)? {
            self.deliver_messages(context).await
        } else {
            Ok(())
        }
    }
}
