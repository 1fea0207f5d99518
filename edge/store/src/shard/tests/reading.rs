//! Reading: pages of responses, and following changes, while displays are told and change.

use std::collections::BTreeMap;

use asklet_protocol::find::{DisplayFilter, Order, PageStart};
use asklet_protocol::responses::{RemovalReason, Response, ResponseChange};
use asklet_protocol::scan::ScanQuery;
use asklet_shared::dimension::Dimension;
use asklet_shared::tally::Request;
use asklet_shared::time::{DAY_MS, END_OF_TIME_MS};

use crate::shard::find::{DisplayReader, ReadLimits};
use crate::shard::record::{Recorded, shown_ms};
use crate::shard::slice::Slice;
use crate::shard::tests::*;
use crate::shard::{changes, responses, retention, scan};

/// Without the platform: enough for what the tests write.
pub fn plain(text: &str) -> String {
    text.replace(['é', 'É'], "e").to_uppercase()
}

/// Everything that is looked for, read so many rows and so many responses at a time.
pub fn all(
    sql: &impl Sql,
    wanted: &DisplayFilter,
    order: Order,
    rows: u32,
    limit: usize,
) -> Vec<Response> {
    let mut from = PageStart::start(order);
    let mut all = Vec::new();
    // Each page begins anew where the one before ended.
    loop {
        let mut reading = DisplayReader::new(wanted.clone(), from);
        let mut page = Vec::new();
        while !reading.is_over() && page.len() < limit {
            let step = ReadLimits { rows, read: limit.div_ceil(2), limit: limit - page.len() };
            page.extend(reading.step(sql, step, &plain).unwrap());
        }
        assert!(page.len() <= limit);
        all.extend(page.into_iter().map(responses::response));
        match reading.next() {
            None => return all,
            next => from = PageStart { after: next, ..from },
        }
    }
}

/// A program that keeps a copy by following changes.
#[derive(Default)]
pub struct Copy {
    after: u64,
    pub responses: BTreeMap<DisplayId, Response>,
}

impl Copy {
    /// Asks once for at most so many changes. Returns how many there were.
    pub fn poll(&mut self, sql: &impl Sql, limit: usize) -> usize {
        let changed = changes::after(sql, self.after, limit).unwrap();
        let count = changed.len();
        for display in changed {
            assert!(display.seq > self.after, "numbers grow");
            self.after = display.seq;
            match responses::change(display) {
                ResponseChange::Removed(gone) => drop(self.responses.remove(&gone.id)),
                ResponseChange::Response(response) => {
                    drop(self.responses.insert(response.id, *response))
                }
            }
        }
        count
    }

    /// Checks that the copy is what a full listing tells.
    pub fn check(&mut self, sql: &impl Sql) {
        while self.poll(sql, 3) > 0 {}
        let mut copied: Vec<_> = self.responses.values().rev().cloned().collect();
        assert_eq!(all(sql, &DisplayFilter::all(), Order::NewestFirst, 3, 2), copied);
        copied.sort_by_key(|response| (response.received_ms, response.id));
        assert_eq!(all(sql, &DisplayFilter::all(), Order::Reception, 2, 3), copied);
    }
}

fn ids(found: &[Response]) -> Vec<u8> {
    found.iter().map(|response| response.id.as_bytes()[15]).collect()
}

#[test]
fn pages_neither_skip_nor_repeat_while_displays_are_told_and_change() {
    let sql = store();
    for number in (0..20).step_by(2) {
        record(&sql, arrival(number, 1, Stage::Started, Some(5)), START_MS).unwrap();
        record(&sql, arrival(number + 1, 1, Stage::Seen, None), START_MS).unwrap();
    }
    let mut from = PageStart::start(Order::NewestFirst);
    let mut read = Vec::new();
    for round in 0.. {
        let mut reading = DisplayReader::new(DisplayFilter::all(), from);
        for _ in 0..2 {
            let found =
                reading.step(&sql, ReadLimits { rows: 3, read: 3, limit: 2 }, &plain).unwrap();
            read.extend(found.iter().map(|display| display.id.as_bytes()[15]));
        }
        if reading.is_over() {
            break;
        }
        from.after = reading.next();
        record(&sql, arrival(100 + round, 1, Stage::Started, Some(1)), START_MS).unwrap();
        record(&sql, arrival(4, 2 + u32::from(round), Stage::Completed, Some(9)), START_MS)
            .unwrap();
    }
    assert_eq!(read, [18, 16, 14, 12, 10, 8, 6, 4, 2, 0]);
}

