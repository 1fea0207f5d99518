//! Capacity: how many displays a shard stores and how many bytes they take, compared with the limits in the
//! site's settings. It is checked once in many requests, because counting is not free. A full shard is checked
//! again after a while, because settings change and unanswered displays are dropped.

use std::cell::Cell;

use asklet_protocol::failure::Failure;
use asklet_shared::problem::{Code, Problem};
use asklet_shared::settings::Limits;

use crate::shard::rollup;
use crate::sql::Sql;

/// Number of requests at most between two checks. Counting the tail takes some milliseconds.
const REQUESTS: u64 = 10_000;

/// Number of bytes that a display takes at most, including its part of the indexes.
const DISPLAY_BYTES: u64 = 32 * 1024;

/// Milliseconds for which a full shard counts as full without another check.
const FULL_MS: u64 = 10_000;

const MEGABYTE: u64 = 1_000_000;

/// The known free capacity.
#[derive(Default)]
pub struct Capacity {
    /// Number of requests that certainly fit.
    left: Cell<u64>,
    /// The time before which a full shard is not checked again.
    full_until_ms: Cell<u64>,
}

impl Capacity {
    /// Takes the capacity for one request, or refuses the request if there is none.
    pub fn take(&self, sql: &impl Sql, limits: Limits, now_ms: u64) -> Result<(), Failure> {
        if self.left.get() == 0 {
            if now_ms < self.full_until_ms.get() {
                return Err(full(limits).into());
            }
            self.left.set(find(sql, limits)?);
        }
        match self.left.get().checked_sub(1) {
            Some(left) => self.left.set(left),
            None => {
                self.full_until_ms.set(now_ms + FULL_MS);
                return Err(full(limits).into());
            }
        }
        Ok(())
    }

    /// Forgets the known capacity, since the limits or the displays have changed.
    pub fn forget(&self) {
        self.left.set(0);
        self.full_until_ms.set(0);
    }
}

/// Returns the number of requests that certainly fit, if each brings a new display.
fn find(sql: &impl Sql, limits: Limits) -> Result<u64, Failure> {
    let bytes = (u64::from(limits.survey_megabytes) * MEGABYTE).saturating_sub(sql.bytes());
    if bytes == 0 {
        return Ok(0);
    }
    let displays = u64::from(limits.survey_displays).saturating_sub(rollup::displays(sql)?);
    Ok(displays.min((bytes / DISPLAY_BYTES).max(1)).min(REQUESTS))
}

fn full(limits: Limits) -> Problem {
    let Limits { survey_displays, survey_megabytes, .. } = limits;
    Problem::new(Code::SurveyFull, "the survey has reached a storage limit of its site").limit(
        format!(
            "{survey_displays} displays and {survey_megabytes} megabytes on one shard of the survey"
        ),
    )
}

#[cfg(test)]
mod tests {
    use asklet_shared::display::Stage;

    use super::*;
    use crate::shard::record::record;
    use crate::shard::tests::{START_MS, arrival, code, store};

    #[test]
    fn a_shard_takes_as_many_displays_as_it_may_and_looks_again_later() {
        let sql = store();
        let capacity = Capacity::default();
        let limits = Limits { survey_displays: 3, ..Limits::default() };
        for number in 0..3 {
            capacity.take(&sql, limits, START_MS).unwrap();
            record(&sql, arrival(number, 1, Stage::Seen, None), START_MS).unwrap();
        }
        assert_eq!(code(capacity.take(&sql, limits, START_MS)), Code::SurveyFull);
        sql.run("DELETE FROM display", &[]).unwrap();
        assert_eq!(code(capacity.take(&sql, limits, START_MS + FULL_MS - 1)), Code::SurveyFull);
        capacity.take(&sql, limits, START_MS + FULL_MS).unwrap();
    }

    #[test]
    fn a_shard_takes_as_many_bytes_as_it_may() {
        let sql = store();
        let capacity = Capacity::default();
        let limits = Limits { survey_megabytes: 1, ..Limits::default() };
        capacity.take(&sql, limits, START_MS).unwrap();
        sql.run("INSERT INTO body (digest, bytes) VALUES ('0', zeroblob(1000000))", &[]).unwrap();
        capacity.forget();
        assert_eq!(code(capacity.take(&sql, limits, START_MS)), Code::SurveyFull);
        capacity.forget();
        let more = Limits { survey_megabytes: 2, ..limits };
        capacity.take(&sql, more, START_MS).unwrap();
    }
}
