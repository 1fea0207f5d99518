//! Removal of data: displays that are excluded, respondents that are erased, people that are forgotten, and
//! unanswered displays that are dropped.
//!
//! Exclusion and erasure take a display's contribution out of the counters. Retention does not: what it removes
//! from the log stays counted.
//!
//! Everything that removes personal data destroys the display's key in the same transaction: see
//! [`super::display_keys`].

use asklet_protocol::cursor::Cursor;
use asklet_protocol::failure::Failure;
use asklet_protocol::problems::unknown_display;
use asklet_protocol::retention::Since;
use asklet_shared::counter::RESPONDENT;
use asklet_shared::display::{Answers, Stage};
use asklet_shared::display_id::DisplayId;
use asklet_shared::facts::Context;
use asklet_shared::time::{self, DAY_MS, END_OF_TIME_MS};

use crate::shard::personal_data::digest_column;
use crate::shard::record::AGE_LIMIT_MS;
use crate::shard::rollup::CounterChanges;
use crate::shard::slice::Slice;
use crate::shard::stored::{self, COLUMNS, DELETED, ERASED, Stored};
use crate::shard::watermark::Watermark;
use crate::shard::{changes, columns, display_keys, log, storage};
use crate::sql::{Sql, Value};

/// Milliseconds for which an unanswered display is kept after it arrived. A revision of it can be in transit
/// for one day less, and must find the earlier revision when it arrives.
const UNANSWERED_MS: u64 = AGE_LIMIT_MS + DAY_MS;

/// Number of rows that retention looks at in one slice.
const SLICE_ROWS: u32 = 2_000;

/// Number of displays that one slice forgets at most, so that nobody waits 50 ms for it.
const MOST_FORGOTTEN: usize = 200;

/// Number of displays that one slice erases at most: each of them also changes about ten counters.
const MOST_ERASED: usize = 20;

/// Returns what retention has removed so far.
pub fn removed(sql: &impl Sql) -> Result<Since, Failure> {
    let row = sql.first("SELECT dropped_ms, forgotten_ms FROM folded", &[])?;
    row.map_or(Ok(Since::default()), |mut row| {
        Ok(Since { dropped_ms: row.integer()?, forgotten_ms: row.integer()? })
    })
}

/// Stops counting a display, for a reason, or counts it again.
pub fn exclude(sql: &impl Sql, id: DisplayId, reason: Option<&str>) -> Result<(), Failure> {
    sql.transaction(|| mark(sql, vec![find(sql, id)?], reason))
}

/// Excludes displays for a reason, or includes them again. Runs within the caller's transaction.
pub fn mark(sql: &impl Sql, displays: Vec<Stored>, reason: Option<&str>) -> Result<(), Failure> {
    let counters = Watermark::read(sql)?;
    let mut changes = CounterChanges::default();
    for earlier in displays {
        let mut later = Stored { excluded: reason.map(str::to_owned), ..earlier.clone() };
        log::write(sql, &mut later)?;
        if counters.covers(&earlier) {
            changes.replace(sql, Some(&earlier), &later)?;
        }
    }
    changes.save(sql)
}

/// Deletes a display. It leaves a tombstone, as an erased display does.
pub fn delete(sql: &impl Sql, id: DisplayId) -> Result<(), Failure> {
    sql.transaction(|| remove(sql, vec![find(sql, id)?], DELETED))
}

fn find(sql: &impl Sql, id: DisplayId) -> Result<Stored, Failure> {
    let found = log::find(sql, id)?.filter(|display| !display.is_tombstone());
    Ok(found.ok_or_else(unknown_display)?)
}

