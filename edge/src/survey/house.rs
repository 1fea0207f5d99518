//! Housekeeping: when the tail is folded, and what is kept no longer goes.

use std::cell::Cell;
use std::time::Duration;

use worker::{Date, Delay};

use super::record::Recorded;
use super::slice::Cursor;
use super::{Shard, fold, keeping, versions};
use crate::alarm::Alarm;
use crate::failure::Failure;
use crate::sql::Sql;

/// How long the next slice waits. Without a wait a runtime may go from one to the next and never look
/// at who has connected meanwhile.
const PAUSE: Duration = Duration::from_millis(1);

/// Before which times a shard has settled what it keeps since it woke: once a day is enough, however often
/// the alarm runs to fold.
#[derive(Debug, Clone, Copy, Default)]
pub struct Settled {
    unanswered_ms: u64,
    people_ms: u64,
}

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
        self.see_to_alarm().await
    }

    /// Sets the daily alarm unless one is set.
    async fn see_to_alarm(&self) -> Result<(), Failure> {
        if !self.alarm_set.get() && self.state.storage().get_alarm().await?.is_none() {
            return self.set_alarm(HOUSEKEEPING).await;
        }
        self.alarm_set.set(true);
        Ok(())
    }

    async fn set_alarm(&self, after: Duration) -> Result<(), Failure> {
        self.state.set(after).await?;
        self.alarm_set.set(true);
        Ok(())
    }

    /// Folds what is worth folding.
    pub(super) fn fold(&self) -> Result<(), Failure> {
        while fold::fold(&self.sql, Date::now().as_millis())? {}
        self.tail_length.set(None);
        Ok(())
    }

    /// Looks after what is kept.
    pub(super) async fn keep_house(&self) -> Result<(), Failure> {
        self.alarm_set.set(false);
        if self.wake()? {
            let now_ms = Date::now().as_millis();
            keep(&self.sql, &self.state, &pause, &self.settled, now_ms).await?;
            self.tail_length.set(None);
        }
        Ok(())
    }
}

/// Folds, and settles what is kept no longer, in slices with pauses in which others are served.
async fn keep<S: Sql>(
    sql: &S,
    alarm: &impl Alarm,
    pause: &impl AsyncFn(),
    settled: &Cell<Settled>,
    now_ms: u64,
) -> Result<(), Failure> {
    // First of all: whatever breaks below, there is a next time.
    alarm.set(HOUSEKEEPING).await?;
    while fold::fold(sql, now_ms)? {
        pause().await;
    }
    let until_ms = keeping::unanswered_until_ms(now_ms);
    if settled.get().unanswered_ms < until_ms {
        settle(sql, pause, until_ms, keeping::drop_unanswered).await?;
        settled.set(Settled { unanswered_ms: until_ms, ..settled.get() });
    }
    let standing = versions::find_standing(sql)?;
    if let Some(days) = standing.and_then(|standing| standing.retention_days) {
        let until_ms = keeping::people_until_ms(now_ms, days);
        if settled.get().people_ms < until_ms {
            settle(sql, pause, until_ms, keeping::forget_people).await?;
            settled.set(Settled { people_ms: until_ms, ..settled.get() });
        }
    }
    Ok(())
}

/// Settles everything before a time, once it is folded.
async fn settle<S: Sql>(
    sql: &S,
    pause: &impl AsyncFn(),
    until_ms: u64,
    step: Step<S>,
) -> Result<(), Failure> {
    while fold::fold_before(sql, until_ms)? {
        pause().await;
    }
    let mut after = None;
    loop {
        after = step(sql, until_ms, after)?;
        if after.is_none() {
            return Ok(());
        }
        pause().await;
    }
}

/// One slice of what retention does before a time; returns where the next one begins.
type Step<S> = fn(&S, u64, Option<Cursor>) -> Result<Option<Cursor>, Failure>;

/// Lets requests that wait be served.
pub(super) async fn pause() {
    Delay::from(PAUSE).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alarm::tests::{Clock, at_once};
    use crate::survey::tests::{START_MS, store};

    #[test]
    fn housekeeping_that_breaks_has_set_the_alarm_for_the_next_time() {
        let sql = store();
        let clock = Clock::default();
        let settled = Cell::default();
        at_once(keep(&sql, &clock, &async || {}, &settled, START_MS)).unwrap();
        assert_eq!(clock.0.take(), Some(HOUSEKEEPING));
        sql.run("DROP TABLE folded", &[]).unwrap();
        let broken = at_once(keep(&sql, &clock, &async || {}, &settled, START_MS));
        assert!(matches!(broken, Err(Failure::Broken(_))), "{broken:?}");
        assert_eq!(clock.0.take(), Some(HOUSEKEEPING));
    }
}
