//! The log: one row a display, holding its latest revision. Counters are its fold, see
//! [`super::fold`].
//!
//! A row's key is the client's own id, a UUIDv7, and there is no other index on what everybody
//! writes: a revision costs one written row. Rows lie in about the order in which they were shown,
//! which is what makes the unfolded tail a short range of keys.
//!
//! What is counted stands apart from what is personal, so that retention can forget the one and keep
//! the other: `facts` holds circumstances and answers without their texts, `personal` holds traits and
//! is `NULL` once they are forgotten, `sealed` holds texts and who answered, under the display's own key:
//! see [`super::personal_data`].

use std::borrow::Cow;
use std::collections::BTreeMap;

use asklet_shared::counter::stage_value;
use asklet_shared::display::{Answers, Stage};
use asklet_shared::display_id::DisplayId;
use asklet_shared::facts::{Context, Facts};
use asklet_shared::tally::Respondents;
use asklet_shared::time::BUCKET_MS;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::personal_data::{Personal, Sealed, read_digest, take_texts};
use super::{changes, display_keys};
use crate::cipher::Key;
use crate::failure::Failure;
use crate::seal;
use crate::sql::migrate::Migrations;
use crate::sql::{Row, Sql, Value};

/// The schema of a `Survey` object.
pub const MIGRATIONS: Migrations = &[
    &[
        // What was published, each version as the JSON that the site pushed.
        "CREATE TABLE published (version INTEGER PRIMARY KEY, json TEXT NOT NULL) STRICT",
        // Bodies as they were first made, so that a page with an older release finds its own.
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
    ],
    &[
        "CREATE TABLE display_2 (
            id BLOB PRIMARY KEY,
            revision INTEGER NOT NULL,
            stage INTEGER NOT NULL,
            dismissed INTEGER NOT NULL,
            shown_ms INTEGER NOT NULL,
            received_ms INTEGER NOT NULL,
            astray INTEGER NOT NULL,
            excluded TEXT,
            respondent TEXT,
            facts TEXT NOT NULL,
            personal TEXT
        ) STRICT, WITHOUT ROWID",
        "INSERT INTO display_2
         SELECT id, revision, stage, dismissed, shown_ms, received_ms, astray, NULL, NULL,
            json_object(
                'version', version, 'channel', channel, 'language', language, 'page', page,
                'answers', json((SELECT json_group_object(key, iif(type = 'text', '', value))
                    FROM json_each(display.answers)))),
            json_object(
                'texts', json((SELECT json_group_object(key, value)
                    FROM json_each(display.answers) WHERE type = 'text')))
         FROM display",
        "DROP TABLE display",
        "ALTER TABLE display_2 RENAME TO display",
        // The few whose keys say nothing about when they were shown.
        "CREATE INDEX astray ON display (id) WHERE astray = 1",
        // Counters by what is asked for first, and of more dimensions than before.
        "DROP TABLE counter",
        "CREATE TABLE counter (
            question TEXT NOT NULL,
            dimension TEXT NOT NULL,
            day INTEGER NOT NULL,
            value TEXT NOT NULL,
            packed BLOB NOT NULL,
            PRIMARY KEY (question, dimension, day, value)
        ) STRICT, WITHOUT ROWID",
        // Whether the counters have to be counted anew; before when unanswered displays were dropped,
        // and people forgotten.
        "ALTER TABLE folded ADD COLUMN recount INTEGER NOT NULL DEFAULT 1",
        "ALTER TABLE folded ADD COLUMN dropped_ms INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE folded ADD COLUMN forgotten_ms INTEGER NOT NULL DEFAULT 0",
        "UPDATE folded SET until_ms = 0",
        // What holds for the survey now, as the JSON that the site pushed.
        "CREATE TABLE standing (number INTEGER NOT NULL, json TEXT NOT NULL) STRICT",
        // The values of traits that are told apart.
        "CREATE TABLE trait_value (trait TEXT NOT NULL, value TEXT NOT NULL,
            PRIMARY KEY (trait, value)) STRICT, WITHOUT ROWID",
    ],
    &[
        // Whether the site's server vouched for a value.
        "ALTER TABLE trait_value ADD COLUMN verified INTEGER NOT NULL DEFAULT 0",
        // Respondents by the hour, and displays that nobody can see coming into view apart. The second
        // schema is younger than the 31 days after which retention drops anything, so nothing is lost.
        "UPDATE folded SET recount = 1",
    ],
    &[
        // The number of each display's last change.
        "ALTER TABLE display ADD COLUMN seq INTEGER NOT NULL DEFAULT 0",
        "UPDATE display SET seq = numbered.seq
         FROM (SELECT id, row_number() OVER (ORDER BY id) AS seq FROM display) AS numbered
         WHERE numbered.id = display.id",
        // The numbers of the displays that the counters cover, see `changes`.
        "CREATE TABLE change (seq INTEGER PRIMARY KEY, id BLOB NOT NULL) STRICT",
        "INSERT INTO change (seq, id) SELECT seq, id FROM display
         WHERE (stage >= 2 OR excluded = '')
            AND (astray = 1 OR shown_ms < (SELECT until_ms FROM folded))",
        // Whether something was removed of which words may still lie on the disk, and how large the
        // database ever was.
        "ALTER TABLE folded ADD COLUMN unwashed INTEGER NOT NULL DEFAULT 1",
        "ALTER TABLE folded ADD COLUMN peak_bytes INTEGER NOT NULL DEFAULT 0",
    ],
    &[
        // The few whose keys say nothing about when they arrived, see `LATE`.
        "CREATE INDEX late ON display (received_ms, id)
            WHERE (astray = 1 OR received_ms > shown_ms + 1200000)",
    ],
    &[
        display_keys::CREATE[0],
        display_keys::CREATE[1],
        "ALTER TABLE display ADD COLUMN key_number INTEGER",
        "ALTER TABLE display ADD COLUMN sealed BLOB",
        // What holds for this file alone, so that it stays where it is when a shard moves: see `storage`.
        "CREATE TABLE storage (peak_bytes INTEGER NOT NULL, unsealed INTEGER NOT NULL) STRICT",
        "INSERT INTO storage SELECT coalesce(max(peak_bytes), 0),
            coalesce(max(peak_bytes), 0) > 0 OR EXISTS (SELECT 1 FROM display) FROM folded",
        "ALTER TABLE folded DROP COLUMN peak_bytes",
        "ALTER TABLE folded DROP COLUMN unwashed",
    ],
    &[
        // What arrives behind the watermark is counted later, with others, in the order of reception.
        // Until now it was counted at once.
        "ALTER TABLE display ADD COLUMN deferred INTEGER NOT NULL DEFAULT 0",
        "UPDATE display SET deferred = 1 WHERE astray = 1",
        "ALTER TABLE folded ADD COLUMN received_until_ms INTEGER NOT NULL DEFAULT 0",
        "UPDATE folded SET received_until_ms = coalesce(
            (SELECT max(received_ms) + 1 FROM display WHERE deferred = 1), 0)",
        // How many displays the counters cover.
        "ALTER TABLE folded ADD COLUMN displays INTEGER NOT NULL DEFAULT 0",
        "UPDATE folded SET displays =
            (SELECT count(*) FROM display WHERE deferred = 1 OR shown_ms < until_ms)",
        "DROP INDEX late",
        "CREATE INDEX late ON display (received_ms, id)
            WHERE (deferred = 1 OR received_ms > shown_ms + 1200000)",
    ],
];

