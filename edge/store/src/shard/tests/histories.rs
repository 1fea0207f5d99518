//! Random histories of displays on several shards: retries, reordering, corrections, dismissals,
//! exclusions, erasures, retention and folds and moves at any moment. After each event the counters must equal
//! a recount of the displays plus what retention settled, and in the end every summary must equal
//! one that is counted from the rows one by one.

use std::collections::{BTreeMap, HashMap};

use asklet_protocol::corrections::{Correction, Treatment};
use asklet_protocol::cursor::Cursor;
use asklet_protocol::find::DisplayFilter;
use asklet_protocol::scan::ScanQuery;
use asklet_shared::counter::{CounterChange, CounterKey, Counters, Packed};
use asklet_shared::dimension::Dimension;
use asklet_shared::display::Channel;
use asklet_shared::facts::Facts;
use asklet_shared::period::{self, Interval};
use asklet_shared::settings::WeekStart;
use asklet_shared::tally::{Counted, LatestOfEach, Request, keep_latest};
use asklet_shared::time::{BUCKET_MS, DAY_MS};
use chrono::{DateTime, Datelike, Offset, TimeZone, Utc};
use chrono_tz::Tz;
use proptest::prelude::*;

use crate::shard::record::shown_ms;
use crate::shard::slice::Slice;
use crate::shard::tests::reading::{Copy, plain};
use crate::shard::tests::*;
use crate::shard::watermark::Watermark;
use crate::shard::{corrections, display_keys, retention, scan};

/// How many displays, shards and respondents a history has.
const DISPLAYS: u8 = 8;
const SHARDS: u8 = 2;
const RETENTION_DAYS: u16 = 31;

/// Zones with whole, half and three quarter hours, and with clocks that change by one or by half.
const ZONES: [Tz; 7] = [
    Tz::UTC,
    Tz::Europe__Berlin,
    Tz::America__St_Johns,
    Tz::Asia__Kathmandu,
    Tz::Australia__Lord_Howe,
    Tz::America__Havana,
    Tz::Pacific__Chatham,
];

#[derive(Debug, Clone)]
enum Event {
    Send(Sent),
    Wait {
        ms: u64,
    },
    FoldStep,
    FoldAll,
    Exclude {
        number: u8,
        excluded: bool,
    },
    Erase {
        respondent: u8,
    },
    Delete {
        number: u8,
    },
    /// All displays of a version, or all with a comment, are corrected.
    Correct {
        treatment: Treatment,
        version: Option<u8>,
    },
    /// A program asks for this many changes.
    Poll {
        limit: usize,
    },
    /// The object sleeps and wakes.
    Wake,
    /// It moves to another deployment, and goes on there; the next time it moves back.
    Move,
    KeepHouse,
}

#[derive(Debug, Clone)]
struct Sent {
    number: u8,
    revision: u32,
    stage: usize,
    score: Option<u8>,
    chosen: Option<u8>,
    comment: bool,
    dismissed: bool,
    is_imported: bool,
    age_ms: u64,
    drift_ms: u64,
    respondent: Option<u8>,
    plan: Option<u8>,
}