/// Removes everything of displays except a tombstone with the id, by which a repeated request is recognized.
/// `mark` says why they were removed. Runs within the caller's transaction.
pub fn remove(sql: &impl Sql, displays: Vec<Stored>, mark: &str) -> Result<(), Failure> {
    storage::note_size(sql)?;
    let counters = Watermark::read(sql)?;
    let mut changes = CounterChanges::default();
    let mut keys = Vec::new();
    for display in displays {
        let mut removed = Stored {
            stage: Stage::Shown,
            dismissed: false,
            excluded: Some(mark.to_owned()),
            respondent: None,
            context: Context { version: display.context.version, ..Context::default() },
            answers: Answers::default(),
            personal: None,
            key: None,
            ..display.clone()
        };
        let id = Value::from(display.id.as_bytes().to_vec());
        log::overwrite(sql, &["facts", "personal", "respondent", "excluded"], "id = ?", &[id])?;
        log::write(sql, &mut removed)?;
        if counters.covers(&display) {
            changes.replace(sql, Some(&display), &removed)?;
        }
        keys.extend(display.key.map(|key| key.number));
    }
    display_keys::destroy(sql, keys)?;
    changes.save(sql)
}

/// Erases the displays of a respondent in one slice. Each leaves a tombstone with its id, by which a repeated
/// request is recognized. Returns the number of erased displays, and where the next slice begins.
pub fn erase(
    sql: &impl Sql,
    respondent: &str,
    slice: Slice,
) -> Result<(u64, Option<Cursor>), Failure> {
    sql.transaction(|| {
        let mut found = Vec::new();
        let mut next = None;
        for range in slice.ranges(sql, 0, END_OF_TIME_MS)? {
            let mut values = range.values;
            values.push(digest_column(respondent).into());
            let condition = range.condition;
            sql.query(
                &format!(
                    "SELECT {COLUMNS} FROM display WHERE {condition} AND respondent = ? ORDER BY id"
                ),
                &values,
                &mut |row| {
                    if found.len() < MOST_ERASED {
                        found.push(stored::read(row)?);
                    }
                    Ok(())
                },
            )?;
            next = range.next;
            if let Some(last) = found.get(MOST_ERASED - 1) {
                next = Some(Cursor { id: last.id, clock_skewed: last.clock_skewed });
                break;
            }
        }
        // Two respondents may have the same digest.
        found.retain(|display| display.respondent.as_deref() == Some(respondent));
        let displays = u64::try_from(found.len()).unwrap_or(u64::MAX);
        remove(sql, found, ERASED)?;
        Ok((displays, next))
    })
}

/// Returns the time before which unanswered displays are dropped.
pub fn unanswered_until_ms(now_ms: u64) -> u64 {
    day_start(now_ms.saturating_sub(UNANSWERED_MS))
}

/// Returns the time before which people are forgotten.
pub fn people_until_ms(now_ms: u64, retention_days: u16) -> u64 {
    day_start(now_ms.saturating_sub(u64::from(retention_days) * DAY_MS))
}

fn day_start(ms: u64) -> u64 {
    ms - ms % DAY_MS
}

/// Drops the unanswered displays of one slice that arrived before a time. All displays that were shown before
/// this time must be folded, because their counts stay. Returns where the next slice begins.
///
/// Excluded and erased displays stay, because a repeated request would otherwise bring them back. Displays that
/// arrived later than any page sends them stay, too, because an import can be repeated at any time.
pub fn drop_unanswered(
    sql: &impl Sql,
    until_ms: u64,
    after: Option<Cursor>,
) -> Result<Option<Cursor>, Failure> {
    let stage = asklet_shared::funnel::stage_value(Stage::Started);
    settle(sql, until_ms, after, "dropped_ms", &|condition, values| {
        let mut values = values.to_vec();
        values.extend([u32::from(stage).into(), until_ms.into(), AGE_LIMIT_MS.into()]);
        let dropped = format!(
            "{condition} AND stage < ? AND received_ms < ?
             AND received_ms - shown_ms <= ? AND excluded IS NULL"
        );
        let mut keys = Vec::new();
        let with_key =
            format!("SELECT key_number FROM display WHERE {dropped} AND key_number IS NOT NULL");
        sql.query(&with_key, &values, &mut |mut row| {
            keys.push(row.integer()?);
            Ok(())
        })?;
        display_keys::destroy(sql, keys)?;
        let personal = format!("{dropped} AND personal <> '{{}}'");
        log::overwrite(sql, &["personal", "respondent"], &personal, &values)?;
        let fewer = format!(
            "UPDATE folded SET displays = displays
                - (SELECT count(*) FROM display WHERE {dropped})"
        );
        sql.run(&fewer, &values)?;
        let removed = sql.write(&format!("DELETE FROM display WHERE {dropped}"), &values)?;
        Ok((removed, None))
    })
}

