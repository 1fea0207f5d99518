//! Examples of requests and answers. Answers are values of the types that the code writes. Where that is little
//! work, the code itself makes them, so that no example differs from what the code does.

use asklet_protocol::audit::{Action, Log, LogEntry};
use asklet_protocol::bundle::BundleTaken;
use asklet_protocol::calls::directory::SiteEntry;
use asklet_protocol::calls::survey::Usage;
use asklet_protocol::calls::team::{SecretRecord, SiteRecord, SurveyRecord, Surveys};
use asklet_protocol::csv::Columns;
use asklet_protocol::ids::{SiteId, SurveyId};
use asklet_protocol::import::{Imported, Refusal};
use asklet_protocol::installs::{Directive, Install, InstallProblem, Installs};
use asklet_protocol::keys::{KeyRecord, Keys};
use asklet_protocol::problems::unknown_survey;
use asklet_protocol::responses::{RemovalReason, Removed, Response, ResponseChange};
use asklet_protocol::seal::Seal;
use asklet_shared::choice::{self, ChoiceSummary};
use asklet_shared::config::{Config, ConfigSurvey, Files};
use asklet_shared::definition::question::Options;
use asklet_shared::definition::{Definition, Status};
use asklet_shared::display::{Answer, Answers, Channel, Choice, Display, Stage};
use asklet_shared::display_id::DisplayId;
use asklet_shared::facts::{Context, Facts};
use asklet_shared::metrics::Category;
use asklet_shared::period::{day, rfc3339};
use asklet_shared::pooled::{self, Member, SiteSummary};
use asklet_shared::problem::{Code, Problem};
use asklet_shared::scope::Scope;
use asklet_shared::settings::{Limits, Look, Settings};
use asklet_shared::summary::{Period, Source, SourceKind, Subject, Summary};
use asklet_shared::tally::{Counted, Request};
use asklet_shared::time::DAY_MS;
use asklet_shared::validate;
use asklet_store::bodies;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::http::problems;
use crate::routes::corrections::Progress;
use crate::routes::keys::KeyCreated;
use crate::routes::operator::{SiteCreated, Sites};
use crate::routes::preview::PreviewConfig;
use crate::routes::responses::Page;
use crate::routes::site::{RespondentErased, SecretCreated};
use crate::service::overview::{Overview, OverviewSurvey};
use crate::service::preview::Preview;
use crate::service::summary::SurveySummary;

const SITE: &str = "any-8hv3c0mz6q2w9rk4tp";
const SURVEY: &str = "kd96t17zavbkw3yx5d";
const KEY: &str = "4t7x0bq2mz";

/// When the example's displays were shown: 2025-11-01.
const THEN_MS: u64 = 1_761_955_200_000;

/// Returns the settings of a site, as a request carries them.
pub fn settings() -> Value {
    json!({ "name": "Shop", "origins": ["https://shop.example"], "tz": "Europe/Berlin" })
}

/// Returns a definition, as a request carries it.
pub fn definition() -> Value {
    json!({
        "name": "Relationship",
        "questions": [
            {
                "id": "score",
                "text": "How likely are you to recommend us?",
                "answer": { "rating": { "scale": "nps", "low": "Not at all likely", "high": "Extremely likely" } },
            },
            { "id": "why", "text": { "en": "Why?", "de": "Warum?" }, "answer": { "text": { "max_length": 500 } } },
        ],
        "primary": "score",
        "thanks": { "text": "Thank you!" },
        "triggers": [{ "delay": 5000 }],
    })
}

