//! What Asklet stores and counts. All code uses the small trait [`sql::Sql`], so that it runs natively in tests
//! as it runs in a Durable Object. The crate depends on no platform and no clock.

pub mod alarm;
pub mod bodies;
pub mod buckets;
pub mod bundle;
pub mod cipher;
pub mod shard;
pub mod site;
pub mod sql;
pub mod vault;
