//! The object `Survey`: one for each shard of a survey. It validates displays against its own copy of the
//! definition, which it keeps beside the data, and stores each display in one transaction.

mod address;
mod bodies;
mod calls;
mod headers;
mod hosted;
mod knowledge;
mod maintenance;
mod migration;
mod slices;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use asklet_protocol::failure::Failure;
use asklet_protocol::json;
use asklet_protocol::policy::Policy;
use asklet_protocol::routes::{ForwardedRoute, Found, Route, find, not_found};
use asklet_shared::definition::Published;
use asklet_shared::display::Display;
use asklet_shared::problem::{Code, Problem};
use asklet_shared::settings::{self, Limits};
use asklet_shared::time::DAY_MS;
use asklet_shared::validate::{self, DISPLAY_LIMIT};
use asklet_store::shard::arrival::{self, RequestContext, SurveyContext};
use asklet_store::shard::capacity::Capacity;
use asklet_store::shard::identity::Moment;
use asklet_store::shard::limiter::Limiter;
use asklet_store::shard::maintenance::RetentionProgress;
use asklet_store::shard::negative_cache::NegativeCache;
use asklet_store::shard::record::{self, AGE_LIMIT_MS, Recorded};
use asklet_store::shard::{schema, versions};
use asklet_store::sql::migrate::Schema;
use wasm_bindgen::prelude::*;
use worker::js_sys::{Promise, Uint8Array};
use worker::worker_sys::DurableObjectState;
use worker::{Date, Env, Request, Response, State, web_sys};

use crate::http::checks::check_media_type;
use crate::http::respond::{self, Cache};
use crate::http::{body, problems, promise, url};
use crate::objects::survey::address::Address;
use crate::objects::survey::bodies::Bodies;
use crate::objects::survey::headers::Intake;
use crate::platform::sql::Object;
use crate::platform::trace::{Context, Trace};
use crate::platform::{log, metrics, rpc};

/// The name of the object in logs and metrics.
const KIND: &str = "survey";

thread_local! {
    static BROKE_OFF: promise::Broken = promise::Broken::new(|why: JsValue| {
        let problem = if why.is_null() { problems::body_timeout() } else { problems::broke_off() };
        respond::settle::<Response>(&Trace::new("collect"), Err(problem.into()))
    });
}

/// One shard of a survey, as the platform holds it.
#[wasm_bindgen]
pub struct Survey(Rc<Shard>);

#[wasm_bindgen]
impl Survey {
    /// Creates the object when the shard wakes.
    #[wasm_bindgen(constructor)]
    pub fn new(state: DurableObjectState, env: Env) -> Self {
        metrics::woke(KIND);
        log::configure(&env);
        let state = State::from(state);
        Self(Rc::new(Shard {
            sql: Object::of(&state),
            intake: Intake::of(&env),
            bodies: Bodies::new(problems::BODY_MS),
            state,
            env,
            schema: Schema::new(schema::MIGRATIONS),
            limiter: RefCell::default(),
            capacity: Capacity::default(),
            alarm_set: Cell::new(false),
            tail_length: Cell::new(None),
            retention_progress: Cell::default(),
            published: RefCell::default(),
            policy: RefCell::default(),
            negative_cache: RefCell::default(),
            forgotten: Cell::new(0),
            woken_ms: Date::now().as_millis(),
        }))
    }

    /// Answers a request.
    pub fn fetch(&self, request: web_sys::Request) -> Result<JsValue, JsValue> {
        let mut trace = Trace::new(KIND);
        match self.0.serve(request, &mut trace) {
            Ok(promise) => Ok(promise.into()),
            Err(failure) => respond::settle::<Response>(&trace, Err(failure)),
        }
    }

    /// Runs maintenance when the alarm goes off.
    pub fn alarm(&self) -> Promise {
        let shard = self.0.clone();
        promise::of_alarm(Trace::new(KIND), async move { shard.maintain().await })
    }
}

