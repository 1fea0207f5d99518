//! What Asklet stores and counts. Everything is written against the small trait [`sql::Sql`], so that it runs
//! natively in tests as it runs in a Durable Object; there is no platform here and no clock.

pub mod alarm;
pub mod bodies;
pub mod buckets;
pub mod bundle;
pub mod cipher;
pub mod shard;
pub mod site;
pub mod sql;
pub mod vault;
