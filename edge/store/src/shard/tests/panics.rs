//! A panic between any two statements of a write leaves nothing half done.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};

use asklet_shared::tally::{Counted, Request};
use asklet_shared::time::END_OF_TIME_MS;

use crate::cipher::SpareKeys;
use crate::shard::retention;
use crate::shard::slice::Slice;
use crate::shard::tests::histories::check_counters;
use crate::shard::tests::*;
use crate::sql::{Row, Value};

/// A database that panics before one of the statements to come.
struct Panicking<'a> {
    sql: &'a Native,
    statements_left: Cell<Option<u32>>,
}

impl Panicking<'_> {
    fn pass(&self) {
        if let Some(left) = self.statements_left.get() {
            assert!(left > 0, "the panic that was asked for");
            self.statements_left.set(Some(left - 1));
        }
    }
}

impl Sql for Panicking<'_> {
    fn query(
        &self,
        sql: &str,
        values: &[Value],
        row: &mut dyn FnMut(Row) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        self.pass();
        self.sql.query(sql, values, row)
    }

    fn bytes(&self) -> u64 {
        self.sql.bytes()
    }

    fn latest_change(&self) -> &Cell<Option<u64>> {
        self.sql.latest_change()
    }

    fn spare_keys(&self) -> &RefCell<SpareKeys> {
        self.sql.spare_keys()
    }

    fn write(&self, sql: &str, values: &[Value]) -> Result<bool, Failure> {
        self.pass();
        self.sql.write(sql, values)
    }

    fn transaction<T>(&self, work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
        self.sql.transaction(work)
    }
}

/// Does some work again and again, each time with a panic one statement later, until there is none.
/// After each panic the counters must equal a recount and the store must be as it was before.
fn check(prepare: &dyn Fn(&Native), work: &dyn Fn(&Panicking<'_>) -> Result<(), Failure>) -> u32 {
    let everything = |sql: &Native| -> (Vec<Stored>, Counted) {
        let request = Request::whole("score", 0, END_OF_TIME_MS);
        (rows(sql), rollup::count(sql, &request).unwrap())
    };
    for statements in 0.. {
        let sql = store();
        prepare(&sql);
        let before = everything(&sql);
        let panicking = Panicking { sql: &sql, statements_left: Cell::new(Some(statements)) };
        let outcome = catch_unwind(AssertUnwindSafe(|| work(&panicking)));
        check_counters(&sql, &[]);
        match outcome {
            Ok(result) => {
                result.unwrap();
                assert_ne!(rows(&sql), before.0, "the work changed nothing");
                return statements;
            }
            Err(_) => assert_eq!(everything(&sql), before, "after {statements} statements"),
        }
        // The next request is served as if nothing had been.
        panicking.statements_left.set(None);
        work(&panicking).unwrap();
        check_counters(&sql, &[]);
    }
    unreachable!()
}

fn identified(revision: u32, score: u8) -> Arrival {
    let mut arrival = arrival(1, revision, Stage::Started, Some(score));
    arrival.respondent = Some("u1".to_owned());
    arrival.traits = [("plan".to_owned(), "pro".to_owned())].into();
    arrival
}

#[test]
fn a_panic_between_any_two_statements_leaves_nothing_half_done() {
    let is_folded = |sql: &Native| {
        record(sql, identified(1, 9), START_MS).unwrap();
        fold_all(sql, START_MS + 1);
    };
    let record_one = |sql: &Panicking<'_>, arrival| record(sql, arrival, START_MS).map(|_| ());
    let first = check(&|_| {}, &|sql| record_one(sql, identified(1, 9)));
    let late = check(&|sql| fold_all(sql, START_MS + 1), &|sql| record_one(sql, identified(1, 9)));
    let corrected = check(&is_folded, &|sql| record_one(sql, identified(2, 3)));
    let excluded = check(&is_folded, &|sql| retention::exclude(sql, id(1), Some("spam")));
    let erased =
        check(&is_folded, &|sql| retention::erase(sql, "u1", Slice::first(10)).map(|_| ()));
    // A display that arrives behind the watermark waits. A correction leaves the counters of each question
    // and dimension and enters them: dozens of statements, each of which was the last one once.
    assert!(first >= 3 && late >= 3 && corrected > 20, "{first}, {late}, {corrected}");
    assert!(excluded > 20 && erased > 20, "{excluded}, {erased}");
}
