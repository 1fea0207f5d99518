//! Leaves nothing on the disk of what was removed.
//!
//! SQLite only marks what it frees as free: beside a row that grew or was moved, and on pages that are
//! free, what stood there stays until it is written over, and the platform allows neither `secure_delete`
//! nor `VACUUM`. So the log is copied to pages that were blank, and all that is free is written over.
//!
//! How many pages are free cannot be asked either. But a file grows only when none are, so it is as large
//! as the database ever was, and that is noted whenever the database is about to shrink.

use crate::failure::Failure;
use crate::sql::{Sql, Value};

/// Up to this size a database is washed at once. A larger one is washed by its daily alarm: that writes
/// each of its rows once more, and nothing else is done meanwhile.
const AT_ONCE_BYTES: u64 = 4 * 1024 * 1024;

/// After what retention removed, which may be something every day, so often.
const DAYS: u64 = 30;

/// How much is written over at a time, and what may have shrunk without a note.
const BLANK_BYTES: u32 = 256 * 1024;

/// Notes how large the database is, before it shrinks.
pub fn note_size(sql: &impl Sql) -> Result<(), Failure> {
    sql.run("UPDATE folded SET peak_bytes = max(peak_bytes, ?)", &[sql.bytes().into()])
}

/// Notes that something was removed of which nothing may be left.
pub fn want(sql: &impl Sql) -> Result<(), Failure> {
    sql.run("UPDATE folded SET unwashed = 1", &[])
}

/// Notes that retention removed something.
pub fn want_some_day(sql: &impl Sql) -> Result<(), Failure> {
    sql.run("UPDATE folded SET unwashed = 2 WHERE unwashed = 0", &[])
}

/// Whether something was removed, so that the database is to be washed now.
pub fn is_due(sql: &impl Sql, day: u64) -> Result<bool, Failure> {
    let found = sql.first("SELECT unwashed FROM folded", &[])?;
    let wanted = found.map_or(Ok(0), |mut row| row.integer::<u8>())?;
    Ok(wanted == 1 || (wanted == 2 && (is_small(sql) || day.is_multiple_of(DAYS))))
}

/// Whether washing is hardly any work.
pub fn is_small(sql: &impl Sql) -> bool {
    sql.bytes() <= AT_ONCE_BYTES
}

/// Washes the database.
pub fn wash(sql: &impl Sql) -> Result<(), Failure> {
    sql.transaction(|| {
        note_size(sql)?;
        blank(sql)?;
        let mut indices = Vec::new();
        let indexed = "SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'display'
             AND sql IS NOT NULL";
        sql.query(indexed, &[], &mut |mut row| {
            indices.push(row.text()?);
            Ok(())
        })?;
        let broken = || Failure::Broken("the log has no definition".to_owned());
        let table = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = 'display'";
        let table = sql.first(table, &[])?.ok_or_else(broken)?.text()?;
        let (_, columns) = table.split_once('(').ok_or_else(broken)?;
        sql.run(&format!("CREATE TABLE washed ({columns}"), &[])?;
        sql.run("INSERT INTO washed SELECT * FROM display ORDER BY id", &[])?;
        note_size(sql)?;
        sql.run("DROP TABLE display", &[])?;
        sql.run("ALTER TABLE washed RENAME TO display", &[])?;
        for index in indices {
            sql.run(&index, &[])?;
        }
        blank(sql)?;
        sql.run("UPDATE folded SET unwashed = 0", &[])
    })
}

/// Writes over every free page.
fn blank(sql: &impl Sql) -> Result<(), Failure> {
    let mut peak = sql.first("SELECT peak_bytes FROM folded", &[])?;
    let peak: u64 = peak.as_mut().map_or(Ok(0), |row| row.integer())?;
    let free = peak.saturating_sub(sql.bytes());
    sql.run("CREATE TABLE blank (bytes BLOB) STRICT", &[])?;
    for _ in 0..=free / u64::from(BLANK_BYTES) + 1 {
        sql.run("INSERT INTO blank VALUES (zeroblob(?))", &[Value::from(BLANK_BYTES)])?;
    }
    note_size(sql)?;
    sql.run("DROP TABLE blank", &[])
}

#[cfg(test)]
mod tests {
    use std::fs;

    use asklet_shared::display::{Answer, Answers, Stage};
    use asklet_shared::display_id::DisplayId;
    use tempfile::TempDir;

    use super::*;
    use crate::sql::native::Native;
    use crate::survey::record::{Arrival, record};
    use crate::survey::tests::{START_MS, arrival, migrated};
    use crate::survey::{keeping, log};

    const DISPLAYS: u64 = 1_500;

    fn id(number: u64) -> DisplayId {
        DisplayId::new(START_MS + number, [7; 10])
    }

    /// A comment of a few bytes up to several pages, so that rows move and spill.
    fn commented(number: u64, revision: u32) -> Arrival {
        let times = 1 + (number * 7 + u64::from(revision) * 31) % 90;
        let words = format!("<words {number} of revision {revision}>");
        let text = words.repeat(usize::try_from(times).unwrap());
        let answers = [("why".to_owned(), Answer::Text(text))];
        let answers = Answers(answers.into_iter().collect());
        Arrival { id: id(number), answers, ..arrival(0, revision, Stage::Completed, None) }
    }

    #[test]
    fn of_what_was_deleted_no_word_is_left_wherever_its_rows_have_lain() {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("db");
        let sql = migrated(Native::in_file(&file));
        // Each is edited while others come in.
        for revision in 1..4 {
            for number in 0..DISPLAYS {
                record(&sql, commented(number, revision), START_MS).unwrap();
            }
        }
        let length = || {
            let rows = "SELECT sum(length(personal)) FROM display WHERE excluded IS NULL";
            sql.first(rows, &[]).unwrap().unwrap().integer::<u64>().unwrap()
        };
        let removed: Vec<u64> = (0..DISPLAYS).filter(|number| number % 10 == 3).collect();
        let left = || {
            let bytes = fs::read(&file).unwrap();
            let text = String::from_utf8_lossy(&bytes);
            removed.iter().filter(|number| text.contains(&format!("<words {number} of"))).count()
        };
        for number in &removed {
            keeping::delete(&sql, id(*number)).unwrap();
        }
        assert!(is_due(&sql, 1).unwrap());
        assert!(left() > 0, "the test looks in the right place");
        let kept = length();
        wash(&sql).unwrap();
        assert_eq!(left(), 0);
        assert!(!is_due(&sql, 0).unwrap());
        // Nothing else has changed, and the index is there.
        assert_eq!(length(), kept);
        assert_eq!(log::find(&sql, id(4)).unwrap().unwrap().revision, 3);
        let indexed = "SELECT id FROM display INDEXED BY astray WHERE astray = 1";
        sql.query(indexed, &[], &mut |_| Ok(())).unwrap();
        // What retention removes from a large database waits for its day, and for nothing else.
        want_some_day(&sql).unwrap();
        assert!(!is_small(&sql), "{}", sql.bytes());
        assert_eq!(
            [0, 1, 29, 30].map(|day| is_due(&sql, day).unwrap()),
            [true, false, false, true]
        );
        want(&sql).unwrap();
        want_some_day(&sql).unwrap();
        assert!(is_due(&sql, 1).unwrap());
        // Washing again finds room enough in the file.
        let size = fs::metadata(&file).unwrap().len();
        wash(&sql).unwrap();
        wash(&sql).unwrap();
        assert!(fs::metadata(&file).unwrap().len() < size + size / 4);
    }
}