impl Sent {
    fn arrival(&self, now_ms: u64) -> Arrival {
        let number = self.number;
        let mut arrival = arrival(number, self.revision, Stage::ALL[self.stage], self.score);
        arrival.id = DisplayId::new(START_MS + self.drift_ms, [number; 10]);
        arrival.dismissed = self.dismissed;
        // No two at once: which of them is the latest of their respondent nobody could say.
        arrival.shown_ms = shown_ms(self.age_ms, now_ms) - u64::from(self.number);
        arrival.context.version = u32::from(number % 2) + 1;
        arrival.context.language = ["en", "de", ""][usize::from(number % 3)].to_owned();
        arrival.context.channel = Channel::ALL[usize::from(number % 3)];
        arrival.context.device = ["phone", "desktop"][usize::from(number / 4 % 2)].to_owned();
        if let Some(chosen) = self.chosen {
            let other = (chosen > 2).then_some("mine");
            arrival.answers.set("how", choice(&["a", "b", "c"][..usize::from(chosen % 4)], other));
        }
        if self.comment {
            arrival.answers.set("why", Answer::Text("because".to_owned()));
        }
        if arrival.stage < Stage::Started {
            arrival.answers = Answers::default();
        }
        arrival.respondent = self.respondent.map(|respondent| format!("u{respondent}"));
        let plan =
            self.plan.map(|plan| ("plan".to_owned(), ["pro", "free"][usize::from(plan)].into()));
        arrival.traits = plan.into_iter().collect();
        arrival
    }
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let age_ms = prop_oneof![Just(0), 0..BUCKET_MS, 0..40 * DAY_MS];
    // Within the drift that is expected of clocks, and beyond it.
    let drift_ms = prop_oneof![4 => Just(0_u64), 1 => Just(60 * 60 * 1000)];
    let answers = (
        prop::option::of(0..=10_u8),
        prop::option::of(1..6_u8),
        any::<bool>(),
        prop::option::of(0..2_u8),
        prop::option::of(0..2_u8),
    );
    let flags = (any::<bool>(), any::<bool>());
    let tell = (0..DISPLAYS, 1..5_u32, 0..4_usize, answers, flags, age_ms, drift_ms).prop_map(
        |(number, revision, stage, answers, flags, age_ms, drift_ms)| {
            let (dismissed, is_imported) = flags;
            let (score, chosen, comment, respondent, plan) = answers;
            Event::Send(Sent {
                number,
                revision,
                stage,
                score,
                chosen,
                comment,
                dismissed,
                is_imported,
                age_ms,
                drift_ms,
                respondent,
                plan,
            })
        },
    );
    let wait = prop_oneof![0..3 * BUCKET_MS, 0..40 * DAY_MS].prop_map(|ms| Event::Wait { ms });
    let exclude = (0..DISPLAYS, any::<bool>())
        .prop_map(|(number, excluded)| Event::Exclude { number, excluded });
    let event = prop_oneof![
        12 => tell,
        3 => wait,
        2 => Just(Event::FoldStep),
        2 => Just(Event::FoldAll),
        2 => exclude,
        1 => (0..2_u8).prop_map(|respondent| Event::Erase { respondent }),
        1 => Just(Event::KeepHouse),
        1 => (0..DISPLAYS).prop_map(|number| Event::Delete { number }),
        1 => correct_event(),
        4 => (1..5_usize).prop_map(|limit| Event::Poll { limit }),
        2 => Just(Event::Wake),
        1 => Just(Event::Move),
    ];
    prop::collection::vec(event, 0..50)
}

fn correct_event() -> impl Strategy<Value = Event> {
    let treatments = [Treatment::Exclude, Treatment::Include, Treatment::Delete];
    (prop::sample::select(treatments.to_vec()), prop::option::of(1..3_u8))
        .prop_map(|(treatment, version)| Event::Correct { treatment, version })
}

/// Corrects everything that a filter finds. What was found is as it was asked for afterwards, and the same
/// again finds nothing to do.
fn correct(sql: &Native, treatment: Treatment, version: Option<u8>) {
    let mut find = DisplayFilter { unanswered: true, ..DisplayFilter::all() };
    match version {
        Some(version) => {
            find.filters = [(Dimension::Version, vec![version.to_string()])].into();
        }
        None => find.text = Some("BECAUSE".to_owned()),
    }
    let reason = (treatment == Treatment::Exclude).then(|| "spam".to_owned());
    let mut correction = Correction { treatment, reason, find, dry_run: true };
    let before = rows(sql);
    let planned = run(sql, &correction);
    assert_eq!(rows(sql), before, "a dry run changes nothing");
    correction.dry_run = false;
    assert_eq!(run(sql, &correction), planned);
    let after = rows(sql);
    let changed = before.iter().zip(&after).filter(|(before, after)| before != after);
    assert_eq!(u64::try_from(changed.count()).unwrap(), planned.1);
    assert_eq!(run(sql, &correction).1, 0, "it repeats nothing");
}

/// Runs a correction to its end. Returns how many displays matched, and how many were changed.
fn run(sql: &Native, correction: &Correction) -> (u64, u64) {
    let (mut matched, mut changed) = (0, 0);
    each_slice(2, |slice| {
        let done = corrections::step(correction, sql, slice, &plain)?;
        matched += done.matched;
        changed += done.changed;
        Ok(done.next)
    })
    .unwrap();
    (matched, changed)
}

/// What retention took from the log and left to the counters.
#[derive(Debug, Clone)]
pub enum Settled {
    /// All of a display.
    Dropped(Facts),
    /// The traits of a display, and who it was.
    Forgotten(Facts),
}

/// Counters as they are compared: each count by its row, slot and value.
type Counts = BTreeMap<(CounterKey, u8, u64), u64>;

