//! What strangers send, fuzzed. The decoders run natively: guided by coverage in `cargo xtask fuzz`,
//! and over the kept inputs of `corpus/` in `cargo xtask test`. The test `collect` sends requests to
//! a real server, and changes them by the same [`mutate`].

pub mod corpus;
pub mod mutate;
pub mod targets;

/// The table of routes: the file that the Worker is built from.
#[allow(dead_code, missing_docs, reason = "it is the Worker's")]
#[path = "../../../edge/src/route/mod.rs"]
pub mod route;
