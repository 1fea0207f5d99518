//! What is left in a shard's file of what was removed, and how large the file becomes.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

use asklet_shared::time::DAY_MS;
use tempfile::TempDir;

use crate::cipher::{DisplayKey, KEY_BYTES};
use crate::shard::slice::Slice;
use crate::shard::tests::*;
use crate::shard::{columns, display_keys, retention};

/// A shard in a file.
struct Shard {
    sql: Native,
    file: PathBuf,
    /// Removed at last.
    _folder: TempDir,
}

impl Shard {
    fn new() -> Self {
        let Self { sql, file, _folder } = Self::empty();
        Self { sql: migrated(sql), file, _folder }
    }

    /// One without any table.
    fn empty() -> Self {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("db");
        Self { sql: Native::in_file(&file), file, _folder: folder }
    }

    /// What the file holds.
    fn bytes(&self) -> Vec<u8> {
        self.sql.checkpoint();
        fs::read(&self.file).unwrap()
    }

    fn length(&self) -> u64 {
        self.bytes().len().try_into().unwrap()
    }

    fn holds(&self, words: &str) -> bool {
        self.bytes().windows(words.len()).any(|window| window == words.as_bytes())
    }

    /// How often each key lies in the file.
    fn copies(&self, keys: &[Vec<u8>]) -> Vec<usize> {
        let bytes = self.bytes();
        let at: HashMap<&[u8], usize> =
            keys.iter().enumerate().map(|(at, key)| (&key[..], at)).collect();
        let mut copies = vec![0; keys.len()];
        for window in bytes.windows(KEY_BYTES) {
            if let Some(at) = at.get(window) {
                copies[*at] += 1;
            }
        }
        copies
    }
}

/// The bytes of the keys with these numbers, as they are stored.
fn stored_keys(sql: &Native, numbers: impl IntoIterator<Item = u64>) -> Vec<Vec<u8>> {
    let key =
        "SELECT substr(keys, 32 * (?1 % 120) + 1, 32) FROM display_key WHERE batch = ?1 / 120";
    let numbers = numbers.into_iter();
    numbers
        .map(|number| sql.first(key, &[number.into()]).unwrap().unwrap().blob().unwrap())
        .collect()
}

fn numbered(number: u64) -> DisplayId {
    DisplayId::new(START_MS + number, [7; 10])
}

/// A comment of a few bytes up to several pages, so that rows move and spill.
fn commented(number: u64, revision: u32) -> Arrival {
    let times = 1 + (number * 7 + u64::from(revision) * 31) % 90;
    let text = words(number).repeat(usize::try_from(times).unwrap());
    let answers = Answers([("why".to_owned(), Answer::Text(text))].into_iter().collect());
    let respondent = Some(format!("<customer {}>", number % 50));
    Arrival {
        id: numbered(number),
        answers,
        respondent,
        ..arrival(0, revision, Stage::Completed, None)
    }
}

fn words(number: u64) -> String {
    format!("<words {number} of somebody>")
}

fn key_of(sql: &Native, number: u64) -> DisplayKey {
    log::find(sql, numbered(number)).unwrap().unwrap().key.unwrap()
}

#[test]
fn neither_texts_nor_respondents_lie_in_the_file_in_the_clear() {
    let shard = Shard::new();
    for revision in 1..3 {
        for number in 0..100 {
            record(&shard.sql, commented(number, revision), START_MS).unwrap();
        }
    }
    assert!(!shard.holds("<words") && !shard.holds("<customer"));
    let stored = log::find(&shard.sql, numbered(4)).unwrap().unwrap();
    assert_eq!(stored.respondent.as_deref(), Some("<customer 4>"));
    assert_eq!(stored.answers, commented(4, 2).answers);
    assert!(shard.holds("\"why\""));
}