fn put_in(counts: &mut Counts, facts: &Facts, wanted: impl Fn(&CounterKey) -> bool) {
    let mut counters = Counters::default();
    let fresh = |_: &CounterKey| Ok::<_, Failure>(Packed::default());
    counters.change(facts, CounterChange::PutIn(1), fresh).unwrap();
    for (key, packed) in counters.into_rows().filter(|(key, _)| wanted(key)) {
        Packed::each(&packed.encode().unwrap(), |slot, value, count| {
            *counts.entry((key.clone(), slot, value)).or_default() += count;
        })
        .unwrap();
    }
}

/// Checks that the counters equal a recount of the covered displays plus what was settled.
pub fn check_counters(sql: &Native, settled: &[Settled]) {
    let watermark = Watermark::read(sql).unwrap();
    let mut expected = Counts::new();
    for display in rows(sql).iter().filter(|display| watermark.covers(display)) {
        if let Some(facts) = display.facts() {
            put_in(&mut expected, &facts, |_| true);
        }
    }
    for settled in settled {
        match settled {
            Settled::Dropped(facts) => put_in(&mut expected, facts, |_| true),
            Settled::Forgotten(facts) => {
                put_in(&mut expected, facts, |key| key.dimension.starts_with("trait."));
            }
        }
    }
    let mut found = Counts::new();
    let columns = "SELECT question, dimension, day, value, packed FROM counter";
    sql.query(columns, &[], &mut |mut row| {
        let key = CounterKey {
            question: row.text()?,
            dimension: row.text()?,
            day: row.integer()?,
            value: row.text()?,
        };
        Ok(Packed::each(&row.blob()?, |slot, value, count| {
            found.insert((key.clone(), slot, value), count);
        })?)
    })
    .unwrap();
    let wrong: Vec<_> = found
        .keys()
        .chain(expected.keys())
        .filter(|key| found.get(*key) != expected.get(*key))
        .map(|key| format!("{key:?}: {:?}, expected {:?}", found.get(key), expected.get(key)))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let displays = u64::try_from(rows(sql).len()).unwrap();
    assert_eq!(rollup::displays(sql).unwrap(), displays, "the number of displays is known");
}

/// One shard with what retention settled in it.
struct Shard {
    sql: Native,
    /// Where it moves, with what it left there.
    elsewhere: Native,
    settled: Vec<Settled>,
    copy: Copy,
    /// Which display ever had a key.
    keys: HashMap<u64, DisplayId>,
}

impl Shard {
    fn happen(&mut self, event: &Event, now_ms: u64) {
        let sql = &self.sql;
        match event {
            Event::Send(sent) => {
                tell(sql, sent.arrival(now_ms), sent.is_imported, now_ms);
            }
            Event::Wait { .. } => {}
            Event::FoldStep => {
                rollup::fold_before(sql, now_ms.saturating_sub(BUCKET_MS)).unwrap();
            }
            Event::FoldAll => fold_all(sql, now_ms + 1),
            Event::Exclude { number, excluded } => {
                let outcome = find_number(sql, *number)
                    .map(|id| retention::exclude(sql, id, excluded.then_some("a reason")));
                assert!(!matches!(outcome, Some(Err(Failure::Broken(_)))), "{outcome:?}");
            }
            Event::Erase { respondent } => {
                each_slice(2, |slice| {
                    retention::erase(sql, &format!("u{respondent}"), slice).map(|(_, next)| next)
                })
                .unwrap();
            }
            Event::Delete { number } => {
                let outcome = find_number(sql, *number).map(|id| retention::delete(sql, id));
                assert!(!matches!(outcome, Some(Err(Failure::Broken(_)))), "{outcome:?}");
            }
            Event::Correct { treatment, version } => correct(sql, *treatment, *version),
            Event::Poll { limit } => drop(self.copy.poll(sql, *limit)),
            Event::Wake => {
                sql.latest_change().set(None);
                display_keys::forget_spare(sql);
            }
            Event::Move => {
                migrate_all(sql, &self.elsewhere);
                std::mem::swap(&mut self.sql, &mut self.elsewhere);
            }
            Event::KeepHouse => self.keep_house(now_ms),
        }
        check_counters(&self.sql, &self.settled);
        self.check_keys();
    }

    /// No key is ever that of two displays, and each display with anything to seal has one.
    fn check_keys(&mut self) {
        for display in rows(&self.sql) {
            assert!(display.key.is_some() || !display.has_sealed());
            if let Some(key) = display.key {
                assert_eq!(*self.keys.entry(key.number).or_insert(display.id), display.id);
            }
        }
    }