/// Returns examples of what an operation answers in a media type, each with a name.
#[expect(clippy::too_many_lines, reason = "a table: a line for each operation")]
pub fn answers(operation: &str, media_type: &str) -> Vec<(&'static str, Value)> {
    let whole = |value: Value| vec![("whole", value)];
    whole(match operation {
        "integrity" => json!({
            "asklet.js": format!("sha384-{}", "0".repeat(64)),
            "asklet-0123456789abcdef.js": format!("sha384-{}", "0".repeat(64)),
            "when-0123456789abcdef.js": format!("sha384-{}", "1".repeat(64)),
        }),
        "config" => written(Config {
            files: Some(files()),
            rest_days: 7,
            surveys: vec![live(1)],
            problem: None,
        }),
        "preview" => written(PreviewConfig { files: files(), survey: live(0) }),
        "createPreview" => written(preview()),
        "createSite" => written(SiteCreated { site: site(), key: secret() }),
        "listSites" => {
            let (site, name) = (site(), "Shop".to_owned());
            let sites = vec![SiteEntry { site, name, created_ms: THEN_MS }];
            written(Sites { sites, next: None })
        }
        "takeBundle" => {
            let surveys = [(SURVEY.to_owned(), "w2f8r4ncy6j0hb5xge".to_owned())].into();
            written(BundleTaken { rows: 120, surveys })
        }
        "getSite" | "changeSite" | "patchSite" => written(SiteRecord {
            created_ms: THEN_MS,
            settings: of::<Settings>(settings()),
            identity_secrets: vec![SecretRecord { id: KEY.to_owned(), created_ms: THEN_MS }],
        }),
        "createKey" => written(KeyCreated {
            key: secret(),
            id: KEY.to_owned(),
            name: "Dashboard".to_owned(),
            scope: Scope::Read,
            created_ms: THEN_MS,
            last_used: None,
        }),
        "listKeys" => written(Keys { keys: vec![key()] }),
        "installs" => written(Installs { installs: vec![install()] }),
        "audit" => written(log()),
        "createIdentitySecret" => {
            let secret = "t0f5".repeat(13);
            written(SecretCreated { id: KEY.to_owned(), secret })
        }
        "eraseRespondent" => written(RespondentErased { displays: 2 }),
        "siteSummary" => written(site_summary()),
        "overview" => written(Overview {
            surveys: vec![OverviewSurvey {
                survey: SurveyRecord { draft: None, ..survey(Status::Live, 1) },
                summary: Some(SurveySummary::Rating(Box::new(summary()))),
            }],
        }),
        "listSurveys" => written(Surveys {
            surveys: vec![SurveyRecord { draft: None, ..survey(Status::Live, 1) }],
        }),
        "createSurvey" | "duplicateSurvey" => written(survey(Status::Draft, 0)),
        "pauseSurvey" => written(survey(Status::Paused, 1)),
        "archiveSurvey" => written(survey(Status::Archived, 1)),
        "setShards" => written(SurveyRecord { shards: 2, ..survey(Status::Live, 1) }),
        "refuseIntake" => written(SurveyRecord { refuses: true, ..survey(Status::Live, 1) }),
        "getSurvey" | "changeSurvey" | "patchSurvey" | "publishSurvey" | "resumeSurvey"
        | "acceptIntake" => written(survey(Status::Live, 1)),
        "usage" => written(Usage {
            displays: 1_520,
            tail: 120,
            bytes: 1_458_176,
            used_bytes: 1_310_720,
            rows_written: 4_210,
            limits: Limits::default(),
        }),
        "correct" => written(Progress { matched: 48_120, changed: 48_117, cursor: None }),
        "import" => written(imported()),
        "lookUpRespondent" | "queryResponses" => page(),
        "summary" => return vec![("rating", written(summary())), ("choice", written(choices()))],
        "responses" => return vec![("responses", page()), ("changes", changes())],
        "export" if media_type == "text/csv" => {
            let columns = Columns::of(&of::<Definition>(definition()), true);
            written(columns.header() + &columns.line(&response()).expect("a line"))
        }
        "export" => written(written(response()).to_string() + "\n"),
        _ => return Vec::new(),
    })
}

