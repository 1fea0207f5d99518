//! When a shard folds, and when its maintenance runs.

use std::time::Duration;

use asklet_protocol::failure::Failure;
use asklet_store::alarm::Alarm;
use asklet_store::shard::maintenance::{INTERVAL, keep};
use asklet_store::shard::record::Recorded;
use asklet_store::shard::rollup;
use asklet_store::sql::Sql;
use worker::{Date, Delay};

use crate::objects::survey::{KIND, Shard};
use crate::platform::alarm::ObjectAlarm;
use crate::platform::metrics;

/// How long the next slice waits. Without a wait a runtime may go from one slice to the next and never serve
/// requests that arrive in between.
const PAUSE: Duration = Duration::from_millis(1);

impl Shard {
    /// Sets the alarm after a display was recorded: for now if the tail is full, and otherwise for the daily
    /// maintenance.
    pub(super) async fn after(&self, recorded: Recorded) -> Result<(), Failure> {
        let known = match self.tail_length.get() {
            Some(known) => known + usize::from(recorded == Recorded::New),
            None => rollup::tail_length(&self.sql)?,
        };
        self.tail_length.set(Some(known));
        if known > rollup::TAIL_LIMIT {
            // The tail is counted anew after the alarm has folded it.
            self.tail_length.set(Some(0));
            return self.set_alarm(Duration::ZERO).await;
        }
        self.see_to_alarm().await
    }

    /// Sets the daily alarm unless one is set.
    async fn see_to_alarm(&self) -> Result<(), Failure> {
        if !self.alarm_set.get() && self.state.storage().get_alarm().await?.is_none() {
            return self.set_alarm(INTERVAL).await;
        }
        self.alarm_set.set(true);
        Ok(())
    }

    async fn set_alarm(&self, after: Duration) -> Result<(), Failure> {
        ObjectAlarm(&self.state).set(after).await?;
        self.alarm_set.set(true);
        Ok(())
    }

    /// Folds the tail where that is worthwhile.
    pub(super) fn fold(&self) -> Result<(), Failure> {
        while rollup::fold(&self.sql, Date::now().as_millis())? {
            metrics::folded();
        }
        self.tail_length.set(None);
        self.measure();
        Ok(())
    }

    /// Reports how much the shard stores.
    pub(super) fn measure(&self) {
        metrics::measured(KIND, self.state.id().to_string(), self.sql.bytes(), 0);
    }

    /// Runs maintenance.
    pub(super) async fn maintain(&self) -> Result<(), Failure> {
        self.alarm_set.set(false);
        if self.wake()? {
            let now_ms = Date::now().as_millis();
            keep(&self.sql, &ObjectAlarm(&self.state), &pause, &self.retention_progress, now_ms)
                .await?;
            self.tail_length.set(None);
            self.measure();
        }
        Ok(())
    }
}

/// Lets waiting requests be served.
pub(super) async fn pause() {
    Delay::from(PAUSE).await;
}