/// How far the time in a display's id may lie from when it was shown.
pub const DRIFT_MS: u64 = 10 * 60 * 1000;

/// After how long in an outbox a display is late.
pub const LATE_MS: u64 = 20 * 60 * 1000;

/// Whether a display is late, or deferred: as the index `late` says it.
pub const LATE: &str = "(deferred = 1 OR received_ms > shown_ms + 1200000)";

/// The columns that [`stored`] reads, in its order; the last but one is the bytes of the
/// display's key.
pub const COLUMNS: &str = "display.id, display.revision, display.stage, display.dismissed, \
     display.shown_ms, display.received_ms, display.astray, display.excluded, display.facts, \
     display.seq, display.personal, display.sealed, display.key_number, \
     (SELECT substr(keys, 32 * (display.key_number % 120) + 1, 32) \
        FROM display_key WHERE batch = display.key_number / 120), display.deferred";

/// The columns that [`values`] gives, in its order.
const WRITTEN: &str = "id, revision, stage, dismissed, shown_ms, received_ms, astray, excluded, \
     facts, seq, respondent, personal, key_number, sealed, deferred";

/// What stands for the reason why a display that was erased with its respondent does not count: other
/// reasons are not blank. Nothing else of it is left but its id, by which a repeated request is known.
pub const ERASED: &str = "";

