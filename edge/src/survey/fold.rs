//! Counters as the fold of the log.
//!
//! A display is covered by the counters once it was shown before the watermark, or if it is astray.
//! Folding moves the watermark and adds the displays that it passes. A display that changes after
//! that takes its old contribution out and puts the new one in, in the transaction that stores it.
//! So the counters always equal a recount of the covered part of the log, and a summary is the
//! counters plus a scan of the tail.

use asklet_shared::counter::{Change, Counters, Dimension, Facts, Key, Packed};
use asklet_shared::display_id::DisplayId;
use asklet_shared::tally::{Counted, Request};
use asklet_shared::time::{self, BUCKET_MS};

use super::log::{self, COLUMNS, DRIFT_MS, Stored};
use crate::failure::Failure;
use crate::sql::{Sql, Value};

/// Later than any display: the largest integer that passes through JavaScript unharmed.
const END_OF_TIME_MS: u64 = (1 << 53) - 1;

/// How long a display stays in the tail, where changing it is cheap.
const SETTLE_MS: u64 = BUCKET_MS;

/// The displays that no counter covers. Their keys are a range at the end of the log, so that
/// reading them does not touch the rest.
const TAIL: &str = "id >= ? AND astray = 0 AND shown_ms >= ? AND shown_ms < ?";

/// Displays shown before this are in the counters.
#[derive(Debug, Clone, Copy)]
pub struct Watermark(u64);

impl Watermark {
    /// The stored watermark.
    pub fn read(sql: &impl Sql) -> Result<Self, Failure> {
        let row = sql.first("SELECT until_ms FROM folded", &[])?;
        let mut row = row.ok_or_else(|| Failure::Broken("the watermark is missing".to_owned()))?;
        Ok(Self(row.integer()?))
    }

    /// Whether a display's contribution is in the counters.
    pub fn covers(self, display: &Stored) -> bool {
        display.astray || display.facts.shown_ms < self.0
    }

    /// The values of [`TAIL`] for displays that were shown before `until_ms`.
    fn tail_range(self, until_ms: u64) -> [Value; 3] {
        let first_id = DisplayId::floor(self.0.saturating_sub(DRIFT_MS)).to_vec();
        [first_id.into(), self.0.into(), until_ms.into()]
    }

    /// Hands over each display of the tail that was shown before `until_ms`.
    fn tail(
        self,
        sql: &impl Sql,
        until_ms: u64,
        display: &mut dyn FnMut(Stored) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        sql.query(
            &format!("SELECT {COLUMNS} FROM display WHERE {TAIL}"),
            &self.tail_range(until_ms),
            &mut |row| display(log::stored(row)?),
        )
    }
}

/// Moves the displays that have settled into the counters, in one transaction.
pub fn fold(sql: &impl Sql, now_ms: u64) -> Result<(), Failure> {
    let settled_ms = now_ms.saturating_sub(SETTLE_MS);
    let until_ms = settled_ms - settled_ms % BUCKET_MS;
    sql.transaction(|| {
        let watermark = Watermark::read(sql)?;
        if until_ms <= watermark.0 {
            return Ok(());
        }
        let mut counters = Counters::default();
        watermark.tail(sql, until_ms, &mut |display| {
            counters.change(&display.facts, Change::PutIn, |key| load(sql, key))
        })?;
        save(sql, counters)?;
        sql.run("UPDATE folded SET until_ms = ?", &[until_ms.into()])
    })
}

/// Whether displays wait to be folded.
pub fn has_tail(sql: &impl Sql) -> Result<bool, Failure> {
    let waiting = Watermark::read(sql)?.tail_range(END_OF_TIME_MS);
    Ok(sql.first(&format!("SELECT 1 FROM display WHERE {TAIL} LIMIT 1"), &waiting)?.is_some())
}

/// Changes the counters for displays that they cover. Runs within the caller's transaction.
pub fn change(sql: &impl Sql, changes: &[(&Facts, Change)]) -> Result<(), Failure> {
    let mut counters = Counters::default();
    for (facts, change) in changes {
        counters.change(facts, *change, |key| load(sql, key))?;
    }
    save(sql, counters)
}

fn load(sql: &impl Sql, key: &Key) -> Result<Packed, Failure> {
    let row = sql.first(
        "SELECT packed FROM counter
         WHERE day = ? AND question = ? AND dimension = ? AND value = ?",
        &columns(key),
    )?;
    match row {
        Some(mut row) => Ok(Packed::decode(&row.blob()?)?),
        None => Ok(Packed::default()),
    }
}

fn save(sql: &impl Sql, counters: Counters) -> Result<(), Failure> {
    for (key, packed) in counters.into_rows() {
        let mut values = columns(&key).to_vec();
        if packed.is_empty() {
            sql.run(
                "DELETE FROM counter
                 WHERE day = ? AND question = ? AND dimension = ? AND value = ?",
                &values,
            )?;
        } else {
            values.push(packed.encode()?.into());
            sql.run(
                "REPLACE INTO counter (day, question, dimension, value, packed)
                 VALUES (?, ?, ?, ?, ?)",
                &values,
            )?;
        }
    }
    Ok(())
}

