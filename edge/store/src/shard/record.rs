//! Recording: one revision of one display is written to the log, and, if the counters cover the display
//! already, to the counters in the same transaction.
//!
//! A display whose id was made by a clock that is too wrong for the tail's range of keys is marked as
//! clock-skewed. It is deferred like every display that arrives behind the watermark: the fold counts it later
//! together with others, because counting a single display writes one row for each of its dimensions and
//! questions.

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

/// The maximum age that is accepted from a client; older displays count as shown this long ago.
pub const AGE_LIMIT_MS: u64 = 30 * DAY_MS;

/// Returns when a display was shown, given its age according to the client. The time is the server's time minus
/// that age, so that a client's wrong clock never costs an answer.
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
    /// How far the visitor got.
    pub stage: Stage,
    /// Whether the visitor closed the survey.
    pub dismissed: bool,
    /// When the display was shown, in milliseconds since the epoch.
    pub shown_ms: u64,
    /// The context in which the display was shown.
    pub context: Context,
    /// The answers.
    pub answers: Answers,
    /// The id of the respondent.
    pub respondent: Option<String>,
    /// The declared traits.
    pub traits: BTreeMap<String, String>,
    /// Whether the site's server vouches for the respondent and the traits.
    pub verified: bool,
    /// Why the display's identity token, or its traits without a token, were not accepted.
    pub refused: Option<Problem>,
    /// Why the display does not count, if an import says so.
    pub excluded: Option<String>,
}

/// What happened to a revision that was stored or acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// The revision is the latest now.
    New,
    /// This or a later revision was stored already; nothing changed.
    Known,
}

/// Stores one revision of one display in one transaction. An older or equal revision changes nothing and is
/// acknowledged again; a newer revision replaces the stored one.
pub fn record(sql: &impl Sql, arrival: Arrival, now_ms: u64) -> Result<Recorded, Failure> {
    let has_traits = !arrival.traits.is_empty();
    let mut new = first_stored(arrival, now_ms);
    display_keys::reserve(sql, usize::from(new.has_sealed()))?;
    // A single statement is a transaction by itself. If the display has traits, their values may have to be
    // stored as well.
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

/// Stores many displays in one transaction, each as [`record`] does. A display that cannot follow the stored
/// revision is left out; the result has its problem in its place.
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

/// Writes one revision to the log, and adds the resulting change of the counters to `changes`. Runs within the
/// caller's transaction. A problem is returned before anything is written.
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
            // The counters cover a new display only if the clock went back. Otherwise the display waits for the
            // next fold.
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
        let detail = format!("revision {} was sent before with other content", later.revision);
        return Err(Problem::new(Code::RevisionConflict, detail).at("revision").into());
    }
    trait_values::keep(sql, &values)?;
    log::write(sql, &mut later)?;
    if counters.covers(&earlier) {
        changes.replace(sql, Some(&earlier), &later)?;
    }
    Ok(Recorded::New)
}

/// Refuses a newer revision that cannot follow the stored one.
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
        return Err(Problem::new(Code::StageLowered, "an earlier revision has a later stage")
            .at("stage")
            .limit(format!("at least {:?}", earlier.stage).to_lowercase()));
    }
    Ok(())
}

/// Returns the row of a display at its first receipt.
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

/// Returns the row of a further revision. What the first receipt fixed stays; what was forgotten stays
/// forgotten, and what is excluded stays excluded.
fn later_stored(mut later: Stored, earlier: &Stored) -> Stored {
    later.received_ms = earlier.received_ms;
    later.shown_ms = earlier.shown_ms;
    later.clock_skewed = earlier.clock_skewed;
    later.seq = earlier.seq;
    later.key.clone_from(&earlier.key);
    later.deferred = earlier.deferred;
    later.excluded.clone_from(&earlier.excluded);
    if later.revision == earlier.revision {
        // A repeated request may come from another place, and is still the same revision.
        later.context.device.clone_from(&earlier.context.device);
        later.context.country.clone_from(&earlier.context.country);
        // The token may have been accepted then and not now, or the other way round.
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
