//! The kept inputs of the decoders, every one.

use std::collections::BTreeSet;

use asklet_fuzz::corpus;
use asklet_fuzz::mutate::Mutator;
use asklet_fuzz::targets::{self, TARGETS};
use asklet_shared::definition::Definition;
use asklet_shared::display::Display;
use asklet_shared::validate;

#[test]
fn every_kept_input_keeps_its_promises() {
    for target in &TARGETS {
        let seeds = targets::seeds(target).unwrap();
        assert!(!seeds.is_empty(), "{} has no kept inputs", target.name);
        for (name, bytes) in seeds {
            // Shown only if it fails.
            println!("{}/{name}", target.name);
            (target.check)(&bytes);
        }
    }
}

/// A corpus of inputs that are all refused would test nothing behind the first check.
#[test]
fn the_corpus_holds_what_is_taken_and_what_is_refused() {
    let definitions = corpus::read(&corpus::folder("definition")).unwrap();
    let decoded: Vec<Option<Definition>> =
        definitions.iter().map(|(_, bytes)| serde_json::from_slice(bytes).ok()).collect();
    let valid: Vec<&Definition> = decoded
        .iter()
        .flatten()
        .filter(|definition| validate::definition(definition).is_ok())
        .collect();
    let is_taken = |bytes: &[u8]| {
        let display = serde_json::from_slice::<Display>(bytes).ok();
        display.map(|told| {
            valid.iter().any(|definition| validate::display(&mut told.clone(), definition).is_ok())
        })
    };
    let displays = corpus::read(&corpus::folder("display")).unwrap();
    let kinds: BTreeSet<_> = displays.iter().map(|(_, bytes)| is_taken(bytes)).collect();
    assert_eq!(kinds, BTreeSet::from([None, Some(false), Some(true)]));
    assert!(decoded.contains(&None) && valid.len() >= 3);
    assert!(decoded.iter().flatten().count() > valid.len());
}

/// What the guided fuzzer does with coverage, blindly and briefly, so that the checks and the
/// changes themselves cannot rot between long runs.
#[test]
fn changed_inputs_keep_their_promises_too() {
    for target in &TARGETS {
        let seeds = targets::seeds(target).unwrap();
        let mut mutator = Mutator::new(1, seeds.iter().map(|(_, bytes)| bytes.as_slice()));
        for round in 0..500 {
            let (name, bytes) = &seeds[round % seeds.len()];
            let mut changed = bytes.clone();
            let change = if target.is_json { Mutator::json } else { Mutator::bytes };
            change(&mut mutator, &mut changed);
            println!("{}/{name}, as {}", target.name, changed.escape_ascii());
            (target.check)(&changed);
        }
    }
}
