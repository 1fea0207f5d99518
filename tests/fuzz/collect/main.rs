//! Collecting, fuzzed over HTTP: histories of requests on connections that are kept open, each
//! request as it was kept or changed, against a model of what must be answered and what must count.
//!
//! `ASKLET_FUZZ_SECONDS` says how long the long run takes, `ASKLET_FUZZ_SEED` repeats one, and
//! `ASKLET_FUZZ_INPUT` names a file or folder of histories to replay: `cargo xtask fuzz` sets them.

mod history;
mod model;
mod round;
mod wire;

use std::env;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use asklet_fuzz::corpus;
use harness::Machine;

use crate::history::History;
use crate::round::{Play, Round};

/// How many connections send at once.
const CONNECTIONS: u8 = 16;

/// How long the long run goes on before it recounts and starts on new surveys.
const ROUND: Duration = Duration::from_secs(15);

/// The histories in a folder, one a file.
fn histories(path: &Path) -> Vec<History> {
    let files = corpus::read(path).unwrap();
    files.iter().map(|(path, bytes)| History::parse(bytes, &path.to_string_lossy())).collect()
}

#[test]
fn the_kept_histories_are_answered_and_counted_as_they_should_be() {
    let deployment = Machine::start();
    let input = env::var_os("ASKLET_FUZZ_INPUT").map(PathBuf::from);
    let path = input.clone().unwrap_or_else(|| corpus::folder("collect"));
    let kept = histories(&path);
    let played = Round::new(&deployment, &kept).run(CONNECTIONS, &Play::Kept);
    println!("collect: {played}");
    assert!(input.is_some() || (played.stored > 0 && played.refused > 0), "{played}");
}

#[test]
#[ignore = "minutes of evidence: cargo xtask proof"]
fn whatever_is_sent_is_answered_and_counted_as_it_should_be() {
    let number = |name: &str| env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seed = number("ASKLET_FUZZ_SEED").unwrap_or_else(|| fastrand::u64(..));
    let end = Instant::now() + Duration::from_secs(number("ASKLET_FUZZ_SECONDS").unwrap_or(120));
    println!("collect: ASKLET_FUZZ_SEED={seed}");
    let deployment = Machine::start();
    let mut kept = histories(&corpus::folder("collect"));
    kept.retain(|history| !history.is_unsound());
    let mut sum = round::Played::default();
    for number in 0.. {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        let until = Instant::now() + left.min(ROUND);
        let round = Round::new(&deployment, &kept);
        sum.add(&round.run(CONNECTIONS, &Play::Changed { seed: seed.wrapping_add(number), until }));
    }
    println!("collect: {sum}; each recounted");
    // A run that the server refuses altogether, or takes altogether, would be none.
    assert!(sum.stored * 20 > sum.requests && sum.refused * 20 > sum.requests, "{sum}");
}