    fn keep_house(&mut self, now_ms: u64) {
        let sql = &self.sql;
        let before = rows(sql);
        let until_ms = retention::unanswered_until_ms(now_ms);
        fold_all(sql, until_ms);
        let mut after = None;
        while {
            after = retention::drop_unanswered(sql, until_ms, after).unwrap();
            after.is_some()
        } {}
        let left = rows(sql);
        let gone = before.iter().filter(|display| !left.iter().any(|left| left.id == display.id));
        self.settled.extend(gone.filter_map(Stored::facts).map(Settled::Dropped));

        let until_ms = retention::people_until_ms(now_ms, RETENTION_DAYS);
        fold_all(sql, until_ms);
        let known =
            left.iter().filter(|display| display.personal.is_some() && display.shown_ms < until_ms);
        self.settled.extend(known.filter_map(Stored::facts).map(Settled::Forgotten));
        let mut after = None;
        while {
            after = retention::forget_people(sql, until_ms, after).unwrap();
            after.is_some()
        } {}
        for display in rows(sql) {
            assert!(display.shown_ms >= until_ms || display.personal.is_none());
        }
    }
}

/// The display that a history calls by a number, if there is one.
fn find_number(sql: &Native, number: u8) -> Option<DisplayId> {
    let mut ids = rows(sql).into_iter().map(|display| display.id);
    ids.find(|id| id.as_bytes()[15] == number)
}

/// What counters and tails should tell together.
fn expected_count(shards: &[Shard], request: &Request) -> Counted {
    let mut counted = request.nothing();
    for shard in shards {
        for facts in rows(&shard.sql).iter().filter_map(Stored::facts) {
            counted.add(request, &facts, 1);
        }
        for settled in &shard.settled {
            match settled {
                Settled::Dropped(facts) => counted.add(request, facts, 1),
                Settled::Forgotten(facts) => {
                    // Only the rows of traits still know it.
                    if let Some(by @ Dimension::Trait(_)) = &request.by {
                        let mut theirs = request.nothing();
                        let value = facts.dimension(by).into_owned();
                        theirs.add_alike(request, facts, &value, 1);
                        theirs.points = request.nothing().points;
                        counted.merge(&theirs);
                    }
                }
            }
        }
    }
    counted
}

/// What a scan should tell.
fn expected_scan(shards: &[Shard], query: &ScanQuery) -> Counted {
    let request = &query.request;
    let mut counted = request.nothing();
    let mut latest = LatestOfEach::new();
    for facts in shards.iter().flat_map(|shard| rows(&shard.sql)).filter_map(|row| row.facts()) {
        let is_wanted = query
            .filters
            .iter()
            .all(|(dimension, wanted)| wanted.contains(&facts.dimension(dimension).into_owned()));
        if !is_wanted || request.point(facts.shown_ms).is_none() {
            continue;
        }
        let answer = facts.answers.get(&request.question).cloned();
        match (query.per_respondent, facts.respondent, answer) {
            (false, _, _) => counted.add(request, &facts, 1),
            (true, Some(digest), Some(answer)) => {
                let by = request.by.as_ref().map(|by| facts.dimension(by).into_owned());
                let (shown_ms, stage) = (facts.shown_ms, facts.stage);
                let by = by.unwrap_or_default();
                let dismissed = facts.dismissed;
                let one = asklet_shared::tally::Latest { shown_ms, stage, dismissed, answer, by };
                keep_latest(&mut latest, digest, one);
            }
            _ => {}
        }
    }
    counted.add_latest(request, &latest);
    counted
}

/// Runs some work on every slice of so many rows, one after the other.
fn each_slice(
    rows: u32,
    mut work: impl FnMut(Slice) -> Result<Option<Cursor>, Failure>,
) -> Result<(), Failure> {
    let mut slice = Slice::first(rows);
    while let Some(next) = work(slice)? {
        slice.after = Some(next);
    }
    Ok(())
}

fn found_scan(shards: &[Shard], query: &ScanQuery, rows: u32) -> Counted {
    let mut counted = query.request.nothing();
    let mut latest = LatestOfEach::new();
    for shard in shards {
        each_slice(rows, |slice| {
            let scanned = scan::scan(&shard.sql, query, slice)?;
            counted.merge(&scanned.counted);
            for (digest, one) in scanned.latest {
                keep_latest(&mut latest, digest, one);
            }
            Ok(scanned.next)
        })
        .unwrap();
    }
    counted.add_latest(&query.request, &latest);
    counted
}

fn found_count(shards: &[Shard], request: &Request) -> Counted {
    let mut counted = request.nothing();
    for shard in shards {
        counted.merge(&rollup::count(&shard.sql, request).unwrap());
    }
    counted
}

