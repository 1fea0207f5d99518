//! Housekeeping: when the tail is folded, and what is kept no longer goes.

use std::time::Duration;

use asklet_shared::display_id::DisplayId;
use worker::{Date, Delay, Response};

use super::record::Recorded;
use super::{Shard, fold, keeping};
use crate::failure::Failure;
use crate::sql::object::Object;

/// How long the next slice waits. Without a wait a runtime may go from one to the next and never look
/// at who has connected meanwhile.
const PAUSE: Duration = Duration::from_millis(1);

/// How often a shard looks after what it keeps.
const HOUSEKEEPING: Duration = Duration::from_secs(24 * 60 * 60);

impl Shard {
    /// Sees to the alarm after a display was recorded: now if the tail is full, and some time anyway.
    pub(super) async fn after(&self, recorded: Recorded) -> Result<(), Failure> {
        let known = match self.tail_length.get() {
            Some(known) => known + usize::from(recorded == Recorded::New),
            None => fold::tail_length(&self.sql)?,
        };
        self.tail_length.set(Some(known));
        if known > fold::TAIL_LIMIT {
            // Counted anew once the alarm has folded.
            self.tail_length.set(Some(0));
            return self.set_alarm(Duration::ZERO).await;
        }
        if !self.alarm_set.get() && self.state.storage().get_alarm().await?.is_none() {
            return self.set_alarm(HOUSEKEEPING).await;
        }
        self.alarm_set.set(true);
        Ok(())
    }

    async fn set_alarm(&self, after: Duration) -> Result<(), Failure> {
        self.state.storage().set_alarm(after).await?;
        self.alarm_set.set(true);
        Ok(())
    }

    /// Folds what is worth folding.
    pub(super) fn fold(&self) -> Result<(), Failure> {
        while fold::fold(&self.sql, Date::now().as_millis())? {}
        self.tail_length.set(None);
        Ok(())
    }

    /// Folds, and settles what is kept no longer, in slices between which others are served.
    pub(super) async fn keep_house(&self) -> Result<Response, Failure> {
        self.alarm_set.set(false);
        if !self.wake()? {
            return Ok(Response::empty()?);
        }
        let sql = &self.sql;
        let now_ms = Date::now().as_millis();
        while fold::fold(sql, now_ms)? {
            pause().await;
        }
        let since = keeping::Since::read(sql)?;
        let until_ms = keeping::unanswered_until_ms(now_ms);
        if since.dropped_ms < until_ms {
            self.settle(until_ms, keeping::drop_unanswered).await?;
        }
        let retention = self.known_standing()?.and_then(|standing| standing.retention_days);
        if let Some(days) = retention {
            let until_ms = keeping::people_until_ms(now_ms, days);
            if since.forgotten_ms < until_ms {
                self.settle(until_ms, keeping::forget_people).await?;
            }
        }
        self.tail_length.set(None);
        self.set_alarm(HOUSEKEEPING).await?;
        Ok(Response::empty()?)
    }

    /// Settles everything before a time, once it is folded.
    async fn settle(&self, until_ms: u64, step: Step) -> Result<(), Failure> {
        while fold::fold_before(&self.sql, until_ms)? {
            pause().await;
        }
        let mut after = None;
        loop {
            after = step(&self.sql, until_ms, after)?;
            if after.is_none() {
                return Ok(());
            }
            pause().await;
        }
    }
}

/// One slice of what retention does before a time; returns where the next one begins.
type Step = fn(&Object, u64, Option<DisplayId>) -> Result<Option<DisplayId>, Failure>;

/// Lets requests that wait be served.
pub(super) async fn pause() {
    Delay::from(PAUSE).await;
}
