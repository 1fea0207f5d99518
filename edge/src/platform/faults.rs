//! Faults on request: a panic before one of the statements of a write. Only builds for the tests in
//! `tests/proof/` contain this.

use std::cell::Cell;

use worker::Headers;

/// The header that asks for a panic: the number of the statement before which to panic, counted from 0.
const HEADER: &str = "x-asklet-panic-before";

thread_local! {
    static STATEMENTS_LEFT: Cell<Option<u32>> = const { Cell::new(None) };
}

/// Reads from a request whether, and before which statement, to panic.
pub fn arm(headers: &Headers) {
    let header = headers.get(HEADER).ok().flatten();
    STATEMENTS_LEFT.set(header.and_then(|header| header.parse().ok()));
}

/// Counts a statement that is about to run, and panics if it is the one that the request named.
#[expect(clippy::panic, reason = "that is what it is for")]
pub fn pass() {
    match STATEMENTS_LEFT.get() {
        None => {}
        Some(0) => panic!("the panic that was asked for"),
        Some(left) => STATEMENTS_LEFT.set(Some(left - 1)),
    }
}
