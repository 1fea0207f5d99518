//! A deployment for a test: workerd on a data folder of its own, and what one says to it over HTTP.

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use asklet_shared::display_id::DisplayId;
use asklet_xtask::server::{Config, Server};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The admin token of every test deployment.
pub const ADMIN_TOKEN: &str = "the admin token of the tests";

/// The headers in which requests of tests tell the visitor's address and country.
pub const ADDRESS_HEADER: &str = "x-forwarded-for";
pub const COUNTRY_HEADER: &str = "x-country";

const SECRET: &str = "the secret of the tests, which is long enough";

/// A running deployment.
pub struct Deployment {
    server: Server,
    data: TempDir,
    admin_token: Option<&'static str>,
}

impl Deployment {
    /// Starts one on an empty data folder.
    pub fn start() -> Self {
        Self::start_with(Some(ADMIN_TOKEN))
    }

    /// Starts one with this admin token, or with none.
    pub fn start_with(admin_token: Option<&'static str>) -> Self {
        let data = TempDir::new().expect("a folder for the test's data");
        for part in ["objects", "demo"] {
            fs::create_dir(data.path().join(part)).expect("the data folder can be written");
        }
        let server = serve(&data, admin_token).expect("workerd starts");
        Self { server, data, admin_token }
    }

    /// Kills the server as a power cut would and starts it again on what it left.
    pub fn kill_and_restart(&mut self) {
        self.server.kill().expect("workerd can be killed");
        self.server = serve(&self.data, self.admin_token).expect("workerd starts again");
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.server.url())
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.server.port()
    }

    /// A request to a path.
    pub fn request(&self, method: &str, path: &str) -> Request {
        Request { builder: ureq::http::Request::builder().method(method).uri(self.url(path)) }
    }

    /// The databases of all objects that have a table. The runtime makes a file for each object that
    /// wakes; one without a table is a single page.
    pub fn databases(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for namespace in fs::read_dir(self.data.path().join("objects")).expect("objects").flatten()
        {
            for file in fs::read_dir(namespace.path()).expect("a namespace").flatten() {
                let name = file.file_name().to_string_lossy().into_owned();
                let bytes = |path| fs::metadata(path).map_or(0, |metadata| metadata.len());
                let log = file.path().with_extension("sqlite-wal");
                let has_table = bytes(file.path()) + bytes(log) > 4096;
                if name.ends_with(".sqlite") && name != "metadata.sqlite" && has_table {
                    found.push(file.path());
                }
            }
        }
        found
    }

    /// A new site whose pages are at `https://shop.example`.
    pub fn site(&self) -> Site<'_> {
        let body = json!({ "name": "Shop", "origins": ["https://shop.example"] });
        let created = self.request("POST", "/v1/sites").bearer(ADMIN_TOKEN).json(&body).expect(201);
        Site { deployment: self, id: text(&created["site"]), key: text(&created["key"]) }
    }
}

fn serve(data: &TempDir, admin_token: Option<&str>) -> Result<Server> {
    Server::start(Config {
        port: 0,
        artefacts: asklet_xtask::artefacts::dist(),
        data: data.path(),
        secret: SECRET,
        admin_token,
        proxy_headers: [ADDRESS_HEADER, COUNTRY_HEADER],
        lock: None,
    })
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
        format!("/v1/collect/{}/{}/{shard}", self.site.id, self.id)
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
        Answer::of(agent().run(self.builder.body(body.to_vec())?))
    }

    /// Sent without a body.
    pub fn get(self) -> Answer {
        let sent = self.builder.body(()).map(|request| agent().run(request));
        Answer::of(sent.expect("a request")).expect("an answer")
    }
}

fn agent() -> ureq::Agent {
    // Answers are looked at as they are: whatever their status, and not decompressed.
    let config = ureq::Agent::config_builder().http_status_as_error(false).accept_encoding("");
    config.allow_non_standard_methods(true).build().into()
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
        let problem = self.expect(status);
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["status"], status);
        assert_eq!(self.header("content-type"), "application/problem+json");
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
