//! A site: its settings, keys and surveys, the log of what its team changed, and what its shards have yet to
//! hear.

pub mod audit;
mod ceilings;
pub mod installs;
mod intents;
pub mod keys;
pub mod migration;
pub mod outbox;
pub mod published;
pub mod refused_keys;
mod requests;
pub mod schema;
pub mod settings;
pub mod surveys;
pub mod team;
#[cfg(test)]
mod tests;
