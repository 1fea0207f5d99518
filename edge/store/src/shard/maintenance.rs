//! Housekeeping: when the tail is folded, and what is kept no longer goes.

use std::cell::Cell;
use std::time::Duration;

use asklet_protocol::cursor::Cursor;
use asklet_protocol::failure::Failure;

use crate::alarm::Alarm;
use crate::shard::{retention, rollup, versions};
use crate::sql::Sql;

/// Before which times a shard has settled what it keeps since it woke: once a day is enough, however often
/// the alarm runs to fold.
#[derive(Debug, Clone, Copy, Default)]
pub struct RetentionProgress {
    unanswered_ms: u64,
    people_ms: u64,
}

/// How often a shard looks after what it keeps.
pub const INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);

/// Folds, and settles what is kept no longer, in slices with pauses in which others are served.
pub async fn keep<S: Sql>(
    sql: &S,
    alarm: &impl Alarm,
    pause: &impl AsyncFn(),
    progress: &Cell<RetentionProgress>,
    now_ms: u64,
) -> Result<(), Failure> {
    // First of all: whatever breaks below, there is a next time.
    alarm.set(INTERVAL).await?;
    while rollup::fold(sql, now_ms)? {
        pause().await;
    }
    let until_ms = retention::unanswered_until_ms(now_ms);
    if progress.get().unanswered_ms < until_ms {
        settle(sql, pause, until_ms, retention::drop_unanswered).await?;
        progress.set(RetentionProgress { unanswered_ms: until_ms, ..progress.get() });
    }
    let policy = versions::find_policy(sql)?;
    if let Some(days) = policy.and_then(|policy| policy.retention_days) {
        let until_ms = retention::people_until_ms(now_ms, days);
        if progress.get().people_ms < until_ms {
            settle(sql, pause, until_ms, retention::forget_people).await?;
            progress.set(RetentionProgress { people_ms: until_ms, ..progress.get() });
        }
    }
    Ok(())
}

/// Settles everything before a time, once it is folded.
async fn settle<S: Sql>(
    sql: &S,
    pause: &impl AsyncFn(),
    until_ms: u64,
    step: RetentionStep<S>,
) -> Result<(), Failure> {
    while rollup::fold_before(sql, until_ms)? {
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
type RetentionStep<S> = fn(&S, u64, Option<Cursor>) -> Result<Option<Cursor>, Failure>;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alarm::tests::{Clock, at_once};
    use crate::shard::tests::{START_MS, store};

    #[test]
    fn housekeeping_that_breaks_has_set_the_alarm_for_the_next_time() {
        let sql = store();
        let clock = Clock::default();
        let progress = Cell::default();
        at_once(keep(&sql, &clock, &async || {}, &progress, START_MS)).unwrap();
        assert_eq!(clock.0.take(), Some(INTERVAL));
        sql.run("DROP TABLE folded", &[]).unwrap();
        let broken = at_once(keep(&sql, &clock, &async || {}, &progress, START_MS));
        assert!(matches!(broken, Err(Failure::Broken(_))), "{broken:?}");
        assert_eq!(clock.0.take(), Some(INTERVAL));
    }
}