#[test]
fn no_copy_of_a_key_is_left_wherever_it_was_written_and_whatever_was_destroyed() {
    let shard = Shard::new();
    let sql = &shard.sql;
    // Enough keys for the root of their table to be divided more than once.
    display_keys::reserve(sql, 60_000).unwrap();
    for number in 0..700 {
        record(sql, commented(number, 1), START_MS).unwrap();
        if number % 90 == 0 {
            // The object sleeps and wakes.
            display_keys::forget_spare(sql);
        }
        if number % 7 == 6 {
            record(sql, commented(number - 3, 2), START_MS).unwrap();
        }
    }
    let unused = 0..60_000_u64;
    let numbers: Vec<_> = (0..700).map(|number| key_of(sql, number).number).collect();
    let live = stored_keys(sql, numbers.iter().copied());
    let others =
        stored_keys(sql, unused.filter(|number| *number >= 120 && !numbers.contains(number)));
    assert!(shard.copies(&live).iter().all(|copies| *copies == 1));
    let blank = vec![0; KEY_BYTES];
    let others: Vec<_> = others.into_iter().filter(|key| *key != blank).collect();
    assert!(others.len() > 50_000 && shard.copies(&others).iter().all(|copies| *copies == 1));

    for number in (0..700).filter(|number| number % 3 == 1) {
        retention::delete(sql, numbered(number)).unwrap();
    }
    for number in 700..900 {
        record(sql, commented(number, 1), START_MS).unwrap();
    }
    retention::erase(sql, "<customer 6>", Slice::first(2_000)).unwrap();
    let copies = shard.copies(&live);
    for number in 0..700_u64 {
        let is_removed = number % 3 == 1 || number % 50 == 6;
        let expected = usize::from(!is_removed);
        assert_eq!(copies[usize::try_from(number).unwrap()], expected, "display {number}");
    }
    fold_all(sql, START_MS + DAY_MS);
    let mut after = None;
    while {
        after = retention::forget_people(sql, START_MS + DAY_MS, after).unwrap();
        after.is_some()
    } {}
    assert_eq!(shard.copies(&live), vec![0; live.len()]);
}

#[test]
fn what_is_left_of_a_removed_display_does_not_decrypt() {
    let shard = Shard::new();
    let sql = &shard.sql;
    record(sql, commented(1, 1), START_MS).unwrap();
    let sealed = |sql: &Native| {
        let row = sql.first("SELECT sealed FROM display", &[]).unwrap().unwrap().optional_blob();
        row.unwrap()
    };
    let (key, left) = (key_of(sql, 1), sealed(sql).unwrap());
    assert!(key.open(numbered(1), &left).unwrap().starts_with(b"{"));
    retention::delete(sql, numbered(1)).unwrap();
    assert_eq!(sealed(sql), None);
    let destroyed = stored_keys(sql, [key.number]);
    assert_eq!(DisplayKey::stored(key.number, &destroyed[0]), None);
    let guess = DisplayKey::stored(key.number, &[1; KEY_BYTES]).unwrap();
    assert!(guess.open(numbered(1), &left).is_err());
}

#[test]
fn removing_three_hundred_times_makes_the_file_no_larger() {
    let shard = Shard::new();
    let sql = &shard.sql;
    // Each is shown a millisecond after the one before; the last hundred stay unanswered.
    for number in 0..1_000 {
        let mut arrival = commented(number, 1);
        arrival.shown_ms = START_MS + number;
        if number >= 900 {
            arrival.stage = Stage::Seen;
            arrival.answers = Answers::default();
        }
        record(sql, arrival, START_MS + number).unwrap();
    }
    fold_all(sql, START_MS + DAY_MS);
    let full = shard.length();
    assert_eq!(storage::file_bytes(sql).unwrap(), full);
    let unanswered = stored_keys(sql, (900..1_000).map(|number| key_of(sql, number).number));
    for number in 0..300 {
        retention::delete(sql, numbered(number)).unwrap();
    }
    for customer in 0..300 {
        let respondent = format!("<customer {}>", customer % 50);
        let within = Slice { after: None, rows: 300 + customer };
        retention::erase(sql, &respondent, within).unwrap();
    }
    for until_ms in START_MS + 600..=START_MS + 1_000 {
        retention::forget_people(sql, until_ms, None).unwrap();
        retention::drop_unanswered(sql, until_ms, None).unwrap();
    }
    assert_eq!(shard.length(), full);
    // What is used has become less, and the size is still that of the file.
    assert!(sql.bytes() < full / 2, "{} of {full}", sql.bytes());
    assert_eq!(storage::file_bytes(sql).unwrap(), full);
    assert_eq!(rows(sql).len(), 900);
    assert!(rows(sql).iter().all(|display| display.key.is_none() && display.respondent.is_none()));
    assert_eq!(shard.copies(&unanswered), vec![0; unanswered.len()]);
}

#[test]
fn as_many_keys_are_lost_in_sleep_as_were_used_at_most() {
    let sql = store();
    for number in 0..1_000 {
        record(&sql, commented(number, 1), START_MS).unwrap();
        // Awake for one display, or for some.
        if number % 3 == 0 || number % 10 == 0 {
            display_keys::forget_spare(&sql);
        }
    }
    let last = key_of(&sql, 999).number - 120;
    assert!(last < 2_000, "{last}");
}

