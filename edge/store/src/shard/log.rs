//! The log: one row per display, which holds the display's latest revision. The counters are folded from it,
//! see [`super::rollup`].
//!
//! The key of a row is the client's own id, a UUIDv7, and there is no other index on columns that every display
//! writes: a revision costs one written row. Rows are stored in about the order in which the displays were
//! shown, and so the unfolded tail is a short range of keys.

use std::collections::BTreeMap;

use asklet_protocol::failure::Failure;
use asklet_shared::display_id::DisplayId;
use asklet_shared::facts::Facts;
use asklet_shared::time::BUCKET_MS;

use super::columns::stage;
use super::personal_data::read_digest;
use super::stored::{self, COLUMNS, Counted, Stored, WRITTEN, values};
use super::{changes, display_keys};
use crate::sql::{Sql, Value};

/// Calls `kind` for each group of the displays that match a condition, with the facts and the number of its
/// displays. Displays of a group were shown in the same bucket and are alike in all that is counted.
pub fn each_group(
    sql: &impl Sql,
    condition: &str,
    values: &[Value],
    kind: &mut dyn FnMut(&Facts, u64) -> Result<(), Failure>,
) -> Result<(), Failure> {
    sql.query(
        &format!(
            "SELECT shown_ms / {BUCKET_MS}, stage, dismissed, respondent,
                json_remove(facts, '$.page'), personal -> '$.traits', count(*)
             FROM display WHERE excluded IS NULL AND {condition} GROUP BY 1, 2, 3, 4, 5, 6"
        ),
        values,
        &mut |mut row| {
            let bucket: u64 = row.integer()?;
            let stage = stage(row.integer()?)?;
            let dismissed = row.boolean()?;
            let respondent = row.optional_text()?.as_deref().map(read_digest).transpose()?;
            let Counted { context, answers } = serde_json::from_str(&row.text()?)?;
            let (context, answers) = (context.into_owned(), answers.into_owned());
            let traits = row.optional_text()?;
            let traits =
                traits.map_or(Ok(BTreeMap::new()), |traits| serde_json::from_str(&traits))?;
            let shown_ms = bucket * BUCKET_MS;
            let facts = Facts { shown_ms, stage, dismissed, context, answers, traits, respondent };
            kind(&facts, row.integer()?)
        },
    )
}

/// Writes a display, or a revision that follows the stored one, into the log, if nothing else has to be done:
/// no counter covers the display, it is not excluded, and it has no key yet if it needs one. Returns `false` if
/// more has to be done; then nothing was written.
pub fn advance(sql: &impl Sql, stored: &mut Stored) -> Result<bool, Failure> {
    stored.seq = changes::next(sql)?;
    let key = stored.has_sealed().then(|| display_keys::next(sql)).transpose()?;
    let is_written = sql.write(
        &format!(
            "INSERT INTO display ({WRITTEN})
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14,
                ?7 = 1 OR ?5 < until_ms
             FROM folded WHERE (?7 = 0 AND ?5 >= until_ms) OR ?6 >= received_until_ms
             ON CONFLICT (id) DO UPDATE SET
                revision = excluded.revision, stage = excluded.stage,
                dismissed = excluded.dismissed, respondent = excluded.respondent,
                facts = excluded.facts, personal = excluded.personal, seq = excluded.seq,
                key_number = coalesce(key_number, excluded.key_number), sealed = excluded.sealed
             WHERE excluded.revision > revision AND excluded.stage >= stage
                AND excluded.facts ->> 'version' = facts ->> 'version'
                AND (key_number IS NULL OR excluded.key_number IS NULL)
                AND display.excluded IS NULL
                AND iif(deferred, received_ms >= (SELECT received_until_ms FROM folded),
                    shown_ms >= (SELECT until_ms FROM folded))"
        ),
        values(stored, key.as_ref())?.get(..14).unwrap_or_default(),
    )?;
    if is_written && key.is_some() {
        stored.key = Some(display_keys::take(sql)?);
    }
    Ok(is_written)
}

/// Writes a row into the log with the next number. It replaces an earlier revision.
pub fn write(sql: &impl Sql, stored: &mut Stored) -> Result<(), Failure> {
    stored.seq = changes::next(sql)?;
    if stored.key.is_none() && stored.has_sealed() {
        stored.key = Some(display_keys::take(sql)?);
    }
    sql.run(
        &format!(
            "REPLACE INTO display ({WRITTEN}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        ),
        &values(stored, stored.key.as_ref())?,
    )
}

/// Overwrites columns of displays in their place, with the same number of meaningless bytes, before the rows
/// are replaced or removed. Copies that SQLite has made stay until their space is used again.
pub fn overwrite(
    sql: &impl Sql,
    columns: &[&str],
    condition: &str,
    values: &[Value],
) -> Result<(), Failure> {
    let blank = |column: &&str| {
        format!("{column} = replace(hex(zeroblob(octet_length({column}))), '00', '-')")
    };
    let columns = columns.iter().map(blank).collect::<Vec<_>>().join(", ");
    sql.run(&format!("UPDATE display SET {columns} WHERE {condition}"), values)
}

/// Finds the display with an id.
pub fn find(sql: &impl Sql, id: DisplayId) -> Result<Option<Stored>, Failure> {
    let id = Value::Blob(id.as_bytes().to_vec());
    let row = sql.first(&format!("SELECT {COLUMNS} FROM display WHERE id = ?"), &[id])?;
    row.map(stored::read).transpose()
}
