//! What untrusted clients send, fuzzed. The decoders run natively: guided by coverage in `cargo xtask fuzz`,
//! and over the kept inputs of `corpus/` in `cargo xtask test`. The test `collect` sends requests to
//! a real server, and changes them by the same [`mutate`].

pub mod corpus;
pub mod mutate;
pub mod targets;
