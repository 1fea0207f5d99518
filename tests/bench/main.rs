//! What Asklet costs: `cargo xtask bench`. Machines differ and are shared, so what is measured stands
//! beside something else that was measured in the same run, and bars are set on the ratio.

mod collect;
mod load;
mod long_work;
mod neighbours;
mod stores;
mod writes;

use std::process::ExitCode;

use serde_json::json;

/// What a part of the bench found: figures, and the bars that were not reached.
pub struct Part {
    pub figures: serde_json::Value,
    pub missed: Vec<String>,
}

impl Part {
    pub fn new(figures: serde_json::Value) -> Self {
        Self { figures, missed: Vec::new() }
    }

    /// Notes a bar that is not reached.
    pub fn expect(&mut self, is_reached: bool, bar: impl FnOnce() -> String) {
        if !is_reached {
            self.missed.push(bar());
        }
    }
}

type Bench = fn() -> Part;

const BENCHES: [(&str, Bench); 5] = [
    ("collect", collect::bench),
    ("writes", writes::bench),
    ("neighbours", neighbours::bench),
    ("stores", stores::bench),
    ("long_work", long_work::bench),
];

fn main() -> ExitCode {
    // Cargo adds `--bench`; a name picks one part.
    let wanted: Vec<_> = std::env::args().skip(1).filter(|name| !name.starts_with('-')).collect();
    let mut report = serde_json::Map::new();
    let mut missed = Vec::new();
    for (name, bench) in BENCHES {
        if !wanted.is_empty() && !wanted.iter().any(|wanted| wanted == name) {
            continue;
        }
        println!("\n## {name}\n");
        let part = bench();
        report.insert(name.to_owned(), part.figures);
        missed.extend(part.missed);
    }
    println!("\n{}", json!(report));
    for bar in &missed {
        eprintln!("error: {bar}");
    }
    if missed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The time now, in milliseconds since the epoch.
pub fn now_ms() -> u64 {
    let now = std::time::UNIX_EPOCH.elapsed().expect("a clock after 1970");
    u64::try_from(now.as_millis()).expect("a time of this age")
}
