//! A key for each display, under which its personal data is encrypted. Destroying the key deletes this data at
//! once, wherever copies of it are stored. This is crypto-shredding, which NIST SP 800-88 calls cryptographic
//! erase.
//!
//! SQLite marks freed space as free and leaves the bytes there: beside a row that grew, on pages that were
//! split, on pages that nothing uses. The platform allows neither `secure_delete` nor `VACUUM`, and does not
//! say which pages are free, so overwriting them requires growing the file each time. A key has 32 bytes at a
//! known place, and overwriting it changes no size.
//!
//! This works because the database file never has a second copy of a key:
//!
//! - Keys are stored in batches, which are rows of equal size. A row is appended blank. Keys are written into
//!   it, and destroyed in it, by an update that keeps its size, which SQLite does in place.
//! - No row is ever deleted, and each row is appended after all others. It is stored on a page of its own, so
//!   SQLite adds a page and moves no row.
//! - SQLite copies the root page of a table when that page is split for the first time. The two blank rows with
//!   which the table begins split it before there is any key.
//!
//! The earlier content of a page stays in the write-ahead log until the database is closed or the log is
//! overwritten.
//!
//! No key is used twice, whenever the process ends: keys are stored before the displays that use them, and
//! after a start only places that never held a key get one.

use asklet_protocol::failure::Failure;

use crate::cipher::{self, DESTROYED, DisplayKey, KEY_BYTES, UNUSED};
use crate::sql::Sql;
use crate::sql::dump::InPlace;

/// Number of keys in a row: as many as fit on one of SQLite's pages, which have 4,096 bytes.
const BATCH: usize = 120;

/// Creates the table with its two blank rows. The sizes follow from [`BATCH`].
pub const CREATE: [&str; 2] = [
    "CREATE TABLE display_key (batch INTEGER PRIMARY KEY,
        keys BLOB NOT NULL CHECK (length(keys) = 3840)) STRICT",
    "INSERT INTO display_key (batch, keys) VALUES (0, zeroblob(3840)), (1, zeroblob(3840))",
];

/// Appends blank rows up to a batch, in order.
const APPEND: &str = "INSERT INTO display_key (batch, keys)
     WITH RECURSIVE missing (batch) AS (
        SELECT max(batch) + 1 FROM display_key UNION ALL SELECT batch + 1 FROM missing
        WHERE batch < ?1)
     SELECT batch, zeroblob(3840) FROM missing WHERE batch <= ?1";

/// Overwrites a batch in its place.
const WRITE: &str = "UPDATE display_key SET keys = ?2 WHERE batch = ?1";

/// How rows of a migration are stored.
pub const IN_PLACE: InPlace = InPlace {
    clear: "UPDATE display_key SET keys = zeroblob(3840) WHERE true",
    append: APPEND,
    write: WRITE,
};

/// Makes sure that there are enough keys for displays that are about to be stored. It is called before the
/// transaction that takes the keys: if storing the keys were rolled back with that transaction, the same keys
/// would be used again.
///
/// A key that is not taken before the object falls asleep is never used. To lose few keys and to write few
/// rows, each call stores as many keys as were taken since the object woke.
pub fn reserve(sql: &impl Sql, wanted: usize) -> Result<(), Failure> {
    loop {
        let (left, taken) = {
            let spare = sql.spare_keys().borrow();
            (spare.keys.len(), spare.taken)
        };
        let missing = wanted.saturating_sub(left);
        if missing == 0 {
            return Ok(());
        }
        store_more(sql, missing.max(taken))?;
    }
}

/// Stores this number of new keys, or fewer if the last batch has less room.
fn store_more(sql: &impl Sql, wanted: usize) -> Result<(), Failure> {
    let last = sql.first("SELECT batch, keys FROM display_key ORDER BY batch DESC LIMIT 1", &[])?;
    let mut last = last.ok_or_else(|| Failure::broken("there is no batch of keys"))?;
    let (mut batch, mut keys) = (last.integer::<u64>()?, last.blob()?);
    // Blank places before the last stored key do not exist, because keys are stored in order.
    let used = keys.chunks(KEY_BYTES).rposition(|key| key != UNUSED).map_or(0, |last| last + 1);
    let mut first = used;
    if used >= BATCH {
        batch += 1;
        sql.run(APPEND, &[batch.into()])?;
        keys = vec![0; BATCH * KEY_BYTES];
        first = 0;
    }
    let places = first..BATCH.min(first + wanted);
    let fresh = keys.get_mut(places.start * KEY_BYTES..places.end * KEY_BYTES).unwrap_or_default();
    // One call for all keys, because a call to the platform takes longer than making the random bytes.
    cipher::fill_randomly(fresh)?;
    let stored = places.zip(fresh.chunks(KEY_BYTES)).map(|(place, key)| {
        let broken = || Failure::broken("a new key is no key");
        DisplayKey::stored(number(batch, place), key).ok_or_else(broken)
    });
    let stored = stored.collect::<Result<Vec<_>, _>>()?;
    sql.run(WRITE, &[batch.into(), keys.into()])?;
    sql.spare_keys().borrow_mut().keys.extend(stored);
    Ok(())
}

fn number(batch: u64, place: usize) -> u64 {
    let length = u64::try_from(BATCH).unwrap_or(u64::MAX);
    batch.saturating_mul(length).saturating_add(u64::try_from(place).unwrap_or(u64::MAX))
}

/// Returns the next key that no display has. The key stays the next one until it is taken.
pub fn next(sql: &impl Sql) -> Result<DisplayKey, Failure> {
    let spare = sql.spare_keys().borrow();
    let missing = || Failure::broken("no key was reserved");
    spare.keys.front().cloned().ok_or_else(missing)
}

/// Takes the next key for a display.
pub fn take(sql: &impl Sql) -> Result<DisplayKey, Failure> {
    let key = next(sql)?;
    let mut spare = sql.spare_keys().borrow_mut();
    spare.keys.pop_front();
    spare.taken += 1;
    Ok(key)
}

/// Forgets the keys that no display has. These keys are then never used.
pub fn forget_spare(sql: &impl Sql) {
    sql.spare_keys().take();
}

/// Destroys keys. The data that was encrypted under them cannot be restored once the caller's transaction is
/// committed.
pub fn destroy(sql: &impl Sql, mut numbers: Vec<u64>) -> Result<(), Failure> {
    numbers.sort_unstable();
    let length = number(1, 0);
    for numbers in numbers.chunk_by(|one, other| one / length == other / length) {
        let Some(batch) = numbers.first().map(|number| number / length) else { continue };
        let row = sql.first("SELECT keys FROM display_key WHERE batch = ?", &[batch.into()])?;
        let broken = || Failure::broken("a display's key is in no batch");
        let mut keys = row.ok_or_else(broken)?.blob()?;
        for number in numbers {
            let place = usize::try_from(number % length).map_err(|_| broken())?;
            let key = keys.chunks_exact_mut(KEY_BYTES).nth(place).ok_or_else(broken)?;
            key.copy_from_slice(&DESTROYED);
        }
        sql.run(WRITE, &[batch.into(), keys.into()])?;
    }
    Ok(())
}
