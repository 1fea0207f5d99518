//! The object `Survey`: one for each shard of a survey. It validates displays against its own copy
//! of the definition, beside the data, and stores each in one transaction.

pub mod fold;
pub mod log;
pub mod record;
pub mod versions;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use asklet_shared::definition::Published;
use asklet_shared::display::Display;
use asklet_shared::problem::{Code, Problem};
use asklet_shared::time::BUCKET_MS;
use asklet_shared::validate::{self, DISPLAY_LIMIT};
use worker::{Date, DurableObject, Env, Request, Response, State, durable_object};

use crate::failure::Failure;
use crate::place;
use crate::respond::{self, Cache};
use crate::route::{Route, route};
use crate::rpc::{self, SiteCall, SurveyCall};
use crate::seal::Seal;
use crate::sql::migrate::Schema;
use crate::sql::object::Object;

/// How long a refused pull is remembered, and how many are.
const REFUSAL_MS: u64 = 60_000;
const REFUSALS_LIMIT: usize = 64;

/// One shard of a survey.
#[durable_object]
pub struct Survey {
    state: State,
    env: Env,
    schema: Schema,
    /// Whether the alarm that folds is known to be set.
    alarm_set: Cell<bool>,
    /// The versions that were used since the object woke.
    published: RefCell<HashMap<u32, Rc<Published>>>,
    /// Versions that the site refused (the latest is `None`), and until when it is not asked again.
    refused: RefCell<HashMap<Option<u32>, (u64, Problem)>>,
}

impl DurableObject for Survey {
    fn new(state: State, env: Env) -> Self {
        Self {
            state,
            env,
            schema: Schema::new(log::MIGRATIONS),
            alarm_set: Cell::new(false),
            published: RefCell::default(),
            refused: RefCell::default(),
        }
    }

    async fn fetch(&self, request: Request) -> worker::Result<Response> {
        respond::finish("survey", self.serve(request).await)
    }

    async fn alarm(&self) -> worker::Result<Response> {
        self.alarm_set.set(false);
        respond::finish("survey alarm", self.settle().await)
    }
}

impl Survey {
    async fn serve(&self, mut request: Request) -> Result<Response, Failure> {
        let path = request.path();
        if path == rpc::PATH {
            return self.answer(respond::read_json(&mut request, usize::MAX).await?).await;
        }
        match route(request.method().as_ref(), &path)? {
            Route::Collect { site, survey, shard } => {
                self.collect(request, Shard { site, survey, shard }).await
            }
            Route::Body { site, survey, digest } => {
                self.body(&Shard { site, survey, shard: 0 }, &digest).await
            }
            _ => Err(Problem::new(Code::NotFound, "there is no such route").into()),
        }
    }

    async fn answer(&self, call: SurveyCall) -> Result<Response, Failure> {
        match call {
            SurveyCall::Publish(published) => {
                self.keep(*published)?;
                rpc::answer(&())
            }
            SurveyCall::Count(request) => {
                if !self.wake()? {
                    return rpc::answer(&request.nothing());
                }
                let sql = self.sql();
                fold::fold(&sql, Date::now().as_millis())?;
                rpc::answer(&fold::count(&sql, &request)?)
            }
            SurveyCall::Erase => {
                let storage = self.state.storage();
                storage.delete_alarm().await?;
                storage.delete_all().await?;
                self.schema.forget();
                self.alarm_set.set(false);
                self.published.borrow_mut().clear();
                rpc::answer(&())
            }
        }
    }

    async fn collect(&self, mut request: Request, shard: Shard) -> Result<Response, Failure> {
        let content_type = request.headers().get("content-type")?.unwrap_or_default();
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        let taken = ["text/plain", "application/json"];
        if !taken.iter().any(|taken| media_type.eq_ignore_ascii_case(taken)) {
            return Err(Problem::new(Code::UnsupportedMediaType, "a display is sent as JSON")
                .limit("text/plain or application/json")
                .into());
        }
        let origin = request.headers().get("origin")?;
        let mut display: Display = respond::read_json(&mut request, DISPLAY_LIMIT).await?;
        let published = self.published(&shard, display.version).await?;
        check_origin(&published, origin.as_deref())?;
        validate::display(&mut display, &published.definition)?;
        record::record(&self.sql(), display, Date::now().as_millis())?;
        self.set_alarm().await?;
        Ok(respond::public(Cache::Never)?.with_status(204).empty())
    }

    async fn body(&self, shard: &Shard, digest: &str) -> Result<Response, Failure> {
        let mut body = self.find_body(digest)?;
        if body.is_none() {
            // The push of a version may have failed, and its body is asked for before any display.
            self.pull(shard, None).await?;
            body = self.find_body(digest)?;
        }
        let unknown = || Problem::new(Code::UnknownBody, "the survey has no such body");
        let answer = respond::public(Cache::Immutable)?;
        let answer = answer.with_header("content-type", "application/octet-stream")?;
        Ok(answer.fixed(body.ok_or_else(unknown)?))
    }