/// The same of a display that was deleted by itself.
pub const DELETED: &str = " ";

/// Both of them, as SQL lists them.
pub const GONE: &str = "('', ' ')";

/// A display as the log holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its id.
    pub id: DisplayId,
    /// Its latest revision.
    pub revision: u32,
    /// How far it came.
    pub stage: Stage,
    /// Whether it was closed.
    pub dismissed: bool,
    /// When it was shown, fixed at the first receipt.
    pub shown_ms: u64,
    /// When the first revision arrived, in milliseconds since the epoch.
    pub received_ms: u64,
    /// Whether its id's clock was too wrong for the tail's range of keys.
    pub astray: bool,
    /// Why it does not count, if it does not.
    pub excluded: Option<String>,
    /// Who answered, in the site's own word.
    pub respondent: Option<String>,
    /// Under what circumstances it was shown.
    pub context: Context,
    /// What was answered, with the texts, unless those are forgotten.
    pub answers: Answers,
    /// What retention forgets besides texts and respondent; `None` once it has.
    pub personal: Option<Personal>,
    /// The key under which its texts and its respondent lie, once it has had any.
    pub key: Option<Key>,
    /// The number of its last change, given as it is written.
    pub seq: u64,
    /// Whether it arrived behind the watermark, or is astray, and so waits to be counted in the order of
    /// reception. Fixed at the first receipt.
    pub deferred: bool,
}

/// What is counted, as it is stored.
#[derive(Serialize, Deserialize)]
struct Counted<'a> {
    #[serde(flatten)]
    context: Cow<'a, Context>,
    answers: Cow<'a, Answers>,
}

impl Stored {
    /// Whether it was erased or deleted, so that only its id is left.
    pub fn is_gone(&self) -> bool {
        matches!(self.excluded.as_deref(), Some(ERASED | DELETED))
    }

    /// What is counted of it; nothing if it is excluded.
    pub fn facts(&self) -> Option<Facts> {
        self.excluded.is_none().then(|| Facts {
            shown_ms: self.shown_ms,
            stage: self.stage,
            dismissed: self.dismissed,
            context: self.context.clone(),
            answers: self.answers.clone(),
            traits: self
                .personal
                .as_ref()
                .map_or_else(BTreeMap::new, |personal| personal.traits.clone()),
            respondent: self.respondent.as_deref().map(respondent_digest),
        })
    }
}

