//! Maintenance: folds the tail, and removes what retention does not keep any longer.

use std::cell::Cell;
use std::time::Duration;

use asklet_protocol::cursor::Cursor;
use asklet_protocol::failure::Failure;

use crate::alarm::Alarm;
use crate::shard::{retention, rollup, versions};
use crate::sql::Sql;

/// The times up to which a shard has applied retention since it woke. Once a day is enough, however often the
/// alarm runs to fold.
#[derive(Debug, Clone, Copy, Default)]
pub struct RetentionProgress {
    unanswered_ms: u64,
    people_ms: u64,
}

/// How often a shard runs maintenance.
pub const INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);

/// Folds the tail and applies retention, in slices with pauses in which other requests are served.
pub async fn keep<S: Sql>(
    sql: &S,
    alarm: &impl Alarm,
    pause: &impl AsyncFn(),
    progress: &Cell<RetentionProgress>,
    now_ms: u64,
) -> Result<(), Failure> {
    // The alarm is set first: whatever fails below, maintenance runs again.
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

/// Applies one kind of retention to everything before a time, once it is folded.
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

/// One slice of retention for everything before a time; returns where the next slice begins.
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