#[test]
#[expect(clippy::too_many_lines, reason = "one story, told in order")]
fn what_an_earlier_schema_stored_in_the_clear_is_sealed_and_no_copy_is_left() {
    let mut shard = Shard::empty();
    let sql = &shard.sql;
    migrate(sql, &MIGRATIONS[..5]).unwrap();
    let write = |number: u64, revision: u64| {
        let times = usize::try_from(1 + (number * 7 + revision * 31) % 90).unwrap();
        let personal = match number % 4 {
            0 => r#"{"texts":{}}"#.to_owned(),
            _ => format!(
                r#"{{"traits":{{"plan":"pro"}},"texts":{{"why":"{}"}}}}"#,
                words(number).repeat(times)
            ),
        };
        let respondent = number.is_multiple_of(3).then(|| format!("<customer {number}>"));
        let why = if number.is_multiple_of(4) { "{}" } else { r#"{"why":""}"# };
        let facts =
            format!(r#"{{"version":1,"channel":"in_page","language":"en","answers":{why}}}"#);
        sql.run(
            "REPLACE INTO display VALUES (?, ?, 3, 0, ?, ?, 0, NULL, ?, ?, ?, ?)",
            &[
                numbered(number).as_bytes().to_vec().into(),
                revision.into(),
                (START_MS + number).into(),
                (START_MS + number).into(),
                respondent.into(),
                facts.into(),
                personal.into(),
                number.into(),
            ],
        )
        .unwrap();
    };
    for revision in 1..3 {
        (0..1_200).for_each(|number| write(number, revision));
    }
    // Some have left copies on pages that are free.
    sql.run("UPDATE folded SET peak_bytes = ?", &[sql.bytes().into()]).unwrap();
    sql.run("DELETE FROM display WHERE id < ?", &[numbered(400).as_bytes().to_vec().into()])
        .unwrap();
    let is_left = |number: u64| shard.holds(&words(number));
    assert!((0..400).any(is_left) && is_left(401), "the test looks in the right place");
    let before = shard.length();

    shard.sql = migrated(shard.sql);
    let sql = &shard.sql;
    assert!(!shard.holds("<words") && !shard.holds("<customer"));
    let left = rows(sql);
    assert_eq!(left.len(), 800);
    for display in left {
        let number = display.id.unix_ms() - START_MS;
        let customer = number.is_multiple_of(3).then(|| format!("<customer {number}>"));
        assert_eq!(display.respondent, customer);
        let times = usize::try_from(1 + (number * 7 + 2 * 31) % 90).unwrap();
        let text = (!number.is_multiple_of(4)).then(|| Answer::Text(words(number).repeat(times)));
        assert_eq!(display.answers.get("why"), text.as_ref(), "{number}");
        let personal = display.personal.unwrap();
        assert_eq!(personal.traits.len(), usize::from(!number.is_multiple_of(4)));
    }
    let indexed = format!("SELECT id FROM display INDEXED BY late WHERE {}", columns::LATE);
    sql.query(&indexed, &[], &mut |_| Ok(())).unwrap();
    let after = shard.length();
    assert!(after < before * 2 + (1 << 18), "{before} became {after}");
    assert_eq!(storage::file_bytes(sql).unwrap(), after);
    // Once.
    storage::seal_earlier(sql).unwrap();
    assert_eq!(shard.length(), after);
}

#[test]
fn a_shard_that_moves_brings_its_keys_and_leaves_no_copy_of_one_where_it_comes() {
    let (from, to) = (Shard::new(), Shard::new());
    display_keys::reserve(&from.sql, 3_000).unwrap();
    for number in 0..300 {
        record(&from.sql, commented(number, 1), START_MS).unwrap();
        record(&to.sql, commented(number + 1_000, 1), START_MS).unwrap();
    }
    let numbers: Vec<_> = (0..300).map(|number| key_of(&from.sql, number).number).collect();
    let theirs = stored_keys(&to.sql, (1_000..1_300).map(|number| key_of(&to.sql, number).number));
    let mut pages = Vec::new();
    let mut next = Some(Head::of("a shard".to_owned(), false, 1));
    while let Some(place) = next {
        let page = migration::dump(&from.sql, 1, place, None).unwrap();
        let (head, _) = bundle::read(&page).unwrap();
        next = head.next.map(|cursor| Head::of_cursor(&cursor).unwrap());
        pages.push(page);
    }
    // In any order, and again.
    for page in pages.iter().rev().chain(&pages) {
        migration::load(&to.sql, page).unwrap();
    }
    assert_eq!(rows(&from.sql), rows(&to.sql));
    let moved = stored_keys(&from.sql, numbers);
    assert!(to.copies(&moved).iter().all(|copies| *copies == 1));
    // Of those that were there none is left.
    assert_eq!(to.copies(&theirs), vec![0; theirs.len()]);
    retention::delete(&to.sql, numbered(5)).unwrap();
    assert_eq!(to.copies(&moved[5..6]), [0]);
    // What comes next gets a key that nobody has.
    record(&to.sql, commented(900, 1), START_MS).unwrap();
    let new = key_of(&to.sql, 900);
    assert!((0..300).all(|number| number == 5 || key_of(&to.sql, number).number < new.number));
}