/// Forgets the people of one slice whose displays were shown before a time: comments, respondents and traits
/// are removed, and the counts stay. Returns where the next slice begins.
pub fn forget_people(
    sql: &impl Sql,
    until_ms: u64,
    after: Option<Cursor>,
) -> Result<Option<Cursor>, Failure> {
    let next = settle(sql, until_ms, after, "forgotten_ms", &|condition, values| {
        let condition = format!("{condition} AND personal IS NOT NULL");
        let (mut found, mut removed) = (Vec::new(), false);
        let query = format!(
            "SELECT id, astray, seq, key_number,
                key_number IS NOT NULL OR respondent IS NOT NULL OR personal <> '{{}}'
             FROM display WHERE {condition} ORDER BY id LIMIT {MOST_FORGOTTEN}"
        );
        sql.query(&query, values, &mut |mut row| {
            let id = columns::display_id(&row.blob()?)?;
            let cursor = Cursor { id, clock_skewed: row.boolean()? };
            found.push((cursor, row.integer::<u64>()?, row.optional_integer::<u64>()?));
            removed |= row.boolean()?;
            Ok(())
        })?;
        let Some((last, ..)) = found.last() else { return Ok((false, None)) };
        let rest = (found.len() == MOST_FORGOTTEN).then_some(*last);
        let mut values = values.to_vec();
        values.push(last.id.as_bytes().to_vec().into());
        let personal = format!("{condition} AND id <= ?");
        log::overwrite(sql, &["personal", "respondent"], &personal, &values)?;
        let mut keys = Vec::new();
        for (Cursor { id, .. }, earlier, key) in found {
            let seq = changes::next(sql)?;
            let id = id.as_bytes().to_vec();
            sql.run(
                "UPDATE display SET personal = NULL, respondent = NULL, key_number = NULL,
                    sealed = NULL, seq = ? WHERE id = ?",
                &[seq.into(), id.clone().into()],
            )?;
            // The counters cover all of them. A display that readers do not learn of has no row in `change`.
            changes::renumber(sql, (earlier, seq), id)?;
            keys.extend(key);
        }
        display_keys::destroy(sql, keys)?;
        Ok((removed, rest))
    })?;
    if next.is_none() {
        // The counters must not remember who answered either.
        let day = Value::from(time::day_of(until_ms));
        sql.run("DELETE FROM counter WHERE dimension = ? AND day < ?", &[RESPONDENT.into(), day])?;
    }
    Ok(next)
}

/// Applies retention to the rows that match a condition with its values, in the order of their ids. Returns
/// whether anything was removed, and the last row that was processed if there are more.
type Settle<'a> = &'a dyn Fn(&str, &[Value]) -> Result<(bool, Option<Cursor>), Failure>;

/// Applies retention to one slice of what was shown before a time, in one transaction, and stores that time if
/// anything was removed. Each run begins with the first slice, because imported displays may have any age.
fn settle(
    sql: &impl Sql,
    until_ms: u64,
    after: Option<Cursor>,
    noted_in: &str,
    settle: Settle<'_>,
) -> Result<Option<Cursor>, Failure> {
    sql.transaction(|| {
        if !Watermark::read(sql)?.is_past(until_ms) {
            return Err(Failure::broken("what is to be settled is not folded"));
        }
        storage::note_size(sql)?;
        let slice = Slice { after, rows: SLICE_ROWS };
        let (mut next, mut went) = (None, false);
        for range in slice.ranges(sql, 0, until_ms)? {
            // A deferred display that arrived in the meantime waits for the next run.
            let counted = "(deferred = 0 OR received_ms < (SELECT received_until_ms FROM folded))";
            let condition = format!("{} AND {counted}", range.condition);
            let (removed, rest) = settle(&condition, &range.values)?;
            went |= removed;
            next = rest.or(range.next);
            if rest.is_some() {
                break;
            }
        }
        if went {
            let note = format!("UPDATE folded SET {noted_in} = max({noted_in}, ?)");
            sql.run(&note, &[until_ms.into()])?;
        }
        Ok(next)
    })
}
