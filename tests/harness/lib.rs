//! A deployment for a test, and what one says to it over HTTP.
//!
//! The same tests run on both runtimes: the variable `ASKLET_RUNTIME` says on which. On plain
//! workerd, which starts at once, each test has a deployment to itself. `wrangler dev` takes
//! seconds, so all tests of a process share one; each makes sites of its own. What only a machine of
//! one's own can show, its files and its deaths, a test asks of [`Machine`].

mod form;
mod machine;
mod unfinished;

use std::env;
use std::io::Read;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use asklet_protocol::routes::{Access, ENDPOINTS};
use asklet_shared::display_id::DisplayId;
use asklet_shared::scope::Scope;
use asklet_xtask::wrangler::Wrangler;
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tempfile::TempDir;

pub use form::Page;
pub use machine::Machine;
pub use unfinished::Unfinished;

/// The admin token of every test deployment.
pub const ADMIN_TOKEN: &str = "the admin token of the tests, which is long enough";

/// The headers in which requests of tests tell the visitor's address and country.
pub const ADDRESS_HEADER: &str = "x-forwarded-for";
pub const COUNTRY_HEADER: &str = "x-country";
const PROXY_HEADERS: [&str; 2] = [ADDRESS_HEADER, COUNTRY_HEADER];

const SECRET: &str = "the secret of the tests, which is long enough";

/// How many addresses requests had.
static ADDRESSES: AtomicU32 = AtomicU32::new(1);

/// The one that all tests of this process share; it ends with the process.
static WRANGLER: LazyLock<Wrangler> = LazyLock::new(|| {
    let folder = TempDir::new().expect("a folder for wrangler").keep();
    Wrangler::start(&folder, SECRET, ADMIN_TOKEN, PROXY_HEADERS).expect("wrangler starts")
});

/// A running deployment on either runtime.
pub struct Deployment {
    port: u16,
    /// What it seals ids with.
    secret: String,
    /// What runs for this one alone.
    _own: Option<machine::Own>,
}

impl Deployment {
    /// Starts one, or joins the others on the one that they share.
    pub fn start() -> Self {
        match env::var("ASKLET_RUNTIME").as_deref() {
            Err(_) | Ok("" | "workerd") => Machine::start().into(),
            Ok("wrangler") => Self { port: WRANGLER.port(), secret: SECRET.to_owned(), _own: None },
            Ok(other) => panic!("ASKLET_RUNTIME is workerd or wrangler, not {other}"),
        }
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.port)
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A request to a path, from an address of its own unless the test gives it another.
    pub fn request(&self, method: &str, path: &str) -> Request {
        let builder = ureq::http::Request::builder().method(method).uri(self.url(path));
        let [_, a, b, c] = ADDRESSES.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        Request { builder: builder.header(ADDRESS_HEADER, format!("10.{a}.{b}.{c}")) }
    }

    /// A new site whose pages are at `https://shop.example`.
    pub fn site(&self) -> Site<'_> {
        self.site_with(&json!({ "name": "Shop", "origins": ["https://shop.example"] }))
    }

    /// The same, which takes as much as a site can, as measurements and kills send it.
    pub fn busy_site(&self) -> Site<'_> {
        let limits = json!({ "address_per_minute": 100_000, "survey_per_minute": 10_000_000 });
        let origins = ["https://shop.example"];
        self.site_with(&json!({ "name": "Shop", "origins": origins, "limits": limits }))
    }

    fn site_with(&self, settings: &Value) -> Site<'_> {
        let created =
            self.request("POST", "/v1/sites").bearer(ADMIN_TOKEN).json(settings).expect(201);
        Site { deployment: self, id: text(&created["site"]), key: text(&created["key"]) }
    }
}

/// A site with its first key.
pub struct Site<'a> {
    deployment: &'a Deployment,
    /// Its id.
    pub id: String,
    /// Its key, which may do everything.
    pub key: String,
}

impl Site<'_> {
    /// The path of its surveys.
    pub fn surveys(&self) -> String {
        format!("/v1/sites/{}/surveys", self.id)
    }

    /// A request to the site itself, or to what lies below it.
    pub fn request(&self, method: &str, below: &str) -> Request {
        self.deployment.request(method, &format!("/v1/sites/{}{below}", self.id)).bearer(&self.key)
    }

    /// A new draft.
    pub fn draft(&self, definition: &Value) -> String {
        let request = self.deployment.request("POST", &self.surveys()).bearer(&self.key);
        text(&request.json(definition).expect(201)["survey"])
    }

    /// A new NPS survey, live.
    pub fn survey(&self) -> Survey<'_> {
        self.publish(&nps_with_comment())
    }

    /// A survey that it has.
    pub fn survey_named(&self, id: &str) -> Survey<'_> {
        Survey { site: self, id: id.to_owned() }
    }

    /// A new survey, live.
    pub fn publish(&self, definition: &Value) -> Survey<'_> {
        let id = self.draft(definition);
        let survey = Survey { site: self, id };
        survey.publish();
        survey
    }
}

