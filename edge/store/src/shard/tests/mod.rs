//! Storage on real SQLite: single cases, and random histories.

mod cases;
mod deletion;
mod histories;
mod panics;
mod reading;

use asklet_protocol::bundle::{self, Head};
use asklet_protocol::failure::Failure;
use asklet_shared::display::{Answer, Answers, Choice, Stage};
use asklet_shared::display_id::DisplayId;
use asklet_shared::facts::Context;
use asklet_shared::problem::Code;

use crate::shard::record::{Arrival, record, record_all};
use crate::shard::schema::MIGRATIONS;
use crate::shard::stored::{self, COLUMNS, Stored};
use crate::shard::{log, migration, rollup, storage};
use crate::sql::Sql;
use crate::sql::migrate::migrate;
use crate::sql::native::Native;

pub const START_MS: u64 = 1_763_785_907_123;

/// An empty shard.
pub fn store() -> Native {
    migrated(Native::default())
}

/// A database as a shard has it.
pub fn migrated(sql: Native) -> Native {
    migrate(&sql, MIGRATIONS).unwrap();
    storage::seal_earlier(&sql).unwrap();
    rollup::recount_if_needed(&sql).unwrap();
    sql
}

/// The id of a display that was shown at the start.
fn id(number: u8) -> DisplayId {
    DisplayId::new(START_MS + u64::from(number), [number; 10])
}

/// A revision of a display with a score.
pub fn arrival(number: u8, revision: u32, stage: Stage, score: Option<u8>) -> Arrival {
    let score = score.map(|score| ("score".to_owned(), Answer::Score(score)));
    Arrival {
        id: id(number),
        revision,
        stage,
        dismissed: false,
        shown_ms: START_MS,
        context: Context { version: 1, language: "en".to_owned(), ..Context::default() },
        answers: Answers(score.into_iter().collect()),
        respondent: None,
        traits: [].into(),
        verified: false,
        refused: None,
        excluded: None,
    }
}

/// A choice of some options.
fn choice(options: &[&str], other: Option<&str>) -> Answer {
    let options = options.iter().map(|option| (*option).to_owned()).collect();
    Answer::Choice(Choice { options, other: other.map(str::to_owned) })
}

/// Every row of the log.
fn rows(sql: &impl Sql) -> Vec<Stored> {
    let mut rows = Vec::new();
    sql.query(&format!("SELECT {COLUMNS} FROM display"), &[], &mut |row| {
        rows.push(stored::read(row)?);
        Ok(())
    })
    .unwrap();
    rows
}

/// Folds everything that was shown before a time.
fn fold_all(sql: &impl Sql, until_ms: u64) {
    while rollup::fold_before(sql, until_ms).unwrap() {}
}

pub fn code<T: std::fmt::Debug>(result: Result<T, Failure>) -> Code {
    match result {
        Err(Failure::Problem(problem)) => problem.code,
        other => panic!("{other:?}"),
    }
}

/// Moves a shard into another one, whatever that holds.
fn migrate_all(from: &Native, to: &Native) {
    let mut next = Some(Head::of("a shard".to_owned(), false, 1));
    while let Some(place) = next {
        let page = migration::dump(from, 1, place, None).unwrap();
        migration::load(to, &page).unwrap();
        let (head, _) = bundle::read(&page).unwrap();
        next = head.next.map(|cursor| Head::of_cursor(&cursor).unwrap());
    }
    assert_eq!(rows(from), rows(to));
}

/// Records, by itself or with others, what a client may be told off for.
fn tell(sql: &impl Sql, arrival: Arrival, is_imported: bool, now_ms: u64) {
    let outcome = if is_imported {
        record_all(sql, vec![arrival], now_ms).map(drop)
    } else {
        record(sql, arrival, now_ms).map(drop)
    };
    match outcome {
        Ok(()) | Err(Failure::Problem(_)) => {}
        Err(Failure::Broken(broken)) => panic!("{broken}"),
    }
}
