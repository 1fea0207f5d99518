//! Faults on request: a panic before one of the statements of a write. Only in builds for the proof.

use std::cell::Cell;

use worker::Headers;

/// The header that asks for a panic before the so-many-th statement, counted from 0.
const HEADER: &str = "x-asklet-panic-before";

thread_local! {
    static STATEMENTS_LEFT: Cell<Option<u32>> = const { Cell::new(None) };
}

/// Reads from a request whether a panic is asked for.
pub fn arm(headers: &Headers) {
    let header = headers.get(HEADER).ok().flatten();
    STATEMENTS_LEFT.set(header.and_then(|header| header.parse().ok()));
}

/// A statement is about to run.
#[expect(clippy::panic, reason = "that is what it is for")]
pub fn pass() {
    match STATEMENTS_LEFT.get() {
        None => {}
        Some(0) => panic!("the panic that was asked for"),
        Some(left) => STATEMENTS_LEFT.set(Some(left - 1)),
    }
}