/// One shard of a survey.
struct Shard {
    state: State,
    env: Env,
    sql: Object,
    schema: Schema,
    intake: Intake,
    bodies: Bodies,
    limiter: RefCell<Limiter>,
    capacity: Capacity,
    /// Whether an alarm is known to be set.
    alarm_set: Cell<bool>,
    /// The maximum number of displays that can be in the tail, once the tail was counted.
    tail_length: Cell<Option<usize>>,
    /// How far retention has got since the object woke.
    retention_progress: Cell<RetentionProgress>,
    /// The versions that were in use since the object woke.
    published: RefCell<HashMap<u32, Rc<Published>>>,
    /// The policy, once it was read.
    policy: RefCell<Option<Rc<Policy>>>,
    /// The negative cache: what the site refused a moment ago.
    negative_cache: RefCell<NegativeCache>,
    /// The number of the change that deleted the survey; 0 if the survey is not deleted.
    forgotten: Cell<u64>,
    /// When the object woke.
    woken_ms: u64,
}

impl Shard {
    /// Answers a call, or a public request that was forwarded. Sets `trace` to the trace of the request.
    fn serve(
        self: &Rc<Self>,
        request: web_sys::Request,
        trace: &mut Trace,
    ) -> Result<Promise, Failure> {
        let this = self.clone();
        let url = request.url();
        let path = url::path(&url);
        if path == rpc::PATH {
            let mut request = Request::from(request);
            *trace = rpc::trace(&request, KIND)?;
            let trace = trace.clone();
            return Ok(promise::of_call(trace.clone(), async move {
                let call = rpc::read(&mut request, &this.env).await?;
                this.answer(&trace, call).await
            }));
        }
        let Found { endpoint, route } = find(&request.method(), path)?;
        trace.route = endpoint.id;
        let (trace, context) = (trace.clone(), Context::new(self.env.clone(), trace.clone()));
        match route {
            Route::Forwarded(ForwardedRoute::Collect { site, survey, shard, .. }) => {
                let address = Address { context, site, survey, shard };
                this.collect(request, address)
            }
            Route::Forwarded(ForwardedRoute::Hosted { site, survey }) => {
                let address = Address { context, site, survey, shard: 0 };
                Ok(promise::of(trace, async move { this.hosted(request.into(), &address).await }))
            }
            Route::Forwarded(ForwardedRoute::Body { site, survey, digest }) => {
                let address = Address { context, site, survey, shard: 0 };
                Ok(promise::of(trace, async move { this.body(&address, &digest).await }))
            }
            _ => Err(not_found().into()),
        }
    }

    /// Reads a display and stores it.
    fn collect(
        self: Rc<Self>,
        request: web_sys::Request,
        address: Address,
    ) -> Result<Promise, Failure> {
        #[cfg(feature = "faults")]
        crate::platform::faults::arm(&worker::Headers(request.headers()));
        let request_context = self.admit(&request)?;
        check_media_type(&request_context.content_type)?;
        body::check_encoding(&request_context.content_encoding, body::UNCOMPRESSED)?;
        if let Some(policy) = self.known_policy()? {
            check_origin(&policy, request_context.origin.as_deref())?;
        }
        if !body::fits(request_context.length, DISPLAY_LIMIT) {
            let announced = request_context.length;
            let mut request = Request::from(request);
            return Ok(promise::of(address.context.trace.clone(), async move {
                let body = body::read_stream(&mut request, announced, DISPLAY_LIMIT).await?;
                self.take(&body, request_context, &address).await
            }));
        }
        // HTTP holds the body to the length that it announces, so it can be read at once.
        let body = self.bodies.read(&request);
        let take = move |body: JsValue| {
            let body = Uint8Array::new(&body).to_vec();
            let trace = address.context.trace.clone();
            promise::now(trace, async move { self.take(&body, request_context, &address).await })
        };
        Ok(BROKE_OFF.with(|broke_off| promise::then(&body, take, broke_off)))
    }

    /// Returns the request context. Refuses the request if the team refuses displays, if the rate limit is
    /// reached, or if there is no room.
    fn admit(&self, request: &web_sys::Request) -> Result<RequestContext, Failure> {
        let request_context = self.intake.read(&request.headers());
        let policy = self.known_policy()?;
        if let Some(policy) = &policy {
            check_taken(policy)?;
        }
        let limits = policy.as_ref().map_or_else(Limits::default, |known| known.limits);
        let visitor = request_context.address.as_deref();
        let now_ms = Date::now().as_millis();
        self.limiter.borrow_mut().pass(limits, visitor, now_ms)?;
        if policy.is_some() {
            self.capacity.take(&self.sql, limits, now_ms)?;
        }
        Ok(request_context)
    }

