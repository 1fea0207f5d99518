//! One shard of a survey: the log of its displays, the counters that are folded from the log, and what a team
//! does with both.

pub mod arrival;
pub mod capacity;
pub mod changes;
pub mod columns;
pub mod corrections;
pub mod display_keys;
pub mod find;
pub mod identity;
pub mod import;
pub mod limiter;
pub mod log;
pub mod maintenance;
pub mod migration;
pub mod negative_cache;
pub mod personal_data;
pub mod record;
pub mod responses;
pub mod retention;
pub mod rollup;
pub mod scan;
pub mod schema;
pub mod slice;
pub mod storage;
pub mod stored;
#[cfg(test)]
mod tests;
mod trait_values;
pub mod versions;
pub mod watermark;
