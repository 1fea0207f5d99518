//! Recording: one revision of one display enters the log, and, where the counters cover the display
//! already, the counters with it, in one transaction.
//!
//! A display whose id was made by a clock too wrong for the tail's range of keys is marked as clock-skewed. It
//! is deferred like whatever arrives behind the watermark: the fold counts it with others later, since
//! counting one by itself writes a row for each of its dimensions and questions.

use std::collections::BTreeMap;

use asklet_protocol::failure::Failure;
use asklet_shared::display::{Answers, Stage};
use asklet_shared::display_id::DisplayId;
use asklet_shared::facts::Context;
use asklet_shared::problem::{Code, Problem};
use asklet_shared::time::DAY_MS;

use crate::shard::columns::DRIFT_MS;
use crate::shard::personal_data::Personal;
use crate::shard::rollup::{self, CounterChanges};
use crate::shard::stored::Stored;
use crate::shard::watermark::Watermark;
use crate::shard::{display_keys, log, trait_values};
use crate::sql::Sql;

/// The oldest display that is taken for what it is; older ones count as shown this long ago.
pub const AGE_LIMIT_MS: u64 = 30 * DAY_MS;

/// When a display was shown that is this old as the client says. The time is ours, less that age, so
/// that a wrong clock never costs an answer.
pub fn shown_ms(age_ms: u64, now_ms: u64) -> u64 {
    now_ms.saturating_sub(age_ms.min(AGE_LIMIT_MS))
}

/// One revision of one display as it arrived, already validated.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// The display's id.
    pub id: DisplayId,
    /// The number of the revision.
    pub revision: u32,
    /// How far it came.
    pub stage: Stage,
    /// Whether it was closed.
    pub dismissed: bool,
    /// When it was shown, in milliseconds since the epoch.
    pub shown_ms: u64,
    /// Under what context it was shown.
    pub context: Context,
    /// What was answered.
    pub answers: Answers,
    /// Who answered.
    pub respondent: Option<String>,
    /// The declared traits.
    pub traits: BTreeMap<String, String>,
    /// Whether the site's server vouches for respondent and traits.
    pub verified: bool,
    /// Why its identity token, or its traits without one, were not taken.
    pub refused: Option<Problem>,
    /// Why it does not count, if it is told so.
    pub excluded: Option<String>,
}

/// What became of a revision that was stored or acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// It is the latest now.
    New,
    /// It, or a later one, was there already; nothing changed.
    Known,
}

/// Takes one revision of one display in one transaction. An older or equal revision changes nothing
/// and is acknowledged again; a newer one replaces.
pub fn record(sql: &impl Sql, arrival: Arrival, now_ms: u64) -> Result<Recorded, Failure> {
    let has_traits = !arrival.traits.is_empty();
    let mut new = first_stored(arrival, now_ms);
    display_keys::reserve(sql, usize::from(new.has_sealed()))?;
    // One statement is a transaction by itself. Values of traits may have to be remembered as well.
    if !has_traits && log::advance(sql, &mut new)? {
        return Ok(Recorded::New);
    }
    sql.transaction(|| {
        let mut changes = CounterChanges::default();
        let recorded = store(sql, Watermark::read(sql)?, &mut changes, new)?;
        changes.save(sql)?;
        Ok(recorded)
    })
}

/// Takes many displays in one transaction, as [`record`] takes each. One that cannot follow what is
/// there is left out, and its problem stands in its place.
pub fn record_all(
    sql: &impl Sql,
    arrivals: Vec<Arrival>,
    now_ms: u64,
) -> Result<Vec<Result<Recorded, Problem>>, Failure> {
    let new: Vec<_> = arrivals.into_iter().map(|arrival| first_stored(arrival, now_ms)).collect();
    display_keys::reserve(sql, new.iter().filter(|new| new.has_sealed()).count())?;
    sql.transaction(|| {
        let counters = Watermark::read(sql)?;
        let mut changes = CounterChanges::default();
        let mut all = Vec::with_capacity(new.len());
        for new in new {
            match store(sql, counters, &mut changes, new) {
                Ok(recorded) => all.push(Ok(recorded)),
                Err(Failure::Problem(problem)) => all.push(Err(problem)),
                Err(broken) => return Err(broken),
            }
        }
        changes.save(sql)?;
        Ok(all)
    })
}

