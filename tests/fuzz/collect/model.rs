//! What must be answered and what must count, by the types and the rules that the server shares.

use std::collections::{BTreeMap, BTreeSet};

use asklet_protocol::routes::{ForwardedRoute, Route, find};
use asklet_shared::definition::Definition;
use asklet_shared::display::Display;
use asklet_shared::display_id::DisplayId;
use asklet_shared::json::with_plain_integers;
use asklet_shared::problem::{Code, Problem};
use asklet_shared::settings::PagePart;
use asklet_shared::validate::{self, DISPLAY_LIMIT};

use crate::history::{Framing, Template};
use crate::wire::{self, Answer, Outcome};

/// What the deployment holds, as far as requests can tell.
pub struct World {
    /// What the requests' places are called: `site`, `survey` and the others.
    pub names: BTreeMap<&'static str, String>,
    /// The versions of both live surveys, the first one first.
    pub versions: Vec<Definition>,
}

/// Which display: its survey and shard, and its id.
pub type Key = (String, u16, DisplayId);

/// What one connection's requests have stored.
#[derive(Default)]
pub struct Log {
    /// The latest revision of each display.
    pub displays: BTreeMap<Key, Display>,
}

/// What a request must lead to.
#[derive(Debug, Clone, PartialEq)]
pub enum Expected {
    /// It is acknowledged, and this is what the log holds then.
    Stored(Key, Box<Display>),
    /// It is refused with this code.
    Refused(Code),
    /// It is another route's: anything but a failure of ours.
    Other,
}

impl World {
    /// What a request must lead to, were it all the server's own business.
    pub fn expected(&self, log: &Log, request: &Template) -> Expected {
        let path = path(&request.path);
        match find(&request.method, path).map(|found| found.route) {
            Ok(Route::Forwarded(ForwardedRoute::Collect { site, survey, shard, seal })) => {
                match self.collect(log, request, (&site, &survey), (shard, &seal)) {
                    Ok(None) => Expected::Other,
                    Ok(Some((key, display))) => Expected::Stored(key, Box::new(display)),
                    Err(problem) => Expected::Refused(problem.code),
                }
            }
            Ok(_) => Expected::Other,
            Err(problem) => Expected::Refused(problem.code),
        }
    }

    #[expect(
        clippy::too_many_lines,
        reason = "the checks in the order in which the Worker makes them"
    )]
    fn collect(
        &self,
        log: &Log,
        request: &Template,
        (site, survey): (&str, &str),
        (shard, seal): (u16, &str),
    ) -> Result<Option<(Key, Display)>, Problem> {
        let refused = |code| Problem::new(code, "");
        let is = |name: &str, text: &str| self.names[name] == text;
        if !is("site", site) && !is("other_site", site) {
            return Err(refused(Code::UnknownSite));
        }
        let is_own = is("site", site) && (is("survey", survey) || is("draft", survey));
        let is_other = is("other_site", site) && is("other_survey", survey);
        if !(is_own || is_other) {
            return Err(refused(Code::UnknownSurvey));
        }
        let address = format!("{shard}{seal}");
        let is_sealed = (is("survey", survey) && is("shard_1", &address))
            || (is_other && is("other_shard_1", &address));
        if shard > 0 && !is_sealed {
            return Err(refused(Code::UnknownShard));
        }
        let content_type = header(request, "content-type").unwrap_or_default();
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        if !["text/plain", "application/json"]
            .iter()
            .any(|taken| media_type.eq_ignore_ascii_case(taken))
        {
            return Err(refused(Code::UnsupportedMediaType));
        }
        let encoding = header(request, "content-encoding").unwrap_or_default();
        if !["", "identity"].iter().any(|taken| encoding.trim().eq_ignore_ascii_case(taken)) {
            return Err(refused(Code::UnsupportedMediaType));
        }
        // A draft has no shard that could know which origins the site lists.
        let is_elsewhere =
            header(request, "origin").is_some_and(|origin| origin != "https://shop.example");
        if is_elsewhere && !is("draft", survey) {
            return Err(refused(Code::OriginNotAllowed));
        }
        let malformed = || refused(Code::MalformedJson);
        let body = body(request).ok_or_else(malformed)?;
        if body.len() > DISPLAY_LIMIT {
            return Err(refused(Code::BodyTooLarge));
        }
        let body = str::from_utf8(&body).map_err(|_| refused(Code::MalformedUtf8))?;
        let body = with_plain_integers(body.strip_prefix('\u{feff}').unwrap_or(body));
        // serde takes a list for an object, too.
        if !body.trim_ascii_start().starts_with('{') {
            return Err(malformed());
        }
        let mut told: Display = serde_json::from_str(&body).map_err(|_| malformed())?;
        if is("draft", survey) {
            return Err(refused(Code::UnknownSurvey));
        }
        let version = usize::try_from(told.version).ok().and_then(|version| version.checked_sub(1));
        let definition = version.and_then(|version| self.versions.get(version));
        let definition = definition.ok_or_else(|| refused(Code::UnknownVersion))?;
        validate::display(&mut told, definition)?;
        told.age_ms = 0;
        told.page = PagePart::Path.of(&told.page);
        let key = (survey.to_owned(), shard, told.id);
        let Some(earlier) = log.displays.get(&key) else { return Ok(Some((key, told))) };
        if told.revision < earlier.revision || told == *earlier {
            return Ok(Some((key, earlier.clone())));
        }
        if told.revision == earlier.revision {
            return Err(refused(Code::RevisionConflict));
        }
        if told.version != earlier.version {
            return Err(refused(Code::VersionChanged));
        }
        if told.stage < earlier.stage {
            return Err(refused(Code::StageLowered));
        }
        Ok(Some((key, told)))
    }

    /// The id that a body's display names, if it names one.
    pub fn display_id(request: &Template) -> Option<DisplayId> {
        serde_json::from_slice::<Display>(&body(request)?).ok().map(|display| display.id)
    }
}

