//! What collecting costs, beside an object that does one INSERT of the same body, interleaved in one
//! run: `cargo xtask bench`. Machines differ and are shared; the ratio is what counts.

mod load;

use std::process::{ExitCode, Stdio};

use asklet_shared::display_id::DisplayId;
use asklet_xtask::server::Server;
use harness::Machine;
use serde_json::json;
use tempfile::TempDir;

use crate::load::{Load, Measured};

/// How many connections send at once.
const CONNECTIONS: [usize; 4] = [1, 8, 32, 128];

/// How often each side is measured for each number of connections, in turn.
const ROUNDS: usize = 3;

/// Collecting must reach this share of the floor.
const LEAST_SHARE: f64 = 0.70;

fn main() -> ExitCode {
    let deployment = Machine::start();
    let site = deployment.site();
    let survey = site.survey();
    let folder = TempDir::new().expect("a folder for the floor's data");
    let objects = folder.path().join("objects");
    std::fs::create_dir(&objects).expect("the folder can be written");
    let artefact = asklet_xtask::root().join("tests/bench/floor.capnp");
    let floor = Server::spawn(&artefact, 0, &[("objects", &objects)], &[], Stdio::null());
    let floor = floor.expect("a floor");

    let path = survey.collect_path(0);
    let mut rows = Vec::new();
    println!("{:>11} {:>22} {:>22} {:>7}", "", "asklet", "one INSERT", "");
    println!(
        "{:>11} {:>8} {:>6} {:>6} {:>8} {:>6} {:>6} {:>7}",
        "connections", "/s", "p50", "p99", "/s", "p50", "p99", "ratio"
    );
    let mut sent = 0;
    for connections in CONNECTIONS {
        let mut ours = Vec::new();
        let mut theirs = Vec::new();
        for _ in 0..ROUNDS {
            for (port, into) in [(deployment.port(), &mut ours), (floor.port(), &mut theirs)] {
                let load = Load { port, path: &path, connections, body: &display };
                into.push(load.run());
            }
        }
        sent += ours.iter().map(|measured| measured.answered).sum::<u64>();
        let (ours, theirs) = (Measured::median(ours), Measured::median(theirs));
        let ratio = ours.per_second / theirs.per_second;
        println!("{connections:>11} {ours} {theirs} {ratio:>7.2}");
        rows.push((connections, ours, theirs, ratio));
    }
    let stored = survey.summary()["n"].as_u64().unwrap_or_default();
    println!("\nevery one of {sent} answered displays is in the summary: {}", stored == sent);
    let table: Vec<_> = rows
        .iter()
        .map(|(connections, ours, theirs, ratio)| {
            json!({
                "connections": connections,
                "asklet": ours.json(),
                "one_insert": theirs.json(),
                "ratio": ratio,
            })
        })
        .collect();
    println!("{}", json!({ "collect": table }));
    let least = rows.iter().map(|row| row.3).fold(f64::INFINITY, f64::min);
    if stored != sent || least < LEAST_SHARE {
        eprintln!("error: the least ratio is {least:.2}, and {LEAST_SHARE:.2} is wanted");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// A new display with a score, as the widget sends it.
fn display(number: u64) -> String {
    let now = std::time::UNIX_EPOCH.elapsed().expect("a clock after 1970");
    let now_ms = u64::try_from(now.as_millis()).expect("a time of this age");
    let mut random = [0; 10];
    random[2..].copy_from_slice(&number.to_be_bytes());
    json!({
        "age_ms": 0,
        "id": DisplayId::new(now_ms, random),
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
