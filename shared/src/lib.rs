//! What the parts of Asklet agree on: definitions, displays, their validation, the metrics and the
//! statistics. There is no I/O here and no clock, so everything can be tested natively.

pub mod body;
pub mod choice;
pub mod config;
pub mod counter;
pub mod definition;
pub mod dimension;
pub mod display;
pub mod display_id;
pub mod facts;
pub mod funnel;
pub mod json;
pub mod metrics;
pub mod period;
pub mod pooled;
pub mod problem;
#[cfg(feature = "schema")]
mod schema;
pub mod scope;
pub mod settings;
pub mod statistics;
pub mod summary;
pub mod tally;
pub mod time;
pub mod validate;