/// The path of an address as the platform reads it: as it was sent. Browsers follow dots before they send.
fn path(address: &str) -> &str {
    address.split(['?', '#']).next().unwrap_or(address)
}

/// A header as the platform tells it: one without a value is none, until a further one has one.
fn header(request: &Template, wanted: &str) -> Option<String> {
    let named = request.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
    let values = named.map(|(_, value)| value.trim_matches([' ', '\t']));
    let told = values.fold(String::new(), |told, value| match told.as_str() {
        "" => value.to_owned(),
        _ => format!("{told}, {value}"),
    });
    (!told.is_empty()).then_some(told)
}

/// The body that arrives whole, if one does.
fn body(request: &Template) -> Option<Vec<u8>> {
    match request.framing {
        Framing::Length | Framing::Chunked(_) => Some(request.body.clone()),
        Framing::Abort(_) | Framing::AbortChunked(_) | Framing::Half(_) => None,
        Framing::Raw => {
            // Where both are said, chunks count.
            if let Some(encoding) = header(request, "transfer-encoding") {
                let chunks = wire::chunks(&request.body).ok().flatten();
                let is_chunked = encoding.eq_ignore_ascii_case("chunked");
                return chunks.filter(|_| is_chunked).map(|(body, _)| body);
            }
            let length = header(request, "content-length").unwrap_or_else(|| "0".to_owned());
            request.body.get(..length.parse::<usize>().ok()?).map(<[u8]>::to_vec)
        }
    }
}

