//! `cargo xtask size`: the bytes of everything that a browser downloads and of the Worker, the budgets, and how long
//! the Worker takes to its first answer.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use asklet_shared::body::Body;
use asklet_shared::config::{self, ConfigSurvey, Files};
use asklet_shared::definition::Definition;
use asklet_shared::settings::Look;

use crate::artefacts::{self, Manifest};
use crate::build::Built;
use crate::data::DataFolder;
use crate::demo;
use crate::root;
use crate::server::{Config, Server, local};

/// The budgets of a visitor's page, in bytes as delivered to a browser that accepts brotli. The output of
/// different compilers for the same source differs by up to 1 %.
const BUDGETS: [(&str, usize, &[Part]); 4] = [
    ("page view without a candidate", 2_680, &[Part::Entry, Part::Config]),
    ("page view with a candidate", 6_000, &[Part::Entry, Part::Config, Part::When]),
    (
        "to show one NPS with comment",
        48_000,
        &[Part::Entry, Part::Config, Part::When, Part::Glue, Part::Wasm, Part::Body],
    ),
    (
        "to show a survey of every kind",
        55_000,
        &[
            Part::Entry,
            Part::ConfigOfEveryKind,
            Part::When,
            Part::Glue,
            Part::Wasm,
            Part::BodyOfEveryKind,
        ],
    ),
];

/// The budget of the Worker's module and script, gzipped, as the platform counts them.
const WORKER_BUDGET: usize = 1_000_000;

/// The figures of the last release, to compare with. CONTRIBUTING.md says when to replace them.
const LAST_RELEASE: Release = Release { version: "0.2.0", worker: 765_930, start_ms: 81 };

/// What a release weighed, and how long it took to start.
struct Release {
    version: &'static str,
    /// The Worker's module and script, gzipped, in bytes.
    worker: usize,
    /// From the start of workerd to the first answer, in milliseconds, on the machine that made the release.
    start_ms: u128,
}

/// How often the start is timed; the median is printed.
const STARTS: usize = 5;

/// A survey with every kind of question and scale, within the repository.
const EVERY_KIND: &str = "tests/fuzz/corpus/definition/every-kind.json";

#[derive(Clone, Copy, PartialEq)]
enum Part {
    Entry,
    Config,
    ConfigOfEveryKind,
    When,
    Glue,
    Wasm,
    Body,
    BodyOfEveryKind,
}

/// One download.
struct Artefact {
    part: Part,
    name: &'static str,
    content: Vec<u8>,
    /// Whether the edge serves it compressed. For the answers that the edge makes at run time, the network in
    /// front of it may compress.
    compressed: bool,
}

impl Artefact {
    fn delivered(&self) -> Result<usize> {
        if self.compressed {
            Ok(artefacts::brotli(&self.content)?.len())
        } else {
            Ok(self.content.len())
        }
    }
}

/// Prints the table and fails if a budget is exceeded.
pub fn size(built: &Built) -> Result<()> {
    let artefacts = artefacts(&built.manifest)?;
    println!("\nmade by {}\n", built.compiler);
    println!("{:<32} {:>9} {:>9} {:>9} {:>9}", "", "raw", "gzip", "brotli", "delivered");
    for artefact in &artefacts {
        println!(
            "{:<32} {:>9} {:>9} {:>9} {:>9}",
            artefact.name,
            artefact.content.len(),
            artefacts::gzip(&artefact.content)?.len(),
            artefacts::brotli(&artefact.content)?.len(),
            artefact.delivered()?,
        );
    }
    println!();
    let mut over = Vec::new();
    let mut check = |name: &'static str, bytes: usize, budget: usize| {
        println!("{name:<32} {bytes:>9} of {budget}");
        if bytes > budget {
            over.push(name);
        }
    };
    for (name, budget, parts) in BUDGETS {
        let counted = artefacts.iter().filter(|artefact| parts.contains(&artefact.part));
        let sizes = counted.map(Artefact::delivered).collect::<Result<Vec<_>>>()?;
        check(name, sizes.iter().sum(), budget);
    }
    let mut worker = 0;
    for file in ["entry.js", "index_bg.wasm"] {
        worker += artefacts::gzip(&fs::read(artefacts::dist().join("worker").join(file))?)?.len();
    }
    check("Worker, gzip", worker, WORKER_BUDGET);
    let Release { version, worker, start_ms } = LAST_RELEASE;
    println!("{:<32} {worker:>9}", format!("  in {version}"));
    println!("{:<32} {:>9} ms", "start to the first answer", start()?.as_millis());
    println!("{:<32} {start_ms:>9} ms, on the machine of the release", format!("  in {version}"));
    if over.is_empty() { Ok(()) } else { bail!("over budget: {}", over.join(", ")) }
}

/// Returns the median time from the start of workerd to the Worker's first answer.
fn start() -> Result<Duration> {
    let data = DataFolder::open(&root().join("target/xtask/start"))?;
    let secret = data.secret()?;
    let mut times = Vec::new();
    for _ in 0..STARTS {
        let started = Instant::now();
        let server = Server::start(Config {
            listen: local(0),
            artefacts: artefacts::dist(),
            data: data.path(),
            secret: &secret,
            admin_token: None,
            next_admin_token: None,
            encryption_key: None,
            proxy_headers: [""; 2],
            lock: None,
        })?;
        ureq::get(format!("{}/healthz", server.url())).call().context("no first answer")?;
        times.push(started.elapsed());
    }
    times.sort();
    times.get(STARTS / 2).copied().context("no start was timed")
}

fn artefacts(manifest: &Manifest) -> Result<Vec<Artefact>> {
    let [_, when, glue, wasm, _] = &manifest.hashed();
    let file = |part, name, file: &str| {
        let content = fs::read(artefacts::assets().join(file))?;
        anyhow::Ok(Artefact { part, name, content, compressed: true })
    };
    let nps = demo::definition()?;
    let every_kind = serde_json::from_slice(&fs::read(root().join(EVERY_KIND))?)
        .with_context(|| format!("{EVERY_KIND} does not read"))?;
    let made = |part, name, content| Artefact { part, name, content, compressed: false };
    Ok(vec![
        file(Part::Entry, "asklet.js", "asklet.js")?,
        made(Part::Config, "config (one survey)", config_of(&nps, manifest)?),
        made(Part::ConfigOfEveryKind, "config (every kind)", config_of(&every_kind, manifest)?),
        file(Part::When, "when.js", when)?,
        file(Part::Glue, "widget.js", glue)?,
        file(Part::Wasm, "widget.wasm", wasm)?,
        made(Part::Body, "body (NPS with comment)", body(&nps)?),
        made(Part::BodyOfEveryKind, "body (every kind)", body(&every_kind)?),
    ])
}

/// Makes the body of a survey in its own language.
fn body(definition: &Definition) -> Result<Vec<u8>> {
    let body = Body::of(definition, &Look::default(), &definition.language);
    body.encode().map_err(|error| anyhow!("no body: {error}"))
}

/// Makes the config of a site that has one live survey; real ids and digests have these lengths.
fn config_of(definition: &Definition, manifest: &Manifest) -> Result<Vec<u8>> {
    let artefacts::Files { when, widget, .. } = &manifest.files;
    let config = config::Config {
        files: Some(Files { when: when.clone(), widget: widget.clone() }),
        rest_days: 7,
        surveys: vec![ConfigSurvey::of(
            "0".repeat(18),
            1,
            vec!["0".to_owned()],
            vec![(definition.language.clone(), "0".repeat(16))],
            definition.clone(),
        )],
        problem: None,
    };
    Ok(serde_json::to_vec(&config)?)
}