fn columns(key: &Key) -> [Value; 4] {
    [
        key.day.into(),
        key.question.as_str().into(),
        key.dimension.name().into(),
        key.value.as_str().into(),
    ]
}

/// What this shard has counted in a period: the counters and the tail.
pub fn count(sql: &impl Sql, request: &Request) -> Result<Counted, Failure> {
    let mut counted = request.nothing();
    let (from_ms, to_ms) = request.range();
    let by = request.by.unwrap_or(Dimension::All);
    sql.query(
        "SELECT day, question, dimension, value, packed FROM counter
         WHERE day >= ? AND day <= ? AND dimension IN ('', ?)",
        &[time::day_of(from_ms).into(), time::day_of(to_ms).into(), by.name().into()],
        &mut |mut row| {
            let (day, question, dimension) = (row.integer()?, row.text()?, row.text()?);
            let dimension = if dimension.is_empty() { Dimension::All } else { by };
            let key = Key { day, question, dimension, value: row.text()? };
            counted.add_row(request, &key, &Packed::decode(&row.blob()?)?);
            Ok(())
        },
    )?;
    Watermark::read(sql)?.tail(sql, END_OF_TIME_MS, &mut |display| {
        counted.add(request, &display.facts);
        Ok(())
    })?;
    Ok(counted)
}

#[cfg(test)]
mod tests {
    use asklet_shared::display::{Answer, Answers, Channel, Display, Stage};
    use asklet_shared::problem::Code;
    use asklet_shared::tally::Tally;
    use proptest::prelude::*;

    use super::*;
    use crate::sql::migrate::migrate;
    use crate::sql::native::Native;
    use crate::survey::log::{MIGRATIONS, find};
    use crate::survey::record::{Recorded, record};

    const START_MS: u64 = 1_763_785_907_123;

    fn store() -> Native {
        let sql = Native::new();
        migrate(&sql, MIGRATIONS).unwrap();
        sql
    }

    fn display(number: u8, revision: u32, stage: Stage, score: Option<u8>) -> Display {
        let score = score.map(|score| ("score".to_owned(), Answer::Score(score)));
        Display {
            id: DisplayId::new(START_MS + u64::from(number), [number; 10]),
            revision,
            version: 1,
            stage,
            dismissed: false,
            channel: Channel::InPage,
            language: "en".to_owned(),
            page: String::new(),
            answers: Answers(score.into_iter().collect()),
            age_ms: 0,
        }
    }

    /// The counters as they should be: every covered row of the log, folded afresh.
    fn recount(sql: &Native) -> Vec<(Key, Packed)> {
        let watermark = Watermark::read(sql).unwrap();
        let mut counters = Counters::default();
        sql.query(&format!("SELECT {COLUMNS} FROM display"), &[], &mut |row| {
            let display = log::stored(row)?;
            if watermark.covers(&display) {
                counters.change(&display.facts, Change::PutIn, |_| {
                    Ok::<_, Failure>(Packed::default())
                })?;
            }
            Ok(())
        })
        .unwrap();
        counters.into_rows().collect()
    }

    fn check_counters(sql: &Native) {
        let expected = recount(sql);
        for (key, packed) in &expected {
            assert_eq!(load(sql, key).unwrap(), *packed, "{key:?}");
        }
        let mut rows = sql.first("SELECT count(*) FROM counter", &[]).unwrap().unwrap();
        assert_eq!(rows.integer::<usize>().unwrap(), expected.len());
    }

    /// The whole of the log's time.
    fn tally(sql: &Native) -> Tally {
        count(sql, &Request::whole(0, END_OF_TIME_MS)).unwrap().total()
    }

    /// What a request should find: every row of the log, looked at one by one.
    fn recounted(sql: &Native, request: &Request) -> Counted {
        let mut counted = request.nothing();
        sql.query(&format!("SELECT {COLUMNS} FROM display"), &[], &mut |row| {
            let facts = log::stored(row)?.facts;
            let edges = request.edges.windows(2).zip(&mut counted.points);
            for (edges, point) in edges {
                if edges[0] <= facts.shown_ms && facts.shown_ms < edges[1] {
                    point.add(&facts);
                    let dimension = request.by.unwrap();
                    counted.rows.entry(facts.dimension(dimension)).or_default().add(&facts);
                }
            }
            Ok(())
        })
        .unwrap();
        counted
    }

    #[test]
    fn a_score_and_its_comment_are_two_revisions_of_one_display() {
        let sql = store();
        let scored = display(1, 1, Stage::Started, Some(9));
        let mut commented = display(1, 2, Stage::Completed, Some(9));
        commented.answers.set("why", Answer::Text("fast".to_owned()));
        assert_eq!(record(&sql, scored.clone(), START_MS).unwrap(), Recorded::New);
        assert_eq!(record(&sql, commented, START_MS + 4_000).unwrap(), Recorded::New);
        // The first revision arrives again, late: acknowledged, and nothing changes.
        assert_eq!(record(&sql, scored, START_MS + 9_000).unwrap(), Recorded::Known);
        let tally = tally(&sql);
        assert_eq!(tally.question("score").total(), 1);
        assert_eq!(tally.question("why").total(), 1);
        let stored = find(&sql, DisplayId::new(START_MS + 1, [1; 10])).unwrap().unwrap();
        assert_eq!((stored.revision, stored.received_ms), (2, START_MS));
    }