#[test]
fn the_order_of_reception_holds_however_late_displays_are_and_whatever_their_clocks_say() {
    let sql = store();
    let minutes = |number: u64| number * 60_000;
    // Steps that share no factor with each other make every kind meet every other.
    let mut now_ms = START_MS;
    for number in 0..600_u64 {
        now_ms +=
            [0, 0, 0, 20, 900, minutes(9), minutes(700)][usize::try_from(number % 7).unwrap()];
        let mut random = [0; 10];
        random[2..].copy_from_slice(&number.to_be_bytes());
        let age_ms = minutes([0, 0, 1, 10, 20, 21, 3_000, 0][usize::try_from(number % 8).unwrap()]);
        let shown_ms = shown_ms(age_ms, now_ms);
        let drift_ms = minutes(number % 25) + number % 3;
        let one = Arrival {
            id: DisplayId::new(shown_ms + drift_ms - minutes(12), random),
            shown_ms,
            ..arrival(0, 1, Stage::Completed, Some(9))
        };
        record(&sql, one, now_ms).unwrap();
    }
    let order = |response: &Response| (response.received_ms, response.id);
    for (from_ms, to_ms) in
        [(0, u64::MAX >> 12), (START_MS + minutes(6_000), now_ms / 2 + START_MS / 2)]
    {
        let period = DisplayFilter { from_ms, to_ms, ..DisplayFilter::all() };
        let mut expected = all(&sql, &period, Order::NewestFirst, 1_000, 1_000);
        assert!(expected.len() > 200, "{}", expected.len());
        expected.sort_by_key(order);
        for (rows, limit) in [(1, 1), (3, 10), (7, 2), (50, 60), (1_000, 1_000)] {
            let found = all(&sql, &period, Order::Reception, rows, limit);
            assert!(found.iter().map(order).eq(expected.iter().map(order)), "{rows} {limit}");
        }
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table: a line for each filter")]
fn each_filter_keeps_what_it_says() {
    let sql = store();
    let tell = |number: u8, score: u8, comment: &str, country: &str| {
        let mut one = arrival(number, 1, Stage::Completed, Some(score));
        one.context.country = country.to_owned();
        if !comment.is_empty() {
            one.answers.set("why", Answer::Text(comment.to_owned()));
        }
        one.respondent = number.is_multiple_of(2).then(|| "u1".to_owned());
        one.traits =
            [("plan".to_owned(), if number > 2 { "pro" } else { "free" }.to_owned())].into();
        record(&sql, one, START_MS).unwrap();
    };
    tell(1, 9, "Très rapide, ÉNORME", "FR");
    tell(2, 3, "", "DE");
    tell(3, 7, "slow", "DE");
    tell(4, 10, "", "AT");
    let mut chosen = arrival(5, 1, Stage::Completed, None);
    chosen.answers.set("how", choice(&["a"], Some("Énorme, too")));
    record(&sql, chosen, START_MS).unwrap();
    record(&sql, arrival(6, 1, Stage::Seen, None), START_MS).unwrap();
    let kept = |wanted: DisplayFilter| ids(&all(&sql, &wanted, Order::Reception, 2, 10));
    let scores = |scores: &[u8]| Some(("score".to_owned(), scores.to_vec()));
    let by = |dimension, values: &[&str]| {
        [(dimension, values.iter().map(|value| (*value).to_owned()).collect())].into()
    };
    assert_eq!(kept(DisplayFilter::all()), [1, 2, 3, 4, 5]);
    assert_eq!(
        kept(DisplayFilter { unanswered: true, ..DisplayFilter::all() }),
        [1, 2, 3, 4, 5, 6]
    );
    assert_eq!(kept(DisplayFilter { scores: scores(&[9, 10]), ..DisplayFilter::all() }), [1, 4]);
    assert_eq!(
        kept(DisplayFilter { scores: scores(&[]), ..DisplayFilter::all() }),
        Vec::<u8>::new()
    );
    assert_eq!(
        kept(DisplayFilter { question: Some("how".to_owned()), ..DisplayFilter::all() }),
        [5]
    );
    assert_eq!(kept(DisplayFilter { has_comment: Some(true), ..DisplayFilter::all() }), [1, 3, 5]);
    assert_eq!(kept(DisplayFilter { has_comment: Some(false), ..DisplayFilter::all() }), [2, 4]);
    assert_eq!(kept(DisplayFilter { text: Some(plain("enorme")), ..DisplayFilter::all() }), [1, 5]);
    assert_eq!(
        kept(DisplayFilter { respondent: Some("u1".to_owned()), ..DisplayFilter::all() }),
        [2, 4]
    );
    let filters = by(Dimension::Country, &["DE", "AT"]);
    assert_eq!(kept(DisplayFilter { filters, ..DisplayFilter::all() }), [2, 3, 4]);
    let filters = by(Dimension::Trait("plan".to_owned()), &["pro"]);
    assert_eq!(kept(DisplayFilter { filters, ..DisplayFilter::all() }), [3, 4]);
    assert_eq!(
        kept(DisplayFilter { from_ms: START_MS + 1, ..DisplayFilter::all() }),
        Vec::<u8>::new()
    );
    assert_eq!(kept(DisplayFilter { to_ms: START_MS, ..DisplayFilter::all() }), Vec::<u8>::new());
    assert_eq!(
        kept(DisplayFilter { from_ms: START_MS, to_ms: START_MS + 1, ..DisplayFilter::all() })
            .len(),
        5
    );
    retention::exclude(&sql, id(2), Some("spam")).unwrap();
    let listed = all(&sql, &DisplayFilter::all(), Order::Reception, 100, 100);
    assert_eq!(listed[1].excluded.as_ref().unwrap().reason, "spam");
    retention::delete(&sql, id(2)).unwrap();
    assert_eq!(kept(DisplayFilter::all()), [1, 3, 4, 5]);
}

#[test]
fn a_period_finds_displays_whose_clocks_were_wrong() {
    let sql = store();
    for (number, clock_ms) in [(1, 5), (2, START_MS), (3, START_MS + 90 * DAY_MS)] {
        let mut one = arrival(number, 1, Stage::Started, Some(5));
        one.id = DisplayId::new(clock_ms, [number; 10]);
        record(&sql, one, START_MS).unwrap();
    }
    let period = DisplayFilter { from_ms: START_MS, to_ms: START_MS + 1, ..DisplayFilter::all() };
    assert_eq!(ids(&all(&sql, &period, Order::Reception, 1, 1)), [1, 2, 3]);
    assert_eq!(ids(&all(&sql, &period, Order::NewestFirst, 1, 1)), [3, 2, 1]);
}

#[test]
fn what_happens_to_a_response_is_told_to_whoever_follows() {
    let sql = store();
    let why = |after: u64| {
        let changed = changes::after(&sql, after, 10).unwrap();
        assert_eq!(changed.len(), 1, "{changed:?}");
        let seq = changed[0].seq;
        (seq, responses::change(changed[0].clone()))
    };
    for is_folded in [false, true] {
        let number = u8::from(is_folded);
        let start = changes::next(&sql).unwrap();
        let mut theirs = arrival(number, 1, Stage::Started, Some(9));
        theirs.respondent = Some("u1".to_owned());
        record(&sql, theirs.clone(), START_MS).unwrap();
        if is_folded {
            fold_all(&sql, START_MS + 1);
        }
        let (seq, ResponseChange::Response(new)) = why(start) else { panic!() };
        assert_eq!(new.respondent.as_deref(), Some("u1"));
        // Told again, nothing changes.
        record(&sql, theirs, START_MS).unwrap();
        assert_eq!(why(start).0, seq);
        retention::exclude(&sql, id(number), Some("spam")).unwrap();
        let (seq, ResponseChange::Response(excluded)) = why(seq) else { panic!() };
        assert!(excluded.excluded.is_some());
        retention::exclude(&sql, id(number), None).unwrap();
        let (seq, ResponseChange::Response(included)) = why(seq) else { panic!() };
        assert!(included.excluded.is_none());
        retention::erase(&sql, "u1", Slice::first(10)).unwrap();
        let (seq, ResponseChange::Removed(erased)) = why(seq) else { panic!() };
        assert_eq!(erased.gone, RemovalReason::Erased);
        assert_eq!(code(retention::delete(&sql, id(number))), Code::UnknownDisplay);
        assert!(changes::after(&sql, seq, 10).unwrap().is_empty());
    }
    record(&sql, arrival(7, 1, Stage::Started, Some(9)), START_MS).unwrap();
    retention::delete(&sql, id(7)).unwrap();
    let last = changes::after(&sql, 0, 10).unwrap().pop().unwrap();
    let ResponseChange::Removed(deleted) = responses::change(last) else { panic!() };
    assert_eq!((deleted.id, deleted.gone), (id(7), RemovalReason::Deleted));
    // Its later revisions do not bring it back.
    let again = record(&sql, arrival(7, 2, Stage::Completed, Some(9)), START_MS);
    assert_eq!(again.unwrap(), Recorded::Known);
}

#[test]
fn what_does_not_read_is_an_error_and_no_response_less() {
    let sql = store();
    for number in 0..3 {
        record(&sql, arrival(number, 1, Stage::Started, Some(5)), START_MS).unwrap();
    }
    let step = ReadLimits { rows: 10, read: 10, limit: 10 };
    let read = |order| {
        let mut reading = DisplayReader::new(DisplayFilter::all(), PageStart::start(order));
        reading.step(&sql, step, &plain).and_then(|_| reading.step(&sql, step, &plain))
    };
    for order in [Order::NewestFirst, Order::Reception] {
        assert_eq!(read(order).unwrap().len(), 3);
    }
    let key = id(1).as_bytes().to_vec();
    let spoil = |column: &str, value: &str, id: &[u8]| {
        let query = format!("UPDATE display SET {column} = {value} WHERE id = ?");
        sql.run(&query, &[id.to_vec().into()]).unwrap();
    };
    for (column, value, back) in [
        ("id", "substr(id, 1, 15)", "unhex(hex(id) || '01')"),
        ("facts", "replace(facts, 'in_page', 'fax')", "replace(facts, 'fax', 'in_page')"),
    ] {
        spoil(column, value, &key);
        for order in [Order::NewestFirst, Order::Reception] {
            assert!(matches!(read(order), Err(Failure::Broken(_))), "{column}");
        }
        let spoilt = if column == "id" { &key[..15] } else { &key };
        spoil(column, back, spoilt);
    }
}

#[test]
fn a_channel_that_is_not_known_fails_the_request_that_brings_it_or_asks_for_it() {
    let (from, to) = (store(), store());
    record(&from, arrival(1, 1, Stage::Started, Some(5)), START_MS).unwrap();
    from.run("UPDATE display SET facts = replace(facts, 'in_page', 'fax')", &[]).unwrap();
    let query = ScanQuery {
        request: Request::whole("score", 0, END_OF_TIME_MS),
        filters: BTreeMap::new(),
        per_respondent: false,
    };
    let scanned = scan::scan(&from, &query, Slice::first(10));
    assert!(matches!(scanned, Err(Failure::Broken(_))), "{scanned:?}");
    let mut next = Some(Head::of("a shard".to_owned(), false, 1));
    let mut refused = None;
    while let (Some(place), None) = (next.take(), &refused) {
        let page = migration::dump(&from, 1, place, None).unwrap();
        next = bundle::read(&page).unwrap().0.next.map(|it| Head::of_cursor(&it).unwrap());
        refused = migration::load(&to, &page).err();
    }
    assert_eq!(code::<()>(Err(refused.unwrap())), Code::BrokenBundle);
    assert!(rows(&to).is_empty(), "nothing of the page is kept");
}

#[test]
fn excluded_responses_are_found_by_themselves_or_left_out() {
    let sql = store();
    for number in 0..3 {
        record(&sql, arrival(number, 1, Stage::Started, Some(5)), START_MS).unwrap();
    }
    retention::exclude(&sql, id(1), Some("spam")).unwrap();
    let found = |excluded| {
        let find = DisplayFilter { excluded, ..DisplayFilter::all() };
        ids(&all(&sql, &find, Order::NewestFirst, 10, 10))
    };
    assert_eq!(found(None), [2, 1, 0]);
    assert_eq!(found(Some(true)), [1]);
    assert_eq!(found(Some(false)), [2, 0]);
}

#[test]
fn a_number_that_was_told_is_never_given_again() {
    let sql = store();
    record(&sql, arrival(1, 1, Stage::Started, Some(9)), START_MS).unwrap();
    for round in 2..6 {
        let told = changes::after(&sql, 0, 10).unwrap().pop().unwrap().seq;
        match round {
            2 => fold_all(&sql, START_MS + 1),
            3 => retention::exclude(&sql, id(1), Some("spam")).unwrap(),
            4 => retention::delete(&sql, id(1)).unwrap(),
            _ => {}
        }
        // The object sleeps and wakes.
        sql.latest_change().set(None);
        record(&sql, arrival(round, 1, Stage::Seen, None), START_MS).unwrap();
        assert!(rows(&sql).last().unwrap().seq > told);
    }
}

#[test]
fn a_store_of_an_earlier_schema_is_told_whole() {
    let sql = Native::default();
    migrate(&sql, &MIGRATIONS[..3]).unwrap();
    sql.run("UPDATE folded SET recount = 0, until_ms = ?", &[(START_MS + 2).into()]).unwrap();
    for number in 0..6_u8 {
        let clock_skewed = number == 5;
        let clock_ms = if clock_skewed { 7 } else { START_MS + u64::from(number) };
        sql.run(
            "INSERT INTO display VALUES (?, 1, ?, 0, ?, ?, ?, NULL, NULL, ?, '{}')",
            &[
                DisplayId::new(clock_ms, [number; 10]).as_bytes().to_vec().into(),
                if number == 3 { 1_u32 } else { 2 }.into(),
                (START_MS + u64::from(number)).into(),
                START_MS.into(),
                clock_skewed.into(),
                r#"{"version":1,"channel":"in_page","answers":{"score":5}}"#.into(),
            ],
        )
        .unwrap();
    }
    migrate(&sql, MIGRATIONS).unwrap();
    let mut copy = Copy::default();
    while copy.poll(&sql, 2) > 0 {}
    let copied: Vec<_> = copy.responses.keys().map(|id| id.as_bytes()[15]).collect();
    assert_eq!(copied, [5, 0, 1, 2, 4], "all but the one that nobody answered");
    fold_all(&sql, START_MS + 100);
    retention::exclude(&sql, DisplayId::new(7, [5; 10]), Some("spam")).unwrap();
    retention::exclude(&sql, DisplayId::new(START_MS, [0; 10]), Some("spam")).unwrap();
    assert_eq!(copy.poll(&sql, 10), 2);
}
