//! The API as programs meet it, on the runtime that `ASKLET_RUNTIME` names. `machine` alone is about
//! plain workerd, so `cargo xtask test` skips it by its name on the other runtime.

mod assets;
mod bundle;
mod collect;
mod corrections;
mod docs;
mod export;
mod hosted;
mod idempotency;
mod input;
mod installs;
mod keys;
mod limits;
mod machine;
mod observing;
mod people;
mod preview;
mod responses;
mod routes;
mod rows;
mod shapes;
mod sites;
mod spreadsheet;
mod summary;
mod surveys;
mod tenants;
mod texts;
mod zones;