/// Puts one revision into the log, and what that changes of the counters into `changes`. Runs within
/// the caller's transaction; a problem is told before anything is written.
fn store(
    sql: &impl Sql,
    counters: Watermark,
    changes: &mut CounterChanges,
    mut new: Stored,
) -> Result<Recorded, Failure> {
    let Some(earlier) = log::find(sql, new.id)? else {
        let values = trait_values::count(sql, &mut new, None)?;
        trait_values::keep(sql, &values)?;
        new.deferred = counters.defers(&new);
        log::write(sql, &mut new)?;
        if counters.covers(&new) {
            // The clock went back, or it would wait for the next fold.
            changes.replace(sql, None, &new)?;
            rollup::cover_one(sql)?;
        }
        return Ok(Recorded::New);
    };
    if earlier.is_tombstone() || new.revision < earlier.revision {
        return Ok(Recorded::Known);
    }
    check_succession(&earlier, &new)?;
    let values = trait_values::count(sql, &mut new, Some(&earlier))?;
    let mut later = later_stored(new, &earlier);
    if later == earlier {
        return Ok(Recorded::Known);
    }
    if later.revision == earlier.revision {
        let detail = format!("revision {} was told with other content", later.revision);
        return Err(Problem::new(Code::RevisionConflict, detail).at("revision").into());
    }
    trait_values::keep(sql, &values)?;
    log::write(sql, &mut later)?;
    if counters.covers(&earlier) {
        changes.replace(sql, Some(&earlier), &later)?;
    }
    Ok(Recorded::New)
}

/// Refuses a newer revision that cannot follow.
fn check_succession(earlier: &Stored, new: &Stored) -> Result<(), Problem> {
    if new.revision == earlier.revision {
        return Ok(());
    }
    if new.context.version != earlier.context.version {
        let version = earlier.context.version;
        return Err(Problem::new(Code::VersionChanged, "the display was shown in another version")
            .at("version")
            .limit(version.to_string()));
    }
    if new.stage < earlier.stage {
        return Err(Problem::new(Code::StageLowered, "an earlier revision came further")
            .at("stage")
            .limit(format!("at least {:?}", earlier.stage).to_lowercase()));
    }
    Ok(())
}

/// A display's row at its first receipt.
fn first_stored(arrival: Arrival, now_ms: u64) -> Stored {
    Stored {
        id: arrival.id,
        revision: arrival.revision,
        stage: arrival.stage,
        dismissed: arrival.dismissed,
        shown_ms: arrival.shown_ms,
        received_ms: now_ms,
        clock_skewed: arrival.id.unix_ms().abs_diff(arrival.shown_ms) > DRIFT_MS,
        excluded: arrival.excluded,
        respondent: arrival.respondent,
        context: arrival.context,
        answers: arrival.answers,
        personal: Some(Personal::new(
            arrival.traits,
            arrival.verified,
            arrival.refused.map(|problem| problem.code),
        )),
        key: None,
        seq: 0,
        deferred: false,
    }
}

/// The row of a further revision: what the first receipt fixed stays, and what was forgotten or does
/// not count goes on being so.
fn later_stored(mut later: Stored, earlier: &Stored) -> Stored {
    later.received_ms = earlier.received_ms;
    later.shown_ms = earlier.shown_ms;
    later.clock_skewed = earlier.clock_skewed;
    later.seq = earlier.seq;
    later.key.clone_from(&earlier.key);
    later.deferred = earlier.deferred;
    later.excluded.clone_from(&earlier.excluded);
    if later.revision == earlier.revision {
        // A repeated request may come from elsewhere, and is the same all the same.
        later.context.device.clone_from(&earlier.context.device);
        later.context.country.clone_from(&earlier.context.country);
        // Its token may have been good then and not now, or the other way round.
        let is_refused = |stored: &Stored| {
            stored.personal.as_ref().is_some_and(|personal| personal.identity_refused.is_some())
        };
        if is_refused(&later) || is_refused(earlier) {
            later.respondent.clone_from(&earlier.respondent);
            later.personal.clone_from(&earlier.personal);
        }
    }
    if earlier.personal.is_none() {
        later.forget();
    }
    later
}
