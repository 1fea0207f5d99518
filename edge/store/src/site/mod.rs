//! A site: its settings, keys and surveys, the log of its team's changes, and the outbox messages for its
//! shards.

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
