//! The shard's database file: its size, and what earlier schemas left in it in the clear.
//!
//! A file never shrinks: freed space is used again. It grows only when nothing is free, so it is as large as
//! the most that was ever in use at the same time. The platform only reports how much is in use now, so the
//! shard stores this size before it becomes smaller.

use std::collections::BTreeMap;

use asklet_protocol::failure::Failure;
use serde::Deserialize;

use crate::shard::personal_data::{Personal, Sealed};
use crate::shard::{columns, display_keys};
use crate::sql::{Sql, Value};

/// Number of bytes by which the file may be larger than the stored size.
const SPARE_BYTES: u64 = 64 * 1024;

/// Number of pages that a blank row fills, besides its share of another page: many if much space is free,
/// otherwise few.
const BLANK_PAGES: [u64; 2] = [400, 15];

/// Number of bytes of a row on each of its overflow pages, and number of bytes of the row on the page where it
/// begins. With these numbers, two such rows with row ids of nine bytes fill a page of 4,096 bytes completely.
const OVERFLOW_BYTES: u64 = 4_092;
const LOCAL_BYTES: u64 = 2_026;

/// Number of displays that are read at a time.
const STEP: u32 = 500;

/// Stores the size of the database before it becomes smaller.
pub fn note_size(sql: &impl Sql) -> Result<(), Failure> {
    let bytes = Value::from(sql.bytes());
    sql.run("UPDATE storage SET peak_bytes = ?1 WHERE peak_bytes < ?1", &[bytes])
}

/// Returns the size of the database file in bytes.
pub fn file_bytes(sql: &impl Sql) -> Result<u64, Failure> {
    let peak = sql.first("SELECT peak_bytes FROM storage", &[])?;
    let peak: u64 = peak.map_or(Ok(0), |mut row| row.integer())?;
    Ok(peak.max(sql.bytes()))
}

/// Encrypts what earlier schemas stored in the clear, and leaves no copy of it, in one transaction.
///
/// Free space is overwritten first, so that the tables are copied to places that hold nothing. Only then are
/// the old tables removed, and the space that this frees is overwritten. This makes the file larger, once.
pub fn seal_earlier(sql: &impl Sql) -> Result<(), Failure> {
    if sql.first("SELECT 1 FROM storage WHERE unsealed = 1", &[])?.is_none() {
        return Ok(());
    }
    let sealed = sql.transaction(|| {
        note_size(sql)?;
        sql.run("CREATE TABLE blank (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT", &[])?;
        blank(sql)?;
        seal_displays(sql)?;
        copy_tables(sql)?;
        sql.run("DROP TABLE blank", &[])?;
        sql.run("UPDATE storage SET unsealed = 0", &[])
    });
    // If the transaction was rolled back, none of the stored keys exists any more.
    display_keys::forget_spare(sql);
    sealed
}

/// Overwrites all free space, up to the last byte of each page. Two blank rows at a time fill whole pages,
/// because SQLite leaves bytes that no row covers. All these pages are written although they are free again
/// when the transaction ends, because there is a write-ahead log.
fn blank(sql: &impl Sql) -> Result<(), Failure> {
    let enough = file_bytes(sql)?.saturating_add(SPARE_BYTES);
    // Negative row ids take nine bytes.
    let mut id = -(1_i64 << 52);
    while let Some(free) = enough.checked_sub(sql.bytes()).filter(|free| *free > 0) {
        let [many, few] = BLANK_PAGES;
        let pages = if free > 2 * (many + 1) * OVERFLOW_BYTES { many } else { few };
        // The length of the row and the types of its columns precede the bytes, and take 5 or 6 bytes.
        let before = if pages == many { 6 } else { 5 };
        let bytes = LOCAL_BYTES + pages * OVERFLOW_BYTES - before;
        for _ in 0..2 {
            let values = [Value::Integer(id), bytes.into()];
            sql.run("INSERT INTO blank (id, bytes) VALUES (?, zeroblob(?))", &values)?;
            id += 1;
        }
    }
    note_size(sql)?;
    sql.run("DELETE FROM blank", &[])
}

/// The personal data of a display before it was encrypted.
#[derive(Deserialize)]
struct Earlier {
    #[serde(flatten)]
    personal: Personal,
    #[serde(default)]
    texts: BTreeMap<String, String>,
}

