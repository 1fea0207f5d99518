//! The log: one row a display, holding its latest revision. Counters are its fold, see
//! [`super::fold`].
//!
//! A row's key is the client's own id, a UUIDv7, and there is no other index: a revision costs one
//! written row. Rows lie in about the order in which they were shown, which is what makes the
//! unfolded tail a short range of keys.

use asklet_shared::counter::{Facts, stage_value};
use asklet_shared::display::{Channel, Stage};
use asklet_shared::display_id::DisplayId;

use crate::failure::Failure;
use crate::sql::migrate::Migrations;
use crate::sql::{Row, Sql, Value};

/// The schema of a `Survey` object.
pub const MIGRATIONS: Migrations = &[&[
    // What was published, each version as the JSON that the site pushed.
    "CREATE TABLE published (version INTEGER PRIMARY KEY, json TEXT NOT NULL) STRICT",
    // Bodies as they were first served, so that a page with an older release finds its own.
    "CREATE TABLE body (digest TEXT PRIMARY KEY, bytes BLOB NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE TABLE display (
        id BLOB PRIMARY KEY,
        revision INTEGER NOT NULL,
        version INTEGER NOT NULL,
        stage INTEGER NOT NULL,
        dismissed INTEGER NOT NULL,
        channel TEXT NOT NULL,
        language TEXT NOT NULL,
        page TEXT NOT NULL,
        answers TEXT NOT NULL,
        shown_ms INTEGER NOT NULL,
        received_ms INTEGER NOT NULL,
        astray INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID",
    // One row for each UTC day, question, dimension and value.
    "CREATE TABLE counter (
        day INTEGER NOT NULL,
        question TEXT NOT NULL,
        dimension TEXT NOT NULL,
        value TEXT NOT NULL,
        packed BLOB NOT NULL,
        PRIMARY KEY (day, question, dimension, value)
    ) STRICT, WITHOUT ROWID",
    // Displays shown before this are in the counters; those shown since are the tail.
    "CREATE TABLE folded (until_ms INTEGER NOT NULL) STRICT",
    "INSERT INTO folded VALUES (0)",
]];

/// How far the time in a display's id may lie from when it was shown.
pub const DRIFT_MS: u64 = 10 * 60 * 1000;

/// The columns that [`stored`] reads, in its order.
pub const COLUMNS: &str = "id, revision, version, stage, dismissed, channel, language, page, \
     answers, shown_ms, received_ms, astray";

/// A display as the log holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its id.
    pub id: DisplayId,
    /// Its latest revision.
    pub revision: u32,
    /// The page, without query and fragment; empty where it was not told.
    pub page: String,
    /// What is counted. Its time was fixed at the first receipt.
    pub facts: Facts,
    /// When the first revision arrived, in milliseconds since the epoch.
    pub received_ms: u64,
    /// Whether its id's clock was too wrong for the tail's range of keys.
    pub astray: bool,
}

/// Puts a row into the log, in the place of an earlier revision's.
pub fn write(sql: &impl Sql, stored: &Stored) -> Result<(), Failure> {
    let Stored { id, revision, page, facts, received_ms, astray } = stored;
    sql.run(
        &format!("REPLACE INTO display ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
        &[
            id.as_bytes().to_vec().into(),
            (*revision).into(),
            facts.version.into(),
            u32::from(stage_value(facts.stage)).into(),
            facts.dismissed.into(),
            facts.channel.name().into(),
            facts.language.as_str().into(),
            page.as_str().into(),
            serde_json::to_string(&facts.answers)?.into(),
            facts.shown_ms.into(),
            (*received_ms).into(),
            (*astray).into(),
        ],
    )
}

/// The display with an id.
pub fn find(sql: &impl Sql, id: DisplayId) -> Result<Option<Stored>, Failure> {
    let id = Value::Blob(id.as_bytes().to_vec());
    let row = sql.first(&format!("SELECT {COLUMNS} FROM display WHERE id = ?"), &[id])?;
    row.map(stored).transpose()
}

/// A row of [`COLUMNS`].
pub fn stored(mut row: Row) -> Result<Stored, Failure> {
    let broken = |what: &str| Failure::Broken(format!("a stored display has no valid {what}"));
    let id = <[u8; 16]>::try_from(row.blob()?).ok().map(DisplayId::from_bytes);
    let id = id.and_then(Result::ok).ok_or_else(|| broken("id"))?;
    let revision = row.integer()?;
    let version = row.integer()?;
    let stage: u8 = row.integer()?;
    let stage = Stage::ALL.into_iter().find(|known| stage_value(*known) == stage);
    let stage = stage.ok_or_else(|| broken("stage"))?;
    let dismissed = row.boolean()?;
    let channel = Channel::named(&row.text()?).ok_or_else(|| broken("channel"))?;
    let language = row.text()?;
    let page = row.text()?;
    let answers = serde_json::from_str(&row.text()?)?;
    let shown_ms = row.integer()?;
    let received_ms = row.integer()?;
    let astray = row.boolean()?;
    let facts = Facts { shown_ms, stage, dismissed, version, channel, language, answers };
    Ok(Stored { id, revision, page, facts, received_ms, astray })
}
