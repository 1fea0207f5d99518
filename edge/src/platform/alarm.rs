//! The alarm of a Durable Object.

use std::time::Duration;

use asklet_protocol::failure::Failure;
use asklet_store::alarm::Alarm;
use worker::State;

/// The alarm of the object that has this state.
pub struct ObjectAlarm<'a>(pub &'a State);

impl Alarm for ObjectAlarm<'_> {
    async fn set(&self, after: Duration) -> Result<(), Failure> {
        Ok(self.0.storage().set_alarm(after).await?)
    }

    async fn clear(&self) -> Result<(), Failure> {
        Ok(self.0.storage().delete_alarm().await?)
    }
}
