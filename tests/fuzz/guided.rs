//! One target under libFuzzer, which the environment names, and where its inputs lie:
//! `cargo xtask fuzz` starts it.

#![no_main]
#![allow(
    unsafe_code,
    reason = "libFuzzer calls functions by their names, which these macros export"
)]

use std::cell::RefCell;
use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use asklet_fuzz::mutate::Mutator;
use asklet_fuzz::targets::{self, Target};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

static TARGET: LazyLock<&Target> = LazyLock::new(|| {
    let name = std::env::var("ASKLET_FUZZ_TARGET").unwrap_or_default();
    targets::named(&name).expect("ASKLET_FUZZ_TARGET names a target")
});

static SEEDS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let seeds = targets::seeds(&TARGET).expect("the corpus");
    seeds.into_iter().map(|(_, bytes)| bytes).collect()
});

thread_local! {
    static MUTATOR: RefCell<Mutator> =
        RefCell::new(Mutator::new(0, SEEDS.iter().map(Vec::as_slice)));
}

/// Puts the inputs to begin with where libFuzzer reads and writes what it works on.
fn begin() {
    let Some(work) = std::env::var_os("ASKLET_FUZZ_WORK").map(PathBuf::from) else { return };
    for (name, bytes) in targets::seeds(&TARGET).expect("the corpus") {
        fs::write(work.join(name), bytes).expect("the folder can be written");
    }
}

fuzz_target!(init: begin(), |data: &[u8]| (TARGET.check)(data));

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    // Half of the time libFuzzer's own changes, which learn from comparisons.
    if !TARGET.is_json || seed.is_multiple_of(2) {
        return fuzzer_mutate(data, size, max_size);
    }
    let mut text = data[..size].to_vec();
    MUTATOR.with_borrow_mut(|mutator| {
        mutator.reseed(seed.into());
        // Often from a kept input: what libFuzzer collects is mostly what does not even read.
        if let (0, Some(kept)) = (mutator.rng().u8(0..2), mutator.rng().choice(SEEDS.iter())) {
            text.clone_from(kept);
        }
        for _ in 0..mutator.rng().u8(1..4) {
            mutator.json(&mut text);
        }
    });
    text.truncate(max_size);
    data[..text.len()].copy_from_slice(&text);
    text.len()
});