/// Whether a request is sound HTTP, so that it is the product and not the HTTP server that answers.
fn is_sound(request: &Template) -> bool {
    let methods = ["POST", "GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"];
    let is_framed = matches!(request.framing, Framing::Length | Framing::Chunked(_));
    let is_hops = |name: &str| {
        ["expect", "upgrade", "connection", "content-length", "transfer-encoding"].contains(&name)
    };
    methods.contains(&request.method.as_str())
        && is_framed
        && request.path.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>`".contains(&byte))
        && request.headers.iter().all(|(name, value)| !is_hops(name) && value.is_ascii())
}

/// Checks what came back; returns whether the request was acknowledged, or says what is wrong.
pub fn check(request: &Template, expected: &Expected, outcome: &Outcome) -> Result<bool, String> {
    let is_sound = is_sound(request);
    let must_store = is_sound && matches!(expected, Expected::Stored(..));
    let answer = match outcome {
        Outcome::Answered(answer) => answer,
        Outcome::Hung => return Err("no answer".to_owned()),
        Outcome::Gone => return Ok(false),
        // Then nobody knows whether it was stored.
        Outcome::Closed if is_sound || matches!(expected, Expected::Stored(..)) => {
            return Err("the connection was closed without an answer".to_owned());
        }
        Outcome::Closed => return Ok(false),
    };
    match (expected, answer.status) {
        (Expected::Stored(..), 204) => return Ok(true),
        (Expected::Other, 200 | 204 | 304) => return Ok(false),
        (_, ..400) => return Err(format!("answered with {}", answer.status)),
        _ if must_store => return Err(format!("refused with {}", answer.status)),
        _ if is_http_servers(request, answer) => return Ok(false),
        // The answer to HEAD has no body.
        (_, ..500) if request.method == "HEAD" => return Ok(false),
        _ => {}
    }
    let told = problem(answer)?;
    match expected {
        Expected::Refused(code) if told != *code && is_sound => {
            Err(format!("refused with {} and not with {}", told.name(), code.name()))
        }
        _ => Ok(false),
    }
}

/// The code of a problem document that is complete, documented and none of our own failures.
fn problem(answer: &Answer) -> Result<Code, String> {
    let text = String::from_utf8_lossy(&answer.body);
    let no_problem =
        |why: &str| Err(format!("no problem document ({why}): {} {text}", answer.status));
    if answer.content_type != "application/problem+json" {
        return no_problem(&answer.content_type);
    }
    let Ok(document) = serde_json::from_str::<serde_json::Value>(&text) else {
        return no_problem("not JSON");
    };
    let Ok(problem) = serde_json::from_value::<Problem>(document.clone()) else {
        return no_problem("not of the shape");
    };
    let code = problem.code;
    let is_whole = document["status"] == code.status()
        && document["title"] == code.title()
        && document["type"] == format!("urn:asklet:problem:{}", code.name());
    match code.status() {
        500.. => no_problem("a failure of ours"),
        status if status != answer.status || !is_whole => no_problem("it contradicts itself"),
        _ => Ok(code),
    }
}

/// Whether it is the HTTP server's own answer to what is no sound HTTP. It never reached the product, whose
/// refusals are all problem documents.
fn is_http_servers(request: &Template, answer: &Answer) -> bool {
    // What CONNECT asks for is a tunnel, which the runtime does not find in the product.
    let is_tunnel = request.method == "CONNECT" && answer.status == 500;
    !is_sound(request)
        && (is_tunnel || matches!(answer.status, 400 | 431 | 501))
        && answer.content_type != "application/problem+json"
}

/// What a summary must say of a survey, by question: counted afresh from the logs.
pub struct Recount {
    /// How often each score was given.
    pub distribution: BTreeMap<u64, u64>,
    /// How many displays came how far, by the names of the funnel.
    pub funnel: BTreeMap<&'static str, u64>,
    /// How many displays of each language.
    pub languages: BTreeMap<String, u64>,
}

impl Recount {
    /// Counts what the logs hold of a survey and a question of it.
    pub fn of(logs: &[Log], survey: &str, question: &str) -> Self {
        let (mut distribution, mut funnel) = (BTreeMap::new(), BTreeMap::new());
        let mut languages: BTreeMap<String, u64> = BTreeMap::new();
        let stages = ["shown", "seen", "started", "completed"];
        let all = logs.iter().flat_map(|log| &log.displays);
        for ((_, _, id), display) in all.filter(|((of, ..), _)| of == survey) {
            // As JSON, so that a new field of a display changes nothing here.
            let display = serde_json::to_value(display).expect("a display can be written");
            assert_eq!(display["id"], id.to_string());
            let reached = stages.iter().position(|stage| display["stage"] == *stage);
            let tells_seen =
                !["link", "email"].iter().any(|channel| display["channel"] == *channel);
            for stage in &stages[..=reached.expect("a stage")] {
                *funnel.entry(*stage).or_default() += u64::from(*stage != "seen" || tells_seen);
            }
            *funnel.entry("dismissed").or_default() += u64::from(display["dismissed"] == true);
            *languages
                .entry(display["language"].as_str().unwrap_or_default().to_owned())
                .or_default() += 1;
            if let Some(score) = display["answers"][question].as_u64() {
                *distribution.entry(score).or_default() += 1;
            }
        }
        Self { distribution, funnel, languages }
    }

    /// Compares with a summary broken down by language; says what differs.
    pub fn check(&self, summary: &serde_json::Value) -> Result<(), String> {
        let mut differences = BTreeSet::new();
        let mut same = |what: String, told: &serde_json::Value, counted: u64| {
            if told.as_u64() != Some(counted) {
                differences.insert(format!("{what}: {told} and not {counted}"));
            }
        };
        same("n".to_owned(), &summary["n"], self.distribution.values().sum());
        for bar in summary["distribution"].as_array().into_iter().flatten() {
            let value = bar["value"].as_u64().unwrap_or(u64::MAX);
            let counted = self.distribution.get(&value).copied().unwrap_or(0);
            same(format!("value {value}"), &bar["count"], counted);
        }
        for stage in ["shown", "seen", "started", "completed", "dismissed"] {
            let counted = self.funnel.get(stage).copied().unwrap_or(0);
            // Where of no display it can be told whether it was seen, it is `null`.
            if !(stage == "seen" && counted == 0) {
                same(stage.to_owned(), &summary["funnel"][stage], counted);
            }
        }
        let rows = summary["breakdown"].as_array().map_or(&[][..], Vec::as_slice);
        same("languages".to_owned(), &rows.len().into(), self.languages.len() as u64);
        for row in rows {
            let language = row["value"].as_str().unwrap_or_default();
            let counted = self.languages.get(language).copied().unwrap_or(0);
            same(format!("language {language:?}"), &row["funnel"]["shown"], counted);
        }
        if differences.is_empty() { Ok(()) } else { Err(format!("{differences:?}")) }
    }
}