fn local(zone: Tz, ms: u64) -> chrono::NaiveDate {
    let time: DateTime<Utc> = DateTime::from_timestamp_millis(i64::try_from(ms).unwrap()).unwrap();
    time.with_timezone(&zone).date_naive()
}

/// The first day of the interval that holds a day.
fn first_day(interval: Interval, day: chrono::NaiveDate) -> chrono::NaiveDate {
    match interval {
        Interval::Week => day.week(chrono::Weekday::Sun).first_day(),
        Interval::Month => day.with_day(1).unwrap(),
        Interval::Quarter => day.with_day(1).unwrap().with_month(day.month0() / 3 * 3 + 1).unwrap(),
        _ => day,
    }
}

/// The edges of a trend around the time of the histories, in a zone.
fn trend(zone: Tz, interval: Interval, from_ms: u64, to_ms: u64) -> Vec<u64> {
    let offset = |utc_ms: u64| {
        let time = Utc.timestamp_millis_opt(i64::try_from(utc_ms).unwrap()).unwrap();
        Some(i64::from(time.with_timezone(&zone).offset().fix().local_minus_utc()) * 1000)
    };
    period::edges(from_ms, to_ms, (interval, WeekStart::Sunday), &offset).unwrap()
}

fn dimension() -> impl Strategy<Value = Option<Dimension>> {
    let dimensions = [
        None,
        Some(Dimension::Version),
        Some(Dimension::Device),
        Some(Dimension::Language),
        Some(Dimension::Country),
        Some(Dimension::Trait("plan".to_owned())),
    ];
    prop::sample::select(dimensions.to_vec())
}

proptest! {
    #[test]
    fn counters_equal_a_recount_and_summaries_what_rows_tell(
        history in events(),
        from in 0..90 * 96_u64,
        length in 1..120 * 96_u64,
        zone in prop::sample::select(ZONES.to_vec()),
        interval in prop::sample::select(vec![Interval::Day, Interval::Week, Interval::Month, Interval::Quarter]),
        question in prop::sample::select(vec!["score", "how", "why"]),
        by in dimension(),
        filter in dimension(),
        slice_rows in 1..5_u32,
    ) {
        let mut shards: Vec<_> =
            (0..SHARDS).map(|_| Shard { sql: store(), elsewhere: store(), settled: Vec::new(), copy: Copy::default(), keys: HashMap::new() }).collect();
        let mut now_ms = START_MS;
        for event in history {
            match &event {
                Event::Wait { ms } => now_ms += ms,
                // A display stays on the shard on which it started.
                Event::Send(Sent { number, .. })
                | Event::Exclude { number, .. }
                | Event::Delete { number } => {
                    shards[usize::from(number % SHARDS)].happen(&event, now_ms);
                }
                _ => shards.iter_mut().for_each(|shard| shard.happen(&event, now_ms)),
            }
        }

        for shard in &mut shards {
            shard.copy.check(&shard.sql);
        }

        let from_ms = (START_MS / BUCKET_MS - 45 * 96 + from) * BUCKET_MS;
        let to_ms = from_ms + length * BUCKET_MS;
        let edges = trend(zone, interval, from_ms, to_ms);
        let request = Request { question: question.to_owned(), edges, by: by.clone() };
        prop_assert_eq!(found_count(&shards, &request), expected_count(&shards, &request));

        // Each display is counted in the point in which its day lies in the zone.
        for facts in shards.iter().flat_map(|shard| rows(&shard.sql)).filter_map(|row| row.facts()) {
            if let Some(point) = request.point(facts.shown_ms) {
                let bucket_ms = facts.shown_ms - facts.shown_ms % BUCKET_MS;
                let day = first_day(interval, local(zone, bucket_ms));
                prop_assert_eq!(first_day(interval, local(zone, request.edges[point])), day);
            }
        }

        for edges in [request.edges.clone(), vec![from_ms, to_ms]] {
            let values = ["1", "phone", "de", "pro", ""].map(str::to_owned);
            let filters = filter.iter().map(|filter| (filter.clone(), values.to_vec()));
            for per_respondent in [false, true] {
                let query = ScanQuery {
                    request: Request { edges: edges.clone(), ..request.clone() },
                    filters: filters.clone().collect(),
                    per_respondent,
                };
                let found = found_scan(&shards, &query, slice_rows);
                prop_assert_eq!(found, expected_scan(&shards, &query));
            }
        }
    }
}