    fn find_body(&self, digest: &str) -> Result<Option<Vec<u8>>, Failure> {
        if self.wake()? { versions::find_body(&self.sql(), digest) } else { Ok(None) }
    }

    /// The version that a display names: from memory, from the store, or pulled from the site.
    async fn published(&self, shard: &Shard, version: u32) -> Result<Rc<Published>, Failure> {
        if let Some(published) = self.published.borrow().get(&version) {
            return Ok(published.clone());
        }
        if self.wake()?
            && let Some(published) = versions::find(&self.sql(), version)?
        {
            return Ok(self.remember(published));
        }
        self.pull(shard, Some(version)).await
    }

    /// Asks the site for a version, or for the latest, unless it refused a moment ago. What it gave
    /// a moment ago it need not give again either.
    async fn pull(&self, shard: &Shard, version: Option<u32>) -> Result<Rc<Published>, Failure> {
        let now_ms = Date::now().as_millis();
        if let Some((until_ms, problem)) = self.refused.borrow().get(&version)
            && now_ms < *until_ms
        {
            return Err(problem.clone().into());
        }
        match shard.pull(&self.env, version).await {
            Ok(published) => {
                let kept = self.keep(published)?;
                if version.is_none() {
                    // Whoever asks for more digests that do not exist does not reach the site.
                    let unknown = Problem::new(Code::UnknownBody, "the survey has no such body");
                    self.refuse(version, unknown, now_ms);
                }
                Ok(kept)
            }
            Err(Failure::Problem(problem)) => {
                self.refuse(version, problem.clone(), now_ms);
                Err(problem.into())
            }
            Err(broken) => Err(broken),
        }
    }

    fn refuse(&self, version: Option<u32>, problem: Problem, now_ms: u64) {
        let mut refused = self.refused.borrow_mut();
        refused.retain(|_, (until_ms, _)| now_ms < *until_ms);
        if refused.len() < REFUSALS_LIMIT {
            refused.insert(version, (now_ms + REFUSAL_MS, problem));
        }
    }

    /// Stores a version; the first one sets the object up.
    fn keep(&self, published: Published) -> Result<Rc<Published>, Failure> {
        let sql = self.sql();
        self.schema.wake(&sql, true)?;
        versions::keep(&sql, &published)?;
        self.refused.borrow_mut().clear();
        Ok(self.remember(published))
    }

    fn remember(&self, published: Published) -> Rc<Published> {
        let published = Rc::new(published);
        self.published.borrow_mut().insert(published.version, published.clone());
        published
    }

    /// Brings the schema up to date. `false` where nothing was ever stored: nothing is created.
    fn wake(&self) -> Result<bool, Failure> {
        self.schema.wake(&self.sql(), false)
    }

    /// Makes sure that the tail is folded even if nobody asks for a summary.
    async fn set_alarm(&self) -> Result<(), Failure> {
        if self.alarm_set.get() {
            return Ok(());
        }
        let storage = self.state.storage();
        if storage.get_alarm().await?.is_none() {
            let in_bucket_ms = Date::now().as_millis() % BUCKET_MS;
            storage.set_alarm(Duration::from_millis(2 * BUCKET_MS - in_bucket_ms)).await?;
        }
        self.alarm_set.set(true);
        Ok(())
    }

    async fn settle(&self) -> Result<Response, Failure> {
        if self.wake()? {
            let sql = self.sql();
            fold::fold(&sql, Date::now().as_millis())?;
            if fold::has_tail(&sql)? {
                self.set_alarm().await?;
            }
        }
        Ok(Response::empty()?)
    }

    fn sql(&self) -> Object {
        Object::of(&self.state)
    }
}

/// Which shard of which survey a request was forwarded to, as its address says.
struct Shard {
    site: String,
    survey: String,
    shard: u16,
}

impl Shard {
    /// Asks the site for a version that this shard lacks, or for the latest.
    async fn pull(&self, env: &Env, version: Option<u32>) -> Result<Published, Failure> {
        let seal = Seal::of(env)?;
        let site = seal.known_site(&self.site)?;
        let survey = seal.known_survey(&site, &self.survey)?;
        let call = SiteCall::Published { survey, version, shard: self.shard };
        rpc::call(&place::site(env, &site)?, &call).await
    }
}

/// Keeps other sites' browsers out. A program can send any origin or none; this does not stop one.
fn check_origin(published: &Published, origin: Option<&str>) -> Result<(), Problem> {
    let Some(origin) = origin else { return Ok(()) };
    if published.origins.iter().any(|listed| listed == "*" || listed == origin) {
        return Ok(());
    }
    Err(Problem::new(Code::OriginNotAllowed, "the site does not list the page's origin"))
}
