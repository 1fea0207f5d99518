//! What the platform provides: its objects, their SQLite and alarms, time zones, Unicode, and the operator's
//! settings.

pub mod alarm;
pub mod deployment;
#[cfg(feature = "faults")]
pub mod faults;
pub mod log;
pub mod memory;
pub mod metrics;
pub mod plain;
pub mod rpc;
pub mod sql;
pub mod stubs;
pub mod trace;
pub mod zone;
