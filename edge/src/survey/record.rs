//! Recording: one revision of one display enters the log, and, where the counters cover the display
//! already, the counters with it, in one transaction.
//!
//! A display whose id was made by a clock too wrong for the tail's range of keys is marked as astray
//! and enters the counters at once.

use asklet_shared::counter::{Change, Facts};
use asklet_shared::display::Display;
use asklet_shared::problem::{Code, Problem};
use asklet_shared::time::DAY_MS;

use super::fold::{self, Watermark};
use super::log::{self, DRIFT_MS, Stored};
use crate::failure::Failure;
use crate::sql::Sql;

/// The oldest display that is taken for what it is; older ones count as shown this long ago.
const AGE_LIMIT_MS: u64 = 30 * DAY_MS;

/// What became of a revision that was stored or acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// It is the latest now.
    New,
    /// It, or a later one, was there already; nothing changed.
    Known,
}

/// Takes one revision of one display, already validated, in one transaction. An older or equal
/// revision changes nothing and is acknowledged again; a newer one replaces.
pub fn record(sql: &impl Sql, display: Display, now_ms: u64) -> Result<Recorded, Failure> {
    sql.transaction(|| {
        let counters = Watermark::read(sql)?;
        let Some(earlier) = log::find(sql, display.id)? else {
            let new = first_stored(display, now_ms);
            log::write(sql, &new)?;
            if counters.covers(&new) {
                fold::change(sql, &[(&new.facts, Change::PutIn)])?;
            }
            return Ok(Recorded::New);
        };
        let later = later_stored(display, &earlier);
        if later.revision < earlier.revision || later == earlier {
            return Ok(Recorded::Known);
        }
        check_succession(&earlier, &later)?;
        log::write(sql, &later)?;
        if counters.covers(&earlier) {
            fold::change(sql, &[(&earlier.facts, Change::TakeOut), (&later.facts, Change::PutIn)])?;
        }
        Ok(Recorded::New)
    })
}

fn check_succession(earlier: &Stored, later: &Stored) -> Result<(), Problem> {
    if later.revision == earlier.revision {
        return Err(Problem::new(
            Code::RevisionConflict,
            format!("revision {} was told with other content", later.revision),
        )
        .at("revision"));
    }
    if later.facts.version != earlier.facts.version {
        let version = earlier.facts.version;
        return Err(Problem::new(Code::VersionChanged, "the display was shown in another version")
            .at("version")
            .limit(version.to_string()));
    }
    if later.facts.stage < earlier.facts.stage {
        return Err(Problem::new(Code::StageLowered, "an earlier revision came further")
            .at("stage")
            .limit(format!("at least {:?}", earlier.facts.stage).to_lowercase()));
    }
    Ok(())
}

/// A display's row at its first receipt. The time is ours, less the age that the client tells, so
/// that a wrong clock never costs an answer.
fn first_stored(display: Display, now_ms: u64) -> Stored {
    let shown_ms = now_ms.saturating_sub(display.age_ms.min(AGE_LIMIT_MS));
    Stored {
        id: display.id,
        revision: display.revision,
        astray: display.id.unix_ms().abs_diff(shown_ms) > DRIFT_MS,
        received_ms: now_ms,
        page: display.page,
        facts: Facts {
            shown_ms,
            stage: display.stage,
            dismissed: display.dismissed,
            version: display.version,
            channel: display.channel,
            language: display.language,
            answers: display.answers,
        },
    }
}

/// The row of a further revision: what the first receipt fixed stays.
fn later_stored(display: Display, earlier: &Stored) -> Stored {
    let mut later = first_stored(display, earlier.received_ms);
    later.facts.shown_ms = earlier.facts.shown_ms;
    later.astray = earlier.astray;
    later
}
