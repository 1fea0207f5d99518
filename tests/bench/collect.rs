//! Displays a second and how long each takes, beside an object that does one INSERT of the same body,
//! interleaved in one run.

use std::process::Stdio;

use asklet_shared::display_id::DisplayId;
use asklet_xtask::server::{Server, local};
use harness::Machine;
use serde_json::json;
use tempfile::TempDir;

use crate::load::{Load, Measured};
use crate::{Part, now_ms};

/// How many connections send at once.
const CONNECTIONS: [usize; 4] = [1, 8, 32, 128];

/// How often each side is measured for each number of connections, in turn.
const ROUNDS: usize = 5;

/// Collecting must reach this share of the floor. Seen on two shared cores: 0.59 to 0.79, the least at 32
/// connections, where the runtime takes bare inserts together best.
const LEAST_SHARE: f64 = 0.55;

pub fn bench() -> Part {
    let machine = Machine::start();
    let site = machine.busy_site();
    let survey = site.survey();
    let folder = TempDir::new().expect("a folder for the floor's data");
    let objects = folder.path().join("objects");
    std::fs::create_dir(&objects).expect("the folder can be written");
    let artefact = asklet_xtask::root().join("tests/bench/floor.capnp");
    let floor = Server::spawn(&artefact, local(0), &[("objects", &objects)], &[], Stdio::null());
    let floor = floor.expect("a floor");

    let path = survey.collect_path(0);
    println!("{:>11} {:>22} {:>22} {:>7}", "", "asklet", "one INSERT", "");
    println!(
        "{:>11} {:>8} {:>6} {:>6} {:>8} {:>6} {:>6} {:>7}",
        "connections", "/s", "p50", "p99", "/s", "p50", "p99", "ratio"
    );
    let mut part = Part::new(json!([]));
    let mut sent = 0;
    let mut rows = Vec::new();
    for connections in CONNECTIONS {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        let mut ratios = Vec::new();
        for _ in 0..ROUNDS {
            let [our, their] = [machine.port(), floor.port()]
                .map(|port| Load { port, path: &path, connections, body: &display }.run());
            ratios.push(our.per_second / their.per_second);
            ours.push(our);
            theirs.push(their);
        }
        sent += ours.iter().map(|measured| measured.answered).sum::<u64>();
        // The ratio in the middle: what disturbs the machine for a moment disturbs one pair.
        ratios.sort_by(f64::total_cmp);
        let ratio = ratios[ROUNDS / 2];
        let (ours, theirs) = (Measured::median(ours), Measured::median(theirs));
        println!("{connections:>11} {ours} {theirs} {ratio:>7.2}");
        part.expect(ratio >= LEAST_SHARE, || {
            format!("at {connections} connections the ratio is {ratio:.2}: {LEAST_SHARE} is wanted")
        });
        rows.push(json!({
            "connections": connections,
            "asklet": ours.json(),
            "one_insert": theirs.json(),
            "ratio": ratio,
        }));
    }
    let stored = survey.summary()["n"].as_u64().unwrap_or_default();
    println!("\nof {sent} answered displays the summary counts {stored}");
    part.expect(stored == sent, || format!("{sent} displays were answered, {stored} counted"));
    part.figures = json!(rows);
    part
}

/// A new display with a score and a comment, as the widget sends it.
pub fn display(number: u64) -> String {
    let mut random = [0; 10];
    random[2..].copy_from_slice(&number.to_be_bytes());
    json!({
        "age_ms": 0,
        "id": DisplayId::new(now_ms(), random),
        "revision": 3,
        "version": 1,
        "stage": "completed",
        "channel": "in_page",
        "language": "en",
        "page": "https://shop.example/cart",
        "answers": { "score": number % 11, "why": "It is fast." },
    })
    .to_string()
}