/// Hands over the facts of the displays that a condition picks out, with how many displays there are
/// of each kind: those that were shown in the same bucket and are alike in all that is counted.
pub fn each_kind(
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

/// The digest under which a respondent is counted.
pub fn respondent_digest(respondent: &str) -> u64 {
    Respondents::digest(seal::leading_bits(&Sha256::digest(respondent.as_bytes())))
}

/// Puts a display, or a revision that follows the stored one, into the log, where nothing more is
/// to be done: no counter covers it, nothing was excluded, and it has no key yet if it needs one.
/// `false` where that does not hold; then nothing was written.
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

/// Puts a row into the log, in the place of an earlier revision's, with the next number.
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

/// Overwrites what displays hold where it lies, with as many bytes that say nothing, before their rows are
/// replaced or removed. Copies that SQLite has made stay until their place is used again.
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

/// The values of [`WRITTEN`], sealed under a key.
fn values(stored: &Stored, key: Option<&Key>) -> Result<[Value; 15], Failure> {
    let mut answers = stored.answers.clone();
    let mut texts = take_texts(&mut answers);
    if stored.personal.is_none() {
        texts.clear();
    }
    let (context, answers) = (Cow::Borrowed(&stored.context), Cow::Owned(answers));
    let facts = Counted { context, answers };
    let sealed = Sealed { respondent: stored.respondent.clone(), texts };
    let [respondent, personal, key_number, sealed] =
        sealed.columns(stored.id, stored.personal.clone(), key)?;
    Ok([
        stored.id.as_bytes().to_vec().into(),
        stored.revision.into(),
        u32::from(stage_value(stored.stage)).into(),
        stored.dismissed.into(),
        stored.shown_ms.into(),
        stored.received_ms.into(),
        stored.astray.into(),
        stored.excluded.clone().into(),
        serde_json::to_string(&facts)?.into(),
        stored.seq.into(),
        respondent,
        personal,
        key_number,
        sealed,
        stored.deferred.into(),
    ])
}

/// The display with an id.
pub fn find(sql: &impl Sql, id: DisplayId) -> Result<Option<Stored>, Failure> {
    let id = Value::Blob(id.as_bytes().to_vec());
    let row = sql.first(&format!("SELECT {COLUMNS} FROM display WHERE id = ?"), &[id])?;
    row.map(stored).transpose()
}

/// A row of [`COLUMNS`].
pub fn stored(mut row: Row) -> Result<Stored, Failure> {
    let id = display_id(&row.blob()?)?;
    let revision = row.integer()?;
    let stage = stage(row.integer()?)?;
    let dismissed = row.boolean()?;
    let shown_ms = row.integer()?;
    let received_ms = row.integer()?;
    let astray = row.boolean()?;
    let excluded = row.optional_text()?;
    let Counted { context, answers } = serde_json::from_str(&row.text()?)?;
    let (context, answers) = (context.into_owned(), answers.into_owned());
    let seq = row.integer()?;
    let (personal, sealed) = (row.optional_text()?, row.optional_blob()?);
    let (number, key) = (row.optional_integer()?, row.optional_blob()?);
    let key = number.zip(key).and_then(|(number, key)| Key::stored(number, &key));
    let deferred = row.boolean()?;
    let mut stored = Stored {
        id,
        revision,
        stage,
        dismissed,
        shown_ms,
        received_ms,
        astray,
        excluded,
        respondent: None,
        context,
        answers,
        personal: None,
        key,
        seq,
        deferred,
    };
    stored.put_personal(personal, sealed)?;
    Ok(stored)
}

/// Refuses facts that do not read.
pub fn check_facts(facts: &str) -> Result<(), Failure> {
    serde_json::from_str::<Counted<'_>>(facts)?;
    Ok(())
}

/// A stored id.
pub fn display_id(bytes: &[u8]) -> Result<DisplayId, Failure> {
    let id = <[u8; 16]>::try_from(bytes).ok().map(DisplayId::from_bytes);
    id.and_then(Result::ok).ok_or_else(|| broken("id"))
}

/// A stored stage.
pub fn stage(number: u8) -> Result<Stage, Failure> {
    let stage = Stage::ALL.into_iter().find(|known| stage_value(*known) == number);
    stage.ok_or_else(|| broken("stage"))
}

/// What is said of a row that does not read.
pub fn broken(what: &str) -> Failure {
    Failure::Broken(format!("a stored display has no valid {what}"))
}