    #[test]
    fn a_revision_that_cannot_follow_is_refused_and_changes_nothing() {
        let sql = store();
        record(&sql, display(1, 2, Stage::Started, Some(9)), START_MS).unwrap();
        let refused = |display| match record(&sql, display, START_MS) {
            Err(Failure::Problem(problem)) => problem.code,
            other => panic!("{other:?}"),
        };
        assert_eq!(refused(display(1, 2, Stage::Started, Some(8))), Code::RevisionConflict);
        assert_eq!(refused(display(1, 3, Stage::Seen, None)), Code::StageLowered);
        let mut other_version = display(1, 3, Stage::Completed, Some(9));
        other_version.version = 2;
        assert_eq!(refused(other_version), Code::VersionChanged);
        assert_eq!(tally(&sql).question("score").count(9), 1);
    }

    #[test]
    fn a_display_told_days_late_counts_for_the_time_when_it_was_shown() {
        let sql = store();
        fold(&sql, START_MS).unwrap();
        let mut late = display(1, 1, Stage::Completed, Some(3));
        late.age_ms = 3 * 24 * 60 * 60 * 1000;
        record(&sql, late.clone(), START_MS + late.age_ms).unwrap();
        let stored = find(&sql, late.id).unwrap().unwrap();
        assert_eq!((stored.facts.shown_ms, stored.astray), (START_MS, false));
        // A clock that is off by an hour costs nothing.
        let mut astray = display(2, 1, Stage::Completed, Some(4));
        astray.id = DisplayId::new(START_MS - 60 * 60 * 1000, [2; 10]);
        record(&sql, astray.clone(), START_MS).unwrap();
        assert!(find(&sql, astray.id).unwrap().unwrap().astray);
        check_counters(&sql);
        assert_eq!(tally(&sql).question("score").total(), 2);
    }

    #[derive(Debug, Clone)]
    enum Event {
        Tell {
            number: u8,
            revision: u32,
            stage: usize,
            score: Option<u8>,
            dismissed: bool,
            age_ms: u64,
        },
        Wait {
            ms: u64,
        },
        Fold,
    }

    fn events() -> impl Strategy<Value = Vec<Event>> {
        let age_ms = prop_oneof![Just(0), 0..BUCKET_MS, 0..40 * 24 * 60 * 60 * 1000_u64];
        let tell =
            (0..6_u8, 1..5_u32, 0..4_usize, prop::option::of(0..=10_u8), any::<bool>(), age_ms)
                .prop_map(|(number, revision, stage, score, dismissed, age_ms)| Event::Tell {
                    number,
                    revision,
                    stage,
                    score,
                    dismissed,
                    age_ms,
                });
        let wait = (0..3 * BUCKET_MS).prop_map(|ms| Event::Wait { ms });
        prop::collection::vec(prop_oneof![6 => tell, 2 => wait, 2 => Just(Event::Fold)], 0..60)
    }

    /// The edges of up to ten points around the time in which histories happen.
    fn period() -> impl Strategy<Value = Vec<u64>> {
        let start = START_MS / BUCKET_MS;
        prop::collection::btree_set(start - 5_000..start + 60, 2..11)
            .prop_map(|buckets| buckets.into_iter().map(|bucket| bucket * BUCKET_MS).collect())
    }

    proptest! {
        #[test]
        fn after_any_history_the_counters_equal_a_recount_and_any_period_the_log(
            history in events(),
            edges in period(),
            by in prop_oneof![Just(Dimension::Version), Just(Dimension::Language)],
        ) {
            let sql = store();
            let mut now_ms = START_MS;
            for event in history {
                match event {
                    Event::Tell { number, revision, stage, score, dismissed, age_ms } => {
                        let mut told = display(number, revision, Stage::ALL[stage], score);
                        told.dismissed = dismissed;
                        told.age_ms = age_ms;
                        told.version = u32::from(number % 2) + 1;
                        told.language = ["en", "de", ""][usize::from(number % 3)].to_owned();
                        match record(&sql, told, now_ms) {
                            Ok(_) | Err(Failure::Problem(_)) => {}
                            Err(Failure::Broken(broken)) => panic!("{broken}"),
                        }
                    }
                    Event::Wait { ms } => now_ms += ms,
                    Event::Fold => fold(&sql, now_ms).unwrap(),
                }
                check_counters(&sql);
                let request = Request { edges: edges.clone(), by: Some(by) };
                prop_assert_eq!(count(&sql, &request).unwrap(), recounted(&sql, &request));
            }
        }
    }
}