/// A survey.
pub struct Survey<'a> {
    site: &'a Site<'a>,
    /// Its id.
    pub id: String,
}

impl Survey<'_> {
    /// A request to the survey itself, or to a verb below it such as `/publish`.
    pub fn request(&self, method: &str, below: &str) -> Request {
        let path = format!("{}/{}{below}", self.site.surveys(), self.id);
        self.site.deployment.request(method, &path).bearer(&self.site.key)
    }

    /// Publishes the draft; returns the version.
    pub fn publish(&self) -> u64 {
        self.request("POST", "/publish").send("").expect(200)["version"]
            .as_u64()
            .expect("a version")
    }

    /// The path that its displays are posted to.
    pub fn collect_path(&self, shard: u16) -> String {
        format!("/v1/collect/{}/{}/{}", self.site.id, self.id, self.shard(shard))
    }

    /// A shard as addresses name it. The config names those that are in use, but it is remembered for
    /// a while, and some tests want the others.
    pub fn shard(&self, shard: u16) -> String {
        if shard == 0 {
            return "0".to_owned();
        }
        let secret = self.site.deployment.secret.as_bytes();
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("a key of any length");
        for part in ["shard", &self.site.id, &self.id, &shard.to_string()] {
            mac.update(part.as_bytes());
            mac.update(&[0]);
        }
        let seal = mac.finalize().into_bytes();
        let digits = b"0123456789abcdefghjkmnpqrstvwxyz";
        let seal = seal.iter().take(8).map(|byte| char::from(digits[usize::from(byte % 32)]));
        format!("{shard}{}", seal.collect::<String>())
    }

    /// The path of its hosted page.
    pub fn hosted_path(&self) -> String {
        format!("/s/{}/{}", self.site.id, self.id)
    }

    /// Posts a display as the widget does.
    pub fn collect(&self, display: &Value) -> Answer {
        self.collect_on(0, display)
    }

    /// Posts a display to a shard.
    pub fn collect_on(&self, shard: u16, display: &Value) -> Answer {
        let request = self.site.deployment.request("POST", &self.collect_path(shard));
        request.header("content-type", "text/plain").send(&display.to_string())
    }

    /// Its summary.
    pub fn summary(&self) -> Value {
        self.summary_of("")
    }

    /// Its summary for a query.
    pub fn summary_of(&self, query: &str) -> Value {
        self.request("GET", &format!("/summary?{query}")).get().expect(200)
    }
}

/// A request that is being put together.
#[must_use = "a request does nothing until it is sent"]
pub struct Request {
    builder: ureq::http::request::Builder,
}

impl Request {
    /// With one header more.
    pub fn header(self, name: &str, value: &str) -> Self {
        Self { builder: self.builder.header(name, value) }
    }

    /// With a key or the admin token.
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// Sent with a body in JSON.
    pub fn json(self, body: &Value) -> Answer {
        self.header("content-type", "application/json").send(&body.to_string())
    }

    /// Sent with a body.
    pub fn send(self, body: &str) -> Answer {
        self.send_bytes(body.as_bytes())
    }

    /// Sent with a body of any bytes.
    pub fn send_bytes(self, body: &[u8]) -> Answer {
        self.try_send(body).expect("an answer")
    }

    /// Sent to a server that may not answer.
    pub fn try_send(self, body: &[u8]) -> Result<Answer> {
        let request = self.builder.body(body.to_vec())?;
        for _ in 0..PROXY_TRIES {
            let answer = Answer::of(agent().run(request.clone()))?;
            if !answer.body.starts_with(PROXY_FAILED) {
                return Ok(answer);
            }
        }
        bail!("wrangler's proxy could not pass the request on {PROXY_TRIES} times")
    }

    /// Sent without a body; gives the body of the answer as it comes, however long that takes.
    pub fn stream(self) -> impl Read {
        let request = self.builder.body(()).expect("a request");
        let agent: ureq::Agent = ureq::Agent::config_builder().build().into();
        agent.run(request).expect("an answer").into_body().into_reader()
    }

