//! What the Worker and its Durable Objects say to each other, and what both know: ids and their seals, the
//! routes and who may call each, queries, pages, and the calls to each object. This crate depends on neither
//! side and on no platform, so tests run all of it natively.

pub mod audit;
pub mod bundle;
pub mod calls;
pub mod corrections;
pub mod csv;
pub mod cursor;
pub mod etag;
pub mod failure;
pub mod find;
pub mod ids;
pub mod import;
pub mod installs;
pub mod json;
pub mod keys;
mod names;
pub mod plan;
pub mod policy;
pub mod problems;
pub mod rendering;
pub mod respondent;
pub mod responses;
pub mod retention;
pub mod routes;
pub mod scan;
pub mod seal;
