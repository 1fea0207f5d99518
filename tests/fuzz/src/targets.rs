//! The decoders, and what must hold whatever bytes they are given. A check panics where it does not.

use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::LazyLock;

use anyhow::Result;
use asklet_protocol::plan::SHARDS_LIMIT;
use asklet_protocol::routes::{ForwardedRoute, Route, find};
use asklet_shared::body::Body;
use asklet_shared::definition::question::AnswerKind;
use asklet_shared::definition::{Definition, Published};
use asklet_shared::display::Display;
use asklet_shared::json::with_plain_integers;
use asklet_shared::period::{self, Interval, Moment};
use asklet_shared::problem::{Code, Problem};
use asklet_shared::settings::{Look, WeekStart};
use asklet_shared::validate::{self, DISPLAY_LIMIT};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::corpus;

/// A decoder under test.
pub struct Target {
    /// Its name, which is also its folder's in the corpus.
    pub name: &'static str,
    /// Whether its inputs are JSON, and are changed as such.
    pub is_json: bool,
    /// Checks one input.
    pub check: fn(&[u8]),
}

/// All of them.
pub const TARGETS: [Target; 5] = [
    Target { name: "display", is_json: true, check: display },
    Target { name: "definition", is_json: true, check: definition },
    Target { name: "body", is_json: false, check: body },
    Target { name: "route", is_json: false, check: route_of },
    Target { name: "period", is_json: false, check: period_of },
];

