//! Who calls a route of a site: a team with a key, or the operator with the admin token.

use std::rc::Rc;

use asklet_shared::problem::{Code, Problem};
use asklet_shared::scope::Scope;
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use worker::{Env, Headers};

use crate::failure::Failure;
use crate::json;
use crate::operator;
use crate::place;
use crate::respond;
use crate::route::{Access, Route};
use crate::rpc::{self, Answering, By, Plan, SiteCall, TeamCall};
use crate::seal::{ApiKey, Seal, SiteId, SurveyId};
use crate::site::audit::Change;

/// A team that showed a key of the site that it asks about, or the operator. The site has not checked
/// the key yet: it does with each call, so a revoked key is dead at once.
pub struct Team {
    /// Seals the site's ids.
    pub seal: Rc<Seal>,
    /// The site.
    pub site: SiteId,
    by: By,
    /// The scope that the route needs.
    scope: Scope,
}

impl Team {
    /// Whoever sent these headers to a route of a site.
    pub fn of(headers: &Headers, env: &Env, route: &Route) -> Result<Self, Failure> {
        let Access::Team { site, scope, or_operator } = route.access() else {
            return Err(Failure::Broken("the route takes no key".to_owned()));
        };
        let seal = Seal::of(env)?;
        if or_operator && operator::is_admin(headers, env)? {
            return Ok(Self { site: seal.known_site(site)?, seal, by: By::Operator, scope });
        }
        let unknown = || Problem::new(Code::Unauthenticated, "the key is not known");
        let key = ApiKey::parse(&bearer(headers)?).ok_or_else(unknown)?;
        // A key says which site it is for. Whether that site exists is for its holders to know.
        let site_of_key = seal.site(&key.site)?.ok_or_else(unknown)?;
        if site_of_key.as_str() != site {
            return Err(Problem::new(Code::Forbidden, "the key is another site's").into());
        }
        Ok(Self { seal, site: site_of_key, by: By::Key(key.digest), scope })
    }

    /// Whether it is the operator who asks.
    pub fn is_operator(&self) -> bool {
        matches!(self.by, By::Operator)
    }

    /// The survey that an address names.
    pub fn survey(&self, survey: &str) -> Result<SurveyId, Failure> {
        self.seal.known_survey(&self.site, survey)
    }

    /// What has to be known to ask the shards of a survey.
    pub fn plan<'a>(&'a self, env: &'a Env, survey: &'a str) -> Planned<'a> {
        Box::pin(async move {
            let survey = self.survey(survey)?;
            self.call(env, TeamCall::Plan { survey }).await
        })
    }

    /// The surveys that were ever published. What has to be known of each is asked one by one, so that a
    /// site with many keeps nobody else waiting.
    pub async fn published_surveys(&self, env: &Env) -> Result<Vec<SurveyId>, Failure> {
        self.call(env, TeamCall::PublishedSurveys).await
    }

    /// What has to be known of one of them; nothing if it was deleted meanwhile.
    pub async fn plan_if_there(
        &self,
        env: &Env,
        survey: &SurveyId,
    ) -> Result<Option<Plan>, Failure> {
        match self.plan(env, survey.as_str()).await {
            Err(Failure::Problem(problem)) if problem.code == Code::UnknownSurvey => Ok(None),
            outcome => outcome.map(Some),
        }
    }

    /// Writes down what is being read.
    pub async fn note(&self, env: &Env, change: Change) -> Result<(), Failure> {
        self.call(env, TeamCall::Note(change)).await
    }

    /// Has shards change something, and writes down what happened, as `happened` tells it, and nothing else.
    /// Where that does not come to its end, the log says that it may have happened.
    pub async fn change<T>(
        &self,
        env: &Env,
        change: Change,
        work: impl Future<Output = Result<T, Failure>>,
        happened: impl FnOnce(&T, Change) -> Option<Change>,
    ) -> Result<T, Failure> {
        let intent: u64 = self.call(env, TeamCall::Begin(change.clone())).await?;
        let outcome = work.await;
        let happened = match &outcome {
            Ok(done) => happened(done, change),
            Err(Failure::Problem(problem)) if problem.code == Code::UnknownDisplay => None,
            // One shard may have done it before another failed.
            Err(_) => return outcome,
        };
        if let Err(failure) = self.call::<()>(env, TeamCall::End { intent, happened }).await {
            // It is done, whether or not it could be written down at once.
            respond::warn("audit", &format!("{failure:?}"));
        }
        outcome
    }

    /// Asks the site, and reads its answer.
    pub async fn call<T: DeserializeOwned>(&self, env: &Env, call: TeamCall) -> Result<T, Failure> {
        Ok(json::read(&self.ask(env, call).await?)?)
    }

    /// Asks the site what is told as it says it.
    pub fn ask<'a>(&'a self, env: &'a Env, call: TeamCall) -> Answering<'a> {
        self.ask_as(env, self.scope, call)
    }

    /// The same for what takes another scope than the route.
    pub fn ask_as<'a>(&'a self, env: &'a Env, scope: Scope, call: TeamCall) -> Answering<'a> {
        Box::pin(async move {
            let (site, by) = (self.site.clone(), self.by.clone());
            let call = SiteCall::Team { site, by, scope, call };
            let call = serde_json::to_string(&call)?;
            match rpc::ask(&place::site(env, &self.site)?, call).await {
                // A key whose site is gone is a key that is not known.
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

/// What has to be known of a survey, once the site has told it. Boxed: else each route would hold a copy
/// of the asking.
type Planned<'a> = LocalBoxFuture<'a, Result<Plan, Failure>>;

/// Refuses whoever may not call a route. Boxed, since it is rarely needed.
pub fn check<'a>(
    headers: &'a Headers,
    env: &'a Env,
    route: &'a Route,
) -> LocalBoxFuture<'a, Result<(), Failure>> {
    Box::pin(async move {
        match route.access() {
            Access::Public => Ok(()),
            Access::Operator => operator::check_admin(headers, env),
            Access::Team { .. } => {
                Team::of(headers, env, route)?.ask(env, TeamCall::Nothing).await.map(drop)
            }
        }
    })
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