    /// Sent without a body.
    pub fn get(self) -> Answer {
        let sent = self.builder.body(()).map(|request| agent().run(request));
        Answer::of(sent.expect("a request")).expect("an answer")
    }
}

/// What the proxy inside `wrangler dev` answers where its connection to the runtime broke before the
/// request got through. It breaks whenever a body was refused unread, for whoever comes next.
const PROXY_FAILED: &[u8] = b"Your worker restarted mid-request.";

/// How often a request is sent before the proxy is given up.
const PROXY_TRIES: usize = 10;

/// A server that hangs fails the test that waits for it, and not the whole run.
const PATIENCE: Duration = Duration::from_secs(120);

fn agent() -> ureq::Agent {
    // Answers are looked at as they are: whatever their status, and not decompressed.
    let config = ureq::Agent::config_builder().http_status_as_error(false).accept_encoding("");
    config.allow_non_standard_methods(true).timeout_global(Some(PATIENCE)).build().into()
}

type Sent = Result<ureq::http::Response<ureq::Body>, ureq::Error>;

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    headers: ureq::http::HeaderMap,
    /// Its body.
    pub body: Vec<u8>,
}

impl Answer {
    fn of(sent: Sent) -> Result<Self> {
        let (parts, mut body) = sent.context("no answer")?.into_parts();
        let body = body.read_to_vec()?;
        Ok(Self { status: parts.status.as_u16(), headers: parts.headers, body })
    }

    /// A header; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body, without the name of the request that it answers.
    pub fn said(&self) -> String {
        let body = String::from_utf8_lossy(&self.body);
        body.replace(self.header("asklet-request-id"), "")
    }

    /// The body in JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("not JSON: {}", String::from_utf8_lossy(&self.body)))
    }

    /// The body in JSON, of an answer that must have this status.
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        if self.body.is_empty() { Value::Null } else { self.json() }
    }

    /// Checks that this is a problem document with this code, and returns it.
    pub fn problem(&self, status: u16, code: &str) -> Value {
        let mut problem = self.expect(status);
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["status"], status);
        assert_eq!(self.header("content-type"), "application/problem+json");
        // The request that it answers; no two are alike.
        let request = format!("urn:asklet:request:{}", self.header("asklet-request-id"));
        assert_eq!(problem.as_object_mut().unwrap().remove("instance"), Some(request.into()));
        problem
    }
}

/// The definition of an NPS survey with a comment.
pub fn nps_with_comment() -> Value {
    json!({
        "name": "Relationship",
        "questions": [
            {
                "id": "score",
                "text": "How likely are you to recommend us?",
                "answer": { "rating": { "scale": "nps", "low": "Not likely", "high": "Very likely" } },
            },
            { "id": "why", "text": "Why?", "answer": { "text": { "max_length": 20 } } },
        ],
        "primary": "score",
        "thanks": { "text": "Thank you!" },
        "triggers": [{ "delay": 10 }],
    })
}

/// About when the tests began, by the clock that clients make ids with.
static STARTED_MS: LazyLock<u64> = LazyLock::new(|| {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    u64::try_from(now.as_millis()).expect("a time of this age")
});

/// A display that just reached a stage; `number` makes its id.
pub fn display(number: u8, revision: u32, stage: &str, answers: Value) -> Value {
    json!({
        "id": DisplayId::new(*STARTED_MS, [number; 10]),
        "revision": revision,
        "version": 1,
        "stage": stage,
        "language": "en",
        "page": "https://shop.example/cart?token=secret",
        "answers": answers,
        "age_ms": 0,
    })
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// A route of a site.
#[derive(Clone, Copy)]
pub struct TeamRoute {
    /// The method.
    pub method: &'static str,
    /// The path below the site; `{…}` stands for an id.
    pub path: &'static str,
    /// The scope that its key must have.
    pub scope: Scope,
    /// Whether the admin token does as well.
    pub or_operator: bool,
}

/// Every route of a site, by the table that the Worker routes by.
pub fn team_routes() -> impl Iterator<Item = TeamRoute> {
    ENDPOINTS.iter().filter_map(|endpoint| {
        let Access::Team { scope, or_operator } = endpoint.access() else { return None };
        let path = endpoint.path.strip_prefix("/v1/sites/{site}")?;
        Some(TeamRoute { method: endpoint.method, path, scope, or_operator })
    })
}