/// The target with a name.
pub fn named(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

/// A target's inputs to begin with, by name: those that are kept, and for the body those that the
/// kept definitions make, since no file could follow the types.
pub fn seeds(target: &Target) -> Result<Vec<(String, Vec<u8>)>> {
    let name = |path: PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let kept = corpus::read(&corpus::folder(target.name))?;
    let mut seeds: Vec<_> = kept.into_iter().map(|(path, bytes)| (name(path), bytes)).collect();
    if target.name == "body" {
        for (at, definition) in DEFINITIONS.iter().enumerate() {
            for language in definition.languages() {
                let body = Body::of(definition, &Look::default(), language).encode()?;
                seeds.push((format!("made-{at}-{language}.bin"), body));
            }
        }
    }
    Ok(seeds)
}

/// The kept definitions that keep every rule.
static DEFINITIONS: LazyLock<Vec<Definition>> = LazyLock::new(|| {
    let kept = corpus::read(&corpus::folder("definition")).expect("the corpus");
    let decoded = kept.iter().filter_map(|(_, bytes)| serde_json::from_slice(bytes).ok());
    decoded.filter(|definition| validate::definition(definition).is_ok()).collect()
});

/// A display is stored as it was told, or refused with a code; tidying it twice changes nothing
/// more, so that a repeated revision is known again.
fn display(bytes: &[u8]) {
    let Some(mut told) = read::<Display>(bytes) else { return };
    // Whoever sends it writes it; it is not kept.
    told.age_ms = 0;
    check_json(&told);
    for definition in DEFINITIONS.iter() {
        let mut tidied = told.clone();
        if let Err(problem) = validate::display(&mut tidied, definition) {
            check_problem(&problem);
            continue;
        }
        check_json(&tidied);
        let mut again = tidied.clone();
        assert_eq!(validate::display(&mut again, definition), Ok(()), "{tidied:?}");
        assert_eq!(again, tidied, "tidying once was not enough");
    }
}

/// A definition that keeps the rules has a body in each of its languages, every text of it is there,
/// and the fullest display that it lets a visitor make is small enough to be taken.
fn definition(bytes: &[u8]) {
    let Some(definition) = read::<Definition>(bytes) else { return };
    check_json(&definition);
    let (languages, _) = (definition.languages(), definition.links());
    if let Err(problem) = validate::definition(&definition) {
        assert_eq!(problem.code, Code::InvalidDefinition);
        assert!(problem.field.is_some(), "{problem:?}");
        check_problem(&problem);
        return;
    }
    for language in &languages {
        for (path, text) in definition.texts() {
            let wording = text.in_language(language, &definition.language);
            assert!(!wording.trim().is_empty(), "{path} is empty in {language}");
        }
        let made = Body::of(&definition, &Look::default(), language);
        let bytes = made.encode().expect("a body encodes");
        assert_eq!(Body::decode(&bytes), Ok(made));
    }
    assert_eq!(languages.first(), Some(&definition.language.as_str()));
    let fullest = fullest_display(&definition).to_string();
    assert!(fullest.len() <= DISPLAY_LIMIT, "{} bytes: {fullest}", fullest.len());
    check_json(&Published { version: 1, definition });
}

/// The largest display that a visitor can cause by typing: every text as long as it may be, of the
/// characters that take the most bytes.
fn fullest_display(definition: &Definition) -> serde_json::Value {
    let texts = definition.questions.iter().map(|question| {
        let answer = match &question.answer {
            AnswerKind::Text(limits) => "\u{10ffff}".repeat(limits.max_length.into()).into(),
            AnswerKind::Rating(_) => 255.into(),
            AnswerKind::Choice(choice) => {
                let offered = choice.options.iter().map(|option| option.id.as_str().into());
                let mut chosen: Vec<serde_json::Value> = offered.collect();
                if let Some(limits) = &choice.other {
                    let text = "\u{10ffff}".repeat(limits.max_length.into());
                    chosen.push(serde_json::json!({ "other": text }));
                }
                chosen.into()
            }
        };
        (question.id.clone(), answer)
    });
    serde_json::json!({
        "id": "019aa9ce-63b3-7fff-bfff-ffffffffffff", "revision": u32::MAX, "version": u32::MAX,
        "stage": "completed", "dismissed": true, "channel": "in_page", "language": "x".repeat(35),
        "page": "x".repeat(2_000), "age_ms": u64::MAX,
        "answers": serde_json::Map::from_iter(texts),
    })
}

/// Whatever the widget downloads, it shows it or says that it cannot.
fn body(bytes: &[u8]) {
    let Ok(decoded) = Body::decode(bytes) else { return };
    let encoded = decoded.encode().expect("what was decoded encodes");
    assert_eq!(Body::decode(&encoded), Ok(decoded));
}

/// A method and a path make a route or a problem, and one shard has one address.
fn route_of(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (method, path) = text.split_once(' ').unwrap_or(("GET", text));
    match find(method, path).map(|found| found.route) {
        Ok(Route::Forwarded(ForwardedRoute::Collect { site, survey, shard, seal })) => {
            assert!(method == "POST" && shard < SHARDS_LIMIT, "{text}");
            let canonical = format!("v1/collect/{site}/{survey}/{shard}{seal}");
            assert_eq!(path.strip_prefix('/'), Some(canonical.as_str()));
        }
        Ok(_) => {}
        Err(problem) => {
            let unknown = [Code::NotFound, Code::UnknownShard, Code::UnknownBody];
            let known = [&unknown[..], &[Code::MethodNotAllowed]].concat();
            assert!(known.contains(&problem.code), "{problem:?}");
            check_problem(&problem);
        }
    }
}

/// A period of a query, `FROM|TO|INTERVAL|BUCKETS` with a zone's offset in buckets, is divided into points that
/// follow one another, or refused.
fn period_of(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut parts = text.split('|');
    let mut part = || parts.next().unwrap_or_default();
    let (from, to, interval, offset) = (part(), part(), part(), part());
    let offset_ms = i64::from(offset.parse::<i8>().unwrap_or_default()) * 15 * 60 * 1000;
    let offset = &|_| Some(offset_ms);
    let time = |field, text| {
        let moment = Moment::parse(field, text).and_then(|moment| moment.ms(field, offset));
        moment.inspect_err(check_problem)
    };
    let (Ok(from_ms), Ok(to_ms)) = (time("from", from), time("to", to)) else { return };
    let (from_ms, to_ms) = (period::floor(from_ms), period::ceil(to_ms));
    for ms in [from_ms, to_ms] {
        assert_eq!(period::parse_instant("from", &period::rfc3339(ms)), Ok(ms));
    }
    let Some(interval) = Interval::named(interval) else { return };
    // Whoever asks checks this before.
    if to_ms <= from_ms {
        return;
    }
    match period::edges(from_ms, to_ms, (interval, WeekStart::Monday), offset) {
        Ok(edges) => {
            assert!(edges.is_sorted_by(|one, next| one < next), "{edges:?}");
            assert_eq!((edges.first(), edges.last()), (Some(&from_ms), Some(&to_ms)));
        }
        Err(problem) => check_problem(&problem),
    }
}

/// Reads what was sent, as the server does. Spelling numbers otherwise changes none of them.
fn read<T: Debug + PartialEq + Serialize + DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let text = str::from_utf8(bytes).ok()?;
    let plain = with_plain_integers(text);
    if let Ok(value) = serde_json::from_str::<T>(text) {
        assert_eq!(serde_json::from_str::<T>(&plain).ok().as_ref(), Some(&value), "{plain}");
    }
    let value = |text| serde_json::from_str::<serde_json::Value>(text).ok();
    assert_eq!(value(text).is_some(), value(&plain).is_some(), "{plain}");
    serde_json::from_str(&plain).ok()
}

/// A value survives being written and read.
fn check_json<T: Debug + PartialEq + Serialize + DeserializeOwned>(value: &T) {
    let text = serde_json::to_string(value).expect("it can be written");
    let again = serde_json::from_str::<T>(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(again, *value, "{text}");
}

/// A problem is the caller's, and can be told.
fn check_problem(problem: &Problem) {
    assert!(problem.code.status() < 500, "{problem:?}");
    check_json(problem);
}