/// Returns an example of a problem with a status.
pub fn problem(status: u16) -> Problem {
    let is_of = |code: &&Code| code.status() == status;
    match status {
        400 => problems::unknown_parameter("mood"),
        403 => Problem::new(Code::ScopeTooSmall, "the key's scope is read").limit("admin"),
        404 => unknown_survey(),
        408 => problems::body_timeout(),
        422 => {
            let settings = of::<Settings>(json!({ "name": "Shop", "origins": [] }));
            validate::settings(&settings).expect_err("it has no origins")
        }
        _ => {
            let code = *Code::ALL.iter().find(is_of).expect("a code with this status");
            Problem::new(code, code.title())
        }
    }
}

fn written(value: impl Serialize) -> Value {
    serde_json::to_value(value).expect("it is written")
}

fn of<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("it reads")
}

fn site() -> SiteId {
    SiteId::stored(SITE.to_owned())
}

fn secret() -> String {
    format!("ak_{SITE}_{}", "m3x8".repeat(13))
}

fn files() -> Files {
    Files {
        when: "when-0123456789abcdef.js".to_owned(),
        widget: "widget-0123456789abcdef".to_owned(),
    }
}

fn live(version: u32) -> ConfigSurvey {
    let definition = of::<Definition>(definition());
    let bodies = bodies::digests(&definition, &Look::default()).expect("it has bodies");
    ConfigSurvey::of(SURVEY.to_owned(), version, vec!["0".to_owned()], bodies, definition)
}

fn preview() -> Preview {
    let seal = Seal::new("the secret of no deployment at all").expect("a secret");
    Preview::new(&seal, (&site(), &SurveyId::stored(SURVEY.to_owned())), 0, THEN_MS)
}

fn key() -> KeyRecord {
    KeyRecord {
        id: KEY.to_owned(),
        name: "Dashboard".to_owned(),
        scope: Scope::Read,
        created_ms: THEN_MS,
        last_used: Some(day(THEN_MS / DAY_MS)),
    }
}

fn install() -> Install {
    let last_seen = day(THEN_MS / DAY_MS);
    Install {
        origin: "https://shop.example".to_owned(),
        listed: true,
        first_seen: last_seen.clone(),
        last_seen: last_seen.clone(),
        problems: vec![InstallProblem { directive: Directive::Script, last_seen }],
    }
}

fn log() -> Log {
    let publish = LogEntry {
        seq: 12,
        at_ms: THEN_MS,
        by: KEY.to_owned(),
        action: Action::Publish,
        survey: Some(SURVEY.to_owned()),
        target: None,
        detail: None,
    };
    let create = LogEntry { seq: 11, action: Action::CreateSurvey, ..publish.clone() };
    Log { entries: vec![publish, create], next: None }
}

fn survey(status: Status, version: u32) -> SurveyRecord {
    SurveyRecord {
        survey: SURVEY.to_owned(),
        name: "Relationship".to_owned(),
        status,
        refuses: false,
        version,
        shards: 1,
        created_ms: THEN_MS,
        draft: Some(of(definition())),
    }
}

fn imported() -> Imported {
    let definition = of::<Definition>(definition());
    let mut display = of::<Display>(json!({
        "id": id(1), "revision": 1, "version": 1, "stage": "completed", "answers": { "score": 11 },
    }));
    let problem = validate::display(&mut display, &definition).expect_err("it is off the scale");
    let problems = vec![Refusal { line: 2, problem }];
    Imported { stored: 1, refused: 1, problems, ..Imported::default() }
}

fn id(number: u8) -> DisplayId {
    DisplayId::new(THEN_MS, [number; 10])
}

fn score_and_why() -> Answers {
    let mut answers = Answers::default();
    answers.set("score", Answer::Score(9));
    answers.set("why", Answer::Text("It is fast.".to_owned()));
    answers
}

