//! The caller of a site's routes: a team with a key, or the operator with the admin token.

use std::cell::RefCell;
use std::rc::Rc;

use asklet_protocol::audit::AuditEvent;
use asklet_protocol::calls::site::{Caller, Idempotency, SiteCall};
use asklet_protocol::calls::team::TeamCall;
use asklet_protocol::etag::IfMatch;
use asklet_protocol::failure::Failure;
use asklet_protocol::ids::{SiteId, SurveyId};
use asklet_protocol::json;
use asklet_protocol::keys::ApiKey;
use asklet_protocol::plan::Plan;
use asklet_protocol::routes::TeamRequest;
use asklet_protocol::seal::{self, Seal};
use asklet_shared::problem::{Code, Problem};
use asklet_shared::scope::Scope;
use futures_util::future::LocalBoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;
use worker::{Headers, Request};

use crate::http::auth::{self, bearer};
use crate::http::body;
use crate::platform::rpc::{self, Answering};
use crate::platform::trace::Context;
use crate::platform::{deployment, log, stubs};

/// A team that sent a key of the site, or the operator. The site has not checked the key yet. It does so with
/// each call, so a revoked key stops working at once.
pub struct Team {
    /// The deployment.
    pub env: Context,
    /// The seal of the site's ids.
    pub seal: Rc<Seal>,
    /// The site.
    pub site: SiteId,
    by: Caller,
    /// The scope that the route needs.
    scope: Scope,
    /// The request's `Idempotency-Key`, by which it is carried out only once.
    idempotency_key: Option<String>,
    /// The request's `If-Match`, by which a change is made only if what it changes is as the caller read it.
    if_match: Option<String>,
    /// The digest of the request's content.
    said: RefCell<String>,
}

/// The longest `Idempotency-Key`, in characters.
const IDEMPOTENCY_KEY_LIMIT: usize = 255;

impl Team {
    /// Identifies the caller from the headers of a request to a site.
    pub fn of(headers: &Headers, env: &Context, request: &TeamRequest) -> Result<Self, Failure> {
        let TeamRequest { site, scope, or_operator, route } = request;
        let seal = deployment::seal(env)?;
        let team = |site, by| {
            let idempotency_key = headers.get("idempotency-key")?;
            let if_match = headers.get("if-match")?;
            let said = RefCell::new(seal::digest(format!("{site} {route:?}").as_bytes()));
            let (env, seal, scope) = (env.clone(), seal.clone(), *scope);
            Ok(Self { env, seal, site, by, scope, idempotency_key, if_match, said })
        };
        if *or_operator && auth::is_admin(headers, env)? {
            return team(seal.known_site(site)?, Caller::Operator);
        }
        let unknown = || Problem::new(Code::Unauthenticated, "the key is not known");
        let key = ApiKey::parse(&bearer(headers)?).ok_or_else(unknown)?;
        // A key says to which site it belongs. Only the holders of its keys may know whether that site exists.
        let site_of_key = seal.site(&key.site)?.ok_or_else(unknown)?;
        if site_of_key.as_str() != site {
            return Err(Problem::new(Code::Forbidden, "the key belongs to another site").into());
        }
        team(site_of_key, Caller::Key(key.digest))
    }

    /// Refuses a caller who has no permission.
    pub async fn check(&self) -> Result<(), Failure> {
        self.ask(TeamCall::Nothing).await.map(drop)
    }

    /// Reads a JSON body of at most `limit` bytes, and adds it to the digest of the request's content.
    pub async fn read_json<T: DeserializeOwned>(
        &self,
        request: &mut Request,
        limit: usize,
    ) -> Result<T, Failure> {
        let bytes = body::read_body(request, limit).await?;
        self.says(&bytes);
        Ok(json::read_sent(&bytes)?)
    }

    /// Adds to the digest of the request's content. A request without an `Idempotency-Key` needs no digest, and
    /// an import has megabytes.
    pub fn says(&self, bytes: &[u8]) {
        if self.idempotency_key.is_none() {
            return;
        }
        let said = self.said.borrow().clone() + &seal::digest(bytes);
        self.said.replace(seal::digest(said.as_bytes()));
    }

    /// Has shards carry out the request, unless they did so when it came before, and returns the answer. For
    /// requests that the site itself carries out, the site repeats its answer.
    pub async fn once<T: Serialize>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<String, Failure> {
        if let Some(earlier) = self.earlier_answer().await? {
            return Ok(earlier);
        }
        let answer = serde_json::to_string(&work.await?)?;
        self.keep_answer(&answer).await;
        Ok(answer)
    }

    /// Returns the digest that distinguishes the request from others. A reader of the file cannot use it to
    /// test guesses of the request's content.
    fn digest(&self) -> String {
        self.seal.token(&["request", &self.said.borrow()])
    }

    /// Returns the answer that the request got when it came before, for requests that shards carry out.
    pub async fn earlier_answer(&self) -> Result<Option<String>, Failure> {
        match &self.idempotency_key {
            Some(_) => self.call(TeamCall::EarlierAnswer).await,
            None => Ok(None),
        }
    }

    /// Stores the answer to the request. The request has been carried out by now, so a failure here is only
    /// logged.
    pub async fn keep_answer(&self, answer: &str) {
        if self.idempotency_key.is_none() {
            return;
        }
        let call = TeamCall::KeepAnswer { answer: answer.to_owned() };
        if let Err(failure) = self.ask(call).await {
            log::handled(&self.env.trace, "an answer was not kept", &failure);
        }
    }