/// Writes the new values of the columns into a separate table. The displays themselves do not change, because
/// changing them would free space that holds texts in the clear.
fn seal_displays(sql: &impl Sql) -> Result<(), Failure> {
    sql.run(
        "CREATE TABLE sealed_display (id BLOB PRIMARY KEY, respondent TEXT, personal TEXT,
            key_number INTEGER, sealed BLOB) STRICT, WITHOUT ROWID",
        &[],
    )?;
    let mut after = Vec::new();
    loop {
        let mut found = Vec::new();
        sql.query(
            &format!(
                "SELECT id, respondent, personal FROM display
                 WHERE id > ? AND (respondent IS NOT NULL OR personal -> '$.texts' <> '{{}}')
                 ORDER BY id LIMIT {STEP}"
            ),
            &[after.clone().into()],
            &mut |mut row| {
                found.push((row.blob()?, row.optional_text()?, row.optional_text()?));
                Ok(())
            },
        )?;
        let Some((last, ..)) = found.last() else { return Ok(()) };
        after.clone_from(last);
        display_keys::reserve(sql, found.len())?;
        for (id, respondent, personal) in found {
            let earlier: Option<Earlier> =
                personal.map(|personal| serde_json::from_str(&personal)).transpose()?;
            let (personal, texts) =
                earlier.map_or_else(Default::default, |it| (Some(it.personal), it.texts));
            let sealed = Sealed { respondent, texts };
            let key = display_keys::take(sql)?;
            let columns = sealed.columns(columns::display_id(&id)?, personal, Some(&key))?;
            let values: Vec<Value> = [id.into()].into_iter().chain(columns).collect();
            sql.run("INSERT INTO sealed_display VALUES (?, ?, ?, ?, ?)", &values)?;
        }
    }
}

/// Replaces each table that is older than the keys by a copy.
fn copy_tables(sql: &impl Sql) -> Result<(), Failure> {
    let (mut tables, mut indices) = (Vec::new(), Vec::new());
    // Tables whose names start with an underscore belong to the platform, and we cannot access them.
    let all = "SELECT type, name, sql FROM sqlite_master
         WHERE type IN ('table', 'index') AND sql IS NOT NULL AND substr(name, 1, 1) <> '_'
            AND name NOT IN ('display_key', 'sealed_display', 'blank', 'sqlite_sequence')";
    sql.query(all, &[], &mut |mut row| {
        let (kind, name, definition) = (row.text()?, row.text()?, row.text()?);
        match kind.as_str() {
            "table" => tables.push((name, definition)),
            _ => indices.push(definition),
        }
        Ok(())
    })?;
    for (name, definition) in &tables {
        let broken = || Failure::broken(format!("the table {name} has no definition"));
        let (_, columns) = definition.split_once('(').ok_or_else(broken)?;
        sql.run(&format!("CREATE TABLE copy_{name} ({columns}"), &[])?;
        let from = match name.as_str() {
            "display" => {
                "SELECT id, revision, stage, dismissed, shown_ms, received_ms, astray, excluded,
                    coalesce(new.respondent, display.respondent), facts,
                    coalesce(new.personal, display.personal), seq, new.key_number, new.sealed,
                    deferred
                 FROM display LEFT JOIN sealed_display AS new USING (id) ORDER BY id"
                    .to_owned()
            }
            _ => format!("SELECT * FROM {name}"),
        };
        sql.run(&format!("INSERT INTO copy_{name} {from}"), &[])?;
    }
    // The old tables are dropped last: until then, nothing new is written to a place that holds parts of them.
    for (name, _) in &tables {
        sql.run(&format!("ALTER TABLE {name} RENAME TO old_{name}"), &[])?;
        sql.run(&format!("ALTER TABLE copy_{name} RENAME TO {name}"), &[])?;
    }
    note_size(sql)?;
    for (name, _) in &tables {
        sql.run(&format!("DROP TABLE old_{name}"), &[])?;
    }
    sql.run("DROP TABLE sealed_display", &[])?;
    blank(sql)?;
    indices.iter().try_for_each(|index| sql.run(index, &[]))
}