fn response() -> Response {
    Response {
        id: id(1),
        survey: SURVEY.to_owned(),
        shard: 0,
        seq: 1_723,
        revision: 3,
        version: 1,
        shown_ms: THEN_MS,
        received_ms: THEN_MS + 4_200,
        stage: Stage::Completed,
        dismissed: false,
        channel: Channel::InPage,
        language: "en".to_owned(),
        country: "DE".to_owned(),
        device: "phone".to_owned(),
        page: "https://shop.example/cart".to_owned(),
        page_group: String::new(),
        touchpoint: String::new(),
        variant: String::new(),
        answers: score_and_why(),
        category: Some(Category::Promoter),
        respondent: Some("customer-17".to_owned()),
        traits: [("plan".to_owned(), "pro".to_owned())].into(),
        verified: true,
        identity_refused: None,
        excluded: None,
    }
}

fn page() -> Value {
    let page = Page { responses: vec![written(response()).to_string()], next: None };
    serde_json::from_str(&page.written(None)).expect("a page")
}

fn changes() -> Value {
    let gone = Removed { id: id(2), shard: 0, seq: 1_724, gone: RemovalReason::Deleted };
    let changes = [ResponseChange::Response(Box::new(response())), ResponseChange::Removed(gone)];
    let responses = changes.iter().map(|change| written(change).to_string()).collect();
    let page = Page { responses, next: Some("1724".to_owned()) };
    serde_json::from_str(&page.written(Some(false))).expect("a page")
}

/// Counts displays with these answers, each the given number of times.
fn counted(question: &str, answers: &[(Answers, u64)]) -> Counted {
    let request = Request::whole(question, THEN_MS, THEN_MS + DAY_MS);
    let mut counted = request.nothing();
    for (number, (answers, count)) in (0..).zip(answers) {
        let facts = Facts {
            shown_ms: THEN_MS,
            stage: if answers.0.is_empty() { Stage::Seen } else { Stage::Completed },
            dismissed: false,
            context: Context::default(),
            answers: answers.clone(),
            traits: [].into(),
            respondent: Some(number),
        };
        counted.add(&request, &facts, *count);
    }
    counted
}

fn scores() -> Counted {
    let score = |score| Answers(vec![("score".to_owned(), Answer::Score(score))]);
    let answers = [(9, 28), (8, 11), (10, 14), (3, 6)].map(|(one, count)| (score(one), count));
    counted("score", &[&answers[..], &[(Answers::default(), 120)]].concat())
}

fn period() -> Period {
    let (from, to) = (Some(rfc3339(THEN_MS)), rfc3339(THEN_MS + DAY_MS));
    Period { from, to, tz: "UTC".to_owned() }
}

fn source() -> Source {
    Source {
        kind: SourceKind::Counters,
        per_respondent: false,
        displays_since: None,
        people_since: None,
    }
}

fn summary() -> Summary {
    let definition = of::<Definition>(definition());
    let rating = definition.rating("score").expect("a rating");
    let subject = Subject { survey: SURVEY, question: "score", rating };
    subject.summary(period(), source(), &scores())
}

fn choices() -> ChoiceSummary {
    let text = |id: &str| json!({ "id": id, "text": id });
    let options = of::<Options>(json!({ "options": [text("price"), text("speed")] }));
    let choose = |option: &str, count| {
        let options = vec![option.to_owned()];
        let choice = Answer::Choice(Choice { options, other: None });
        (Answers(vec![("reasons".to_owned(), choice)]), count)
    };
    let chosen = [choose("price", 21), choose("speed", 12), (Answers::default(), 120)];
    let counted = counted("reasons", &chosen);
    choice::summary((SURVEY, "reasons"), &options, period(), source(), &counted)
}

fn site_summary() -> SiteSummary {
    let definition = of::<Definition>(definition());
    let request = Request::whole("score", THEN_MS, THEN_MS + DAY_MS);
    let member = Member {
        survey: SURVEY.to_owned(),
        name: definition.name.clone(),
        question: "score".to_owned(),
        rating: definition.rating("score").expect("a rating").clone(),
        counted: scores(),
        before: None,
    };
    let wanted = pooled::PoolRequest { request: &request, trend: false, before: (0, 0) };
    SiteSummary {
        site: SITE.to_owned(),
        period: period(),
        pools: pooled::pools(&[member], &wanted),
    }
}