    async fn take(
        &self,
        body: &[u8],
        request_context: RequestContext,
        address: &Address,
    ) -> Result<web_sys::Response, Failure> {
        let display: Display = json::read_sent(body)?;
        let published = self.published(address, display.version).await?;
        let policy = self.policy(address).await?;
        // The policy may have been pulled only now.
        check_origin(&policy, request_context.origin.as_deref())?;
        let (site, definition) = (&*address.site, &published.definition);
        let survey = SurveyContext { site, definition, policy: &policy };
        let (recorded, refused) = self.record(display, request_context, survey)?;
        self.after(recorded).await?;
        match refused {
            None => respond::taken(),
            Some(problem) => respond::taken_without_identity(&problem),
        }
    }

    /// Stores a revision of a display, if it follows the rules of its version. Also returns why its identity
    /// token was refused, if it was.
    fn record(
        &self,
        mut display: Display,
        request_context: RequestContext,
        survey: SurveyContext<'_>,
    ) -> Result<(Recorded, Option<Problem>), Failure> {
        let now_ms = Date::now().as_millis();
        check_taken(survey.policy)?;
        check_open(survey.policy, now_ms)?;
        validate::display(&mut display, survey.definition)?;
        let moment = Moment { shown_ms: record::shown_ms(display.age_ms, now_ms), now_ms };
        let arrival = arrival::arrival(display, request_context, survey, moment);
        let refused = arrival.refused.clone();
        let recorded = record::record(&self.sql, arrival, now_ms)?;
        metrics::stored(1);
        Ok((recorded, refused))
    }

    /// Returns a version that this shard has.
    fn known_version(&self, version: u32) -> Result<Option<Rc<Published>>, Failure> {
        match self.published.borrow().get(&version) {
            Some(known) => Ok(Some(known.clone())),
            None => Ok(versions::find(&self.sql, version)?.map(Rc::new)),
        }
    }

    async fn body(&self, address: &Address, digest: &str) -> Result<Response, Failure> {
        let mut body = self.find_body(digest)?;
        if body.is_none() {
            // The push of a version may have failed, and browsers request its body before they send any
            // display. Or a later release makes other bytes.
            self.pull(address, None).await?;
            body = self.find_body(digest)?;
        }
        let unknown = || Problem::new(Code::UnknownBody, "the survey has no such body");
        let answer = respond::public(Cache::Immutable)?;
        let answer = answer.with_header("content-type", "application/octet-stream")?;
        Ok(answer.fixed(body.ok_or_else(unknown)?))
    }

    fn find_body(&self, digest: &str) -> Result<Option<Vec<u8>>, Failure> {
        if self.wake()? { versions::find_body(&self.sql, digest) } else { Ok(None) }
    }
}

/// Refuses browsers on pages of other sites. It does not stop a program, which can send any origin or none.
fn check_origin(policy: &Policy, origin: Option<&str>) -> Result<(), Problem> {
    match origin {
        Some(origin) if !settings::lists(&policy.origins, origin) => {
            Err(Problem::new(Code::OriginNotAllowed, "the site does not list the page's origin"))
        }
        _ => Ok(()),
    }
}

/// Refuses every display if the team has said so. This refusal is final, unlike one for what is only too much
/// at present.
fn check_taken(policy: &Policy) -> Result<(), Problem> {
    if policy.refuses {
        let detail = "the site's team refuses all displays of this survey";
        return Err(Problem::new(Code::IntakeRefused, detail));
    }
    Ok(())
}

/// Refuses displays of a survey that was closed longer ago than a display can take to arrive.
fn check_open(policy: &Policy, now_ms: u64) -> Result<(), Problem> {
    match policy.closed_ms(now_ms) {
        Some(closed_ms) if closed_ms + AGE_LIMIT_MS < now_ms => {
            Err(Problem::new(Code::SurveyClosed, "the survey was closed too long ago")
                .limit(format!("{} days after it was closed", AGE_LIMIT_MS / DAY_MS)))
        }
        _ => Ok(()),
    }
}
