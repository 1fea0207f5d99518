//! Neighbours: what a flood of one site does to another, config requests a second, and memory.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use harness::{ADDRESS_HEADER, Machine};
use serde_json::json;

use crate::Part;
use crate::collect::display;
use crate::load::{Load, Pace};

/// What the other site's visitors send, and what the flood sends: ten times as many connections.
const CONNECTIONS: usize = 2;
const FLOOD: usize = 20;

/// How often each is measured, in turn.
const ROUNDS: usize = 3;

pub fn bench() -> Part {
    let machine = Machine::start();
    let idle_mib = memory_mib(&machine);
    let (site, flooded) = (machine.busy_site(), machine.site());
    let (survey, flooded_survey) = (site.survey(), flooded.survey());
    // As the flooded site limits it: one address, five requests a second.
    let limits = json!({ "address_per_minute": 300, "shard_per_second": 5_000 });
    let settings = json!({ "name": "Flooded", "origins": ["*"], "limits": limits });
    flooded.request("PUT", "").json(&settings).expect(200);
    let (path, flood_path) = (survey.collect_path(0), flooded_survey.collect_path(0));
    let (config, port) = (format!("/v1/config/{}", site.id), machine.port());
    let load = Load { port, path: &path, connections: CONNECTIONS, body: &display };

    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    let mut refused = 0;
    for _ in 0..ROUNDS {
        alone.push(load.run());
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            let flood = scope.spawn(|| {
                let header = format!("{ADDRESS_HEADER}: 203.0.113.7\r\n");
                let pace = Pace { header: &header, is_over: Some(&is_over) };
                Load { path: &flood_path, connections: FLOOD, ..load }.at(&pace)
            });
            beside.push(load.run());
            is_over.store(true, Ordering::Relaxed);
            refused += flood.join().expect("a flood").refused;
        });
    }
    let (alone, beside) =
        (crate::load::Measured::median(alone), crate::load::Measured::median(beside));
    println!("{:<44} {alone}", "a site alone: /s, p50, p99 in ms");
    println!("{:<44} {beside}", "the same beside a flood of ten times as many");
    println!("{refused} requests of the flood were told to wait");
    let told = Load { path: &config, connections: 8, ..load }.get();
    println!("{:<44} {told}", "config: /s, p50, p99 in ms");
    let busy_mib = memory_mib(&machine);
    println!("memory of the process: {idle_mib:.0} MiB idle, {busy_mib:.0} MiB after this");
    Part::new(json!({
        "alone": alone.json(),
        "beside_a_flood": beside.json(),
        "flood_refused": refused,
        "config": told.json(),
        "idle_mib": idle_mib,
        "busy_mib": busy_mib,
    }))
}

/// The memory that a machine's server holds, in MiB, without what it shares with others.
pub fn memory_mib(machine: &Machine) -> f64 {
    let status = fs::read_to_string(format!("/proc/{}/smaps_rollup", machine.process()));
    let status = status.expect("the server runs on Linux");
    let pss = status.lines().find_map(|line| line.strip_prefix("Pss:")).expect("a figure");
    let kib: f64 = pss.trim().trim_end_matches("kB").trim().parse().expect("a figure");
    kib / 1024.0
}