    /// Has the site make something that has a secret and that the site names by its id. Refuses a repeated
    /// request, since the secret was shown before and is stored nowhere.
    pub async fn make_once(&self, call: TeamCall, id: &str) -> Result<(), Failure> {
        let made: String = self.call(call).await?;
        if made == id {
            return Ok(());
        }
        let detail = "the request was carried out, and its secret is shown only once: remove what it made, \
             and send it with another key";
        Err(Problem::new(Code::ShownOnce, detail).at("Idempotency-Key").limit(made).into())
    }

    /// Whether the caller is the operator.
    pub fn is_operator(&self) -> bool {
        matches!(self.by, Caller::Operator)
    }

    /// Returns the survey that an address names.
    pub fn survey(&self, survey: &str) -> Result<SurveyId, Failure> {
        self.seal.known_survey(&self.site, survey)
    }

    /// Returns the plan of a survey, which is needed to ask its shards.
    pub fn plan<'a>(&'a self, survey: &'a str) -> Planned<'a> {
        Box::pin(async move {
            let survey = self.survey(survey)?;
            self.call(TeamCall::Plan { survey }).await
        })
    }

    /// Returns the surveys that were ever published. Their plans are requested one by one, so that a site with
    /// many surveys does not make others wait.
    pub async fn published_surveys(&self) -> Result<Vec<SurveyId>, Failure> {
        self.call(TeamCall::PublishedSurveys).await
    }

    /// Returns the plan of one of these surveys, or `None` if it has been deleted since.
    pub async fn plan_if_there(&self, survey: &SurveyId) -> Result<Option<Plan>, Failure> {
        match self.plan(survey.as_str()).await {
            Err(Failure::Problem(problem)) if problem.code == Code::UnknownSurvey => Ok(None),
            outcome => outcome.map(Some),
        }
    }

    /// Adds an entry to the log of the site about what is being read.
    pub async fn note(&self, change: AuditEvent) -> Result<(), Failure> {
        self.call(TeamCall::Note(change)).await
    }

    /// Has shards change something, and adds to the log only what `happened` says was done. If the work does
    /// not finish, the log says that the change may have happened.
    pub async fn change<T>(
        &self,
        change: AuditEvent,
        work: impl Future<Output = Result<T, Failure>>,
        happened: impl FnOnce(&T, AuditEvent) -> Option<AuditEvent>,
    ) -> Result<T, Failure> {
        let intent: u64 = self.call(TeamCall::Begin(change.clone())).await?;
        let outcome = work.await;
        let happened = match &outcome {
            Ok(done) => happened(done, change),
            Err(Failure::Problem(problem)) if problem.code == Code::UnknownDisplay => None,
            // One shard may have made the change before another failed.
            Err(_) => return outcome,
        };
        if let Err(failure) = self.call::<()>(TeamCall::End { intent, happened }).await {
            // The change is made, even if it could not be entered in the log at once.
            log::handled(&self.env.trace, "a change is not in the log yet", &failure);
        }
        outcome
    }

    /// Asks the site, and reads its answer.
    pub async fn call<T: DeserializeOwned>(&self, call: TeamCall) -> Result<T, Failure> {
        Ok(json::read(&self.ask(call).await?)?)
    }

    /// Asks the site, and returns its answer as the text that it wrote.
    pub fn ask<'a>(&'a self, call: TeamCall) -> Answering<'a> {
        self.ask_as(self.scope, call)
    }

    /// Asks the site with another scope than that of the route.
    pub fn ask_as<'a>(&'a self, scope: Scope, call: TeamCall) -> Answering<'a> {
        Box::pin(async move {
            let (site, by) = (self.site.clone(), self.by.clone());
            // Whether a caller has permission is asked first, and by itself.
            let once = match (&self.idempotency_key, &call) {
                (Some(key), call) if !matches!(call, TeamCall::Nothing) => {
                    Some(Idempotency { key: check_idempotency_key(key)?, digest: self.digest() })
                }
                _ => None,
            };
            let if_match = match &self.if_match {
                Some(header) if call.change().is_some() => Some(IfMatch::parse(header)?),
                _ => None,
            };
            let call = SiteCall::Team { site, by, scope, once, if_match, call };
            let call = serde_json::to_string(&call)?;
            match rpc::ask(&stubs::site(&self.env, &self.site)?, call).await {
                // A key whose site is deleted counts as an unknown key.
                Err(Failure::Problem(problem))
                    if problem.code == Code::UnknownSite && !self.is_operator() =>
                {
                    Err(Problem::new(Code::Unauthenticated, "the key is not known").into())
                }
                outcome => outcome,
            }
        })
    }
}

/// The plan of a survey, once the site has returned it. Boxed: otherwise each route would contain a copy of the
/// code that asks for it.
type Planned<'a> = LocalBoxFuture<'a, Result<Plan, Failure>>;

/// Refuses a value that cannot be an `Idempotency-Key`.
fn check_idempotency_key(key: &str) -> Result<String, Failure> {
    let is_plain = key.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    if key.is_empty() || key.len() > IDEMPOTENCY_KEY_LIMIT || !is_plain {
        return Err(Problem::new(
            Code::InvalidHeader,
            "the Idempotency-Key must be printable ASCII",
        )
        .at("Idempotency-Key")
        .limit(format!("1 to {IDEMPOTENCY_KEY_LIMIT} characters"))
        .into());
    }
    Ok(key.to_owned())
}
