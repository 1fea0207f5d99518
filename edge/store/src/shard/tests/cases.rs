use asklet_protocol::retention::Since;
use asklet_shared::dimension::{OTHER, TRAIT_VALUES_LIMIT};
use asklet_shared::display::Channel;
use asklet_shared::problem::Problem;
use asklet_shared::tally::{Request, Tally};
use asklet_shared::time::{DAY_MS, END_OF_TIME_MS};

use crate::shard::log::find;
use crate::shard::record::Recorded;
use crate::shard::retention;
use crate::shard::slice::Slice;
use crate::shard::stored::ERASED;
use crate::shard::tests::*;

/// The whole of the log's time.
fn tally(sql: &Native) -> Tally {
    rollup::count(sql, &Request::whole("score", 0, END_OF_TIME_MS)).unwrap().total()
}

#[test]
fn a_score_and_its_comment_are_two_revisions_of_one_display() {
    let sql = store();
    let scored = arrival(1, 1, Stage::Started, Some(9));
    let mut commented = arrival(1, 2, Stage::Completed, Some(9));
    commented.answers.set("why", Answer::Text("fast".to_owned()));
    commented.answers.set("how", choice(&["speed"], Some("quieter")));
    assert_eq!(record(&sql, scored.clone(), START_MS).unwrap(), Recorded::New);
    assert_eq!(record(&sql, commented.clone(), START_MS + 4_000).unwrap(), Recorded::New);
    // Both arrive again, late: acknowledged, and nothing changes.
    assert_eq!(record(&sql, scored, START_MS + 9_000).unwrap(), Recorded::Known);
    assert_eq!(record(&sql, commented.clone(), START_MS + 9_000).unwrap(), Recorded::Known);
    let stored = find(&sql, id(1)).unwrap().unwrap();
    assert_eq!((stored.revision, stored.received_ms), (2, START_MS));
    assert_eq!(stored.answers, commented.answers);
    for question in ["score", "why", "how", "how/speed", "how/other"] {
        let request = Request::whole(question, 0, END_OF_TIME_MS);
        let total = rollup::count(&sql, &request).unwrap().total();
        assert_eq!(total.question(question).total(), 1, "{question}");
    }
}

#[test]
fn a_revision_that_is_repeated_is_known_whatever_became_of_its_token_meanwhile() {
    let sql = store();
    let identified = |revision| Arrival {
        respondent: Some("u1".to_owned()),
        verified: true,
        ..arrival(1, revision, Stage::Completed, Some(9))
    };
    let refused = |revision| Arrival {
        refused: Some(Problem::new(Code::IdentitySignature, "")),
        ..arrival(1, revision, Stage::Completed, Some(9))
    };
    let stored = || find(&sql, id(1)).unwrap().unwrap();
    assert_eq!(record(&sql, identified(1), START_MS).unwrap(), Recorded::New);
    assert_eq!(record(&sql, refused(1), START_MS).unwrap(), Recorded::Known);
    assert_eq!(stored().respondent.as_deref(), Some("u1"));
    assert_eq!(record(&sql, refused(2), START_MS).unwrap(), Recorded::New);
    assert_eq!(record(&sql, identified(2), START_MS).unwrap(), Recorded::Known);
    let stored = stored();
    assert_eq!(stored.respondent, None);
    assert_eq!(stored.personal.unwrap().identity_refused, Some(Code::IdentitySignature));
    assert_eq!(tally(&sql).question("score").count(9), 1);
}

#[test]
fn a_revision_that_cannot_follow_is_refused_and_changes_nothing() {
    let sql = store();
    record(&sql, arrival(1, 2, Stage::Started, Some(9)), START_MS).unwrap();
    let refused = |arrival| code(record(&sql, arrival, START_MS));
    assert_eq!(refused(arrival(1, 2, Stage::Started, Some(8))), Code::RevisionConflict);
    assert_eq!(refused(arrival(1, 3, Stage::Seen, None)), Code::StageLowered);
    let mut other_version = arrival(1, 3, Stage::Completed, Some(9));
    other_version.context.version = 2;
    assert_eq!(refused(other_version), Code::VersionChanged);
    assert_eq!(tally(&sql).question("score").count(9), 1);
}

#[test]
fn a_display_told_days_late_counts_for_the_time_when_it_was_shown() {
    let sql = store();
    fold_all(&sql, START_MS);
    let late = arrival(1, 1, Stage::Completed, Some(3));
    record(&sql, late.clone(), START_MS + 3 * DAY_MS).unwrap();
    let stored = find(&sql, late.id).unwrap().unwrap();
    assert_eq!((stored.shown_ms, stored.clock_skewed), (START_MS, false));
    // A clock that is off by an hour costs nothing.
    let mut clock_skewed = arrival(2, 1, Stage::Completed, Some(4));
    clock_skewed.id = DisplayId::new(START_MS - 60 * 60 * 1000, [2; 10]);
    record(&sql, clock_skewed.clone(), START_MS).unwrap();
    assert!(find(&sql, clock_skewed.id).unwrap().unwrap().clock_skewed);
    assert_eq!(tally(&sql).question("score").total(), 2);
}

#[test]
fn a_full_tail_is_folded_however_new_it_is() {
    let sql = store();
    let count = rollup::TAIL_LIMIT + 1;
    for number in 0..u64::try_from(count).unwrap() {
        let mut one = arrival(0, 1, Stage::Completed, Some(9));
        let mut random = [0; 10];
        random[2..].copy_from_slice(&number.to_be_bytes());
        one.id = DisplayId::new(START_MS + number, random);
        one.shown_ms = START_MS + number;
        record(&sql, one, START_MS + number).unwrap();
    }
    let now_ms = START_MS + u64::try_from(count).unwrap();
    assert_eq!(rollup::tail_length(&sql).unwrap(), count);
    while rollup::fold(&sql, now_ms).unwrap() {}
    assert!(rollup::tail_length(&sql).unwrap() <= rollup::TAIL_LIMIT);
    // One that is in the counters already is taken out and put in again.
    let mut corrected = arrival(0, 2, Stage::Completed, Some(1));
    corrected.id = DisplayId::new(START_MS, [0; 10]);
    record(&sql, corrected, now_ms).unwrap();
    let scores = tally(&sql).question("score");
    assert_eq!((scores.count(9), scores.count(1)), (u64::try_from(count).unwrap() - 1, 1));
}

#[test]
fn many_displays_are_stored_at_once_and_one_that_cannot_follow_is_left_out() {
    let sql = store();
    fold_all(&sql, START_MS + 1);
    let mut all = vec![arrival(1, 2, Stage::Started, Some(9)), arrival(1, 1, Stage::Seen, None)];
    all.extend([arrival(1, 2, Stage::Started, Some(8)), arrival(2, 1, Stage::Started, Some(3))]);
    let outcomes = record_all(&sql, all.clone(), START_MS).unwrap();
    let codes: Vec<_> = outcomes.into_iter().map(|outcome| outcome.map_err(|p| p.code)).collect();
    let new = Ok(Recorded::New);
    assert_eq!(codes, [new, Ok(Recorded::Known), Err(Code::RevisionConflict), new]);
    assert_eq!(tally(&sql).question("score").total(), 2);
    all.truncate(2);
    let again = record_all(&sql, all, START_MS).unwrap();
    assert!(again.iter().all(|outcome| *outcome == Ok(Recorded::Known)));
}

#[test]
fn a_trait_keeps_its_first_values_and_counts_the_others_together() {
    let sql = store();
    let number = |value: usize| u8::try_from(value).unwrap();
    for value in 0..TRAIT_VALUES_LIMIT + 3 {
        let mut one = arrival(number(value), 1, Stage::Started, Some(5));
        one.traits = [("plan".to_owned(), format!("plan {value}"))].into();
        record(&sql, one, START_MS).unwrap();
    }
    let plan = |value: usize| {
        let stored = find(&sql, id(number(value))).unwrap().unwrap();
        stored.personal.unwrap().traits["plan"].clone()
    };
    assert_eq!(plan(TRAIT_VALUES_LIMIT - 1), format!("plan {}", TRAIT_VALUES_LIMIT - 1));
    assert_eq!(plan(TRAIT_VALUES_LIMIT), OTHER);
}

#[test]
fn made_up_values_of_a_trait_take_no_room_from_those_that_the_site_vouches_for() {
    let sql = store();
    let with_plan = |number: u8, value: String, verified| {
        let mut one = arrival(number, 1, Stage::Started, Some(5));
        one.traits = [("plan".to_owned(), value)].into();
        one.verified = verified;
        one
    };
    let plan =
        |number| find(&sql, id(number)).unwrap().unwrap().personal.unwrap().traits["plan"].clone();
    for number in 0..u8::try_from(TRAIT_VALUES_LIMIT).unwrap() {
        record(&sql, with_plan(number, format!("forged {number}"), false), START_MS).unwrap();
    }
    record(&sql, with_plan(200, "pro".to_owned(), false), START_MS).unwrap();
    record(&sql, with_plan(201, "pro".to_owned(), true), START_MS).unwrap();
    record(&sql, with_plan(202, "pro".to_owned(), false), START_MS).unwrap();
    assert_eq!([plan(200), plan(201), plan(202)], [OTHER, "pro", "pro"]);
    // Told again, the first one is what it was.
    let again = record(&sql, with_plan(200, "pro".to_owned(), false), START_MS);
    assert_eq!(again.unwrap(), Recorded::Known);
}

#[test]
fn a_refused_revision_takes_no_room_for_its_traits() {
    let sql = store();
    let mut one = arrival(1, 1, Stage::Started, Some(5));
    record(&sql, one.clone(), START_MS).unwrap();
    one.traits = [("plan".to_owned(), "forged".to_owned())].into();
    let outcomes = record_all(&sql, vec![one], START_MS).unwrap();
    assert_eq!(outcomes[0].as_ref().unwrap_err().code, Code::RevisionConflict);
    assert!(sql.first("SELECT 1 FROM trait_value", &[]).unwrap().is_none());
}

#[test]
fn what_was_erased_or_imported_late_is_not_dropped_so_that_telling_it_again_changes_nothing() {
    let sql = store();
    let mut erased = arrival(1, 1, Stage::Completed, Some(9));
    erased.respondent = Some("u1".to_owned());
    let mut imported = arrival(2, 1, Stage::Seen, None);
    imported.id = DisplayId::new(START_MS - 90 * DAY_MS, [2; 10]);
    imported.shown_ms = START_MS - 90 * DAY_MS;
    let both = vec![erased, imported, arrival(3, 1, Stage::Seen, None)];
    record_all(&sql, both.clone(), START_MS).unwrap();
    retention::erase(&sql, "u1", Slice::first(100)).unwrap();
    let until_ms = retention::unanswered_until_ms(START_MS + 40 * DAY_MS);
    fold_all(&sql, until_ms);
    let before = tally(&sql);
    retention::drop_unanswered(&sql, until_ms, None).unwrap();
    assert_eq!(rows(&sql).len(), 2, "only what a page told goes");
    let again = record_all(&sql, both[..2].to_vec(), START_MS + 41 * DAY_MS).unwrap();
    assert_eq!(again, [Ok(Recorded::Known), Ok(Recorded::Known)]);
    assert_eq!(tally(&sql), before);
}

#[test]
fn astray_displays_are_worked_off_in_slices_too() {
    let sql = store();
    for number in 0..10 {
        let mut one = arrival(number, 1, Stage::Started, Some(5));
        one.respondent = Some("u1".to_owned());
        if number < 7 {
            one.id = DisplayId::new(START_MS - DAY_MS, [number; 10]);
        }
        record(&sql, one, START_MS).unwrap();
    }
    let (mut slices, mut after) = (Vec::new(), None);
    loop {
        let (erased, next) = retention::erase(&sql, "u1", Slice { after, rows: 3 }).unwrap();
        slices.push(erased);
        after = next;
        if after.is_none() {
            break;
        }
    }
    assert!(slices.iter().all(|erased| *erased <= 4), "{slices:?}");
    assert_eq!(slices.iter().sum::<u64>(), 10);
}

#[test]
fn what_is_excluded_does_not_count_until_it_is_included_again() {
    let sql = store();
    record(&sql, arrival(1, 1, Stage::Started, Some(9)), START_MS).unwrap();
    retention::exclude(&sql, id(1), Some("a test of ours")).unwrap();
    assert_eq!(tally(&sql), Tally::default());
    // The visitor goes on; it still does not count.
    record(&sql, arrival(1, 2, Stage::Completed, Some(8)), START_MS).unwrap();
    fold_all(&sql, START_MS + 1);
    assert_eq!(tally(&sql), Tally::default());
    retention::exclude(&sql, id(1), None).unwrap();
    assert_eq!(tally(&sql).question("score").count(8), 1);
    assert_eq!(code(retention::exclude(&sql, id(2), None)), Code::UnknownDisplay);
}

#[test]
fn of_an_erased_respondent_only_ids_are_left_so_that_a_repeated_request_changes_nothing() {
    let sql = store();
    let mut theirs = arrival(1, 1, Stage::Completed, Some(9));
    theirs.respondent = Some("u1".to_owned());
    theirs.answers.set("why", Answer::Text("it is me".to_owned()));
    record(&sql, theirs.clone(), START_MS).unwrap();
    record(&sql, arrival(2, 1, Stage::Completed, Some(2)), START_MS).unwrap();
    fold_all(&sql, START_MS + 1);
    assert_eq!(retention::erase(&sql, "u1", Slice::first(100)).unwrap(), (1, None));
    assert_eq!(tally(&sql).question("score").total(), 1);
    let left = find(&sql, id(1)).unwrap().unwrap();
    assert_eq!(left.excluded.as_deref(), Some(ERASED));
    assert!(left.answers.0.is_empty() && left.respondent.is_none());
    theirs.revision = 2;
    assert_eq!(record(&sql, theirs, START_MS).unwrap(), Recorded::Known);
    assert_eq!(tally(&sql).question("score").total(), 1);
    assert_eq!(code(retention::exclude(&sql, id(1), None)), Code::UnknownDisplay);
}

#[test]
fn retention_forgets_people_and_keeps_history() {
    let sql = store();
    let mut theirs = arrival(1, 1, Stage::Completed, Some(9));
    theirs.respondent = Some("u1".to_owned());
    theirs.traits = [("plan".to_owned(), "pro".to_owned())].into();
    theirs.answers.set("why", Answer::Text("it is me".to_owned()));
    record(&sql, theirs, START_MS).unwrap();
    record(&sql, arrival(2, 1, Stage::Seen, None), START_MS).unwrap();
    let now_ms = START_MS + 40 * DAY_MS;
    let until_ms = retention::people_until_ms(now_ms, 31);
    let not_folded = retention::forget_people(&sql, until_ms, None);
    assert!(matches!(not_folded, Err(Failure::Broken(_))), "{not_folded:?}");
    let before = tally(&sql);
    fold_all(&sql, until_ms);
    assert_eq!(retention::forget_people(&sql, until_ms, None).unwrap(), None);
    assert_eq!(retention::drop_unanswered(&sql, until_ms, None).unwrap(), None);
    assert_eq!(tally(&sql), before);
    let left = rows(&sql);
    assert_eq!(left.len(), 1, "the unanswered one is gone");
    assert_eq!((&left[0].respondent, &left[0].personal), (&None, &None));
    assert_eq!(left[0].answers.get("why"), Some(&Answer::Text(String::new())));
    let mut by_plan = Request::whole("score", 0, END_OF_TIME_MS);
    by_plan.by = Some(asklet_shared::dimension::Dimension::Trait("plan".to_owned()));
    let counted = rollup::count(&sql, &by_plan).unwrap();
    assert_eq!(counted.rows["pro"].question("score").count(9), 1);
    assert_eq!(counted.respondents.count(), (0, false));
    let since = retention::removed(&sql).unwrap();
    assert_eq!((since.forgotten_ms, since.dropped_ms), (until_ms, until_ms));
}

#[test]
fn readers_are_told_of_retention_only_where_it_removed_something() {
    let sql = store();
    // Answered, by somebody who is not known.
    record(&sql, arrival(1, 1, Stage::Completed, Some(9)), START_MS).unwrap();
    let until_ms = retention::people_until_ms(START_MS + 40 * DAY_MS, 31);
    let settle = || {
        // What arrives behind the watermark is folded first.
        fold_all(&sql, until_ms);
        assert_eq!(retention::forget_people(&sql, until_ms, None).unwrap(), None);
        assert_eq!(retention::drop_unanswered(&sql, until_ms, None).unwrap(), None);
        retention::removed(&sql).unwrap()
    };
    assert_eq!(settle(), Since::default());
    record(&sql, arrival(2, 1, Stage::Seen, None), START_MS).unwrap();
    assert_eq!(settle(), Since { dropped_ms: until_ms, forgotten_ms: 0 });
    let mut theirs = arrival(3, 1, Stage::Completed, Some(9));
    theirs.respondent = Some("u1".to_owned());
    record(&sql, theirs, START_MS).unwrap();
    assert_eq!(settle(), Since { dropped_ms: until_ms, forgotten_ms: until_ms });
}

#[test]
fn a_store_of_the_first_schema_moves_on_and_is_counted_anew() {
    let sql = Native::default();
    migrate(&sql, &MIGRATIONS[..1]).unwrap();
    let id_of = |number: u8, ms: u64| DisplayId::new(ms, [number; 10]);
    let displays = [
        (id_of(1, START_MS), r#"{"score":9,"why":"fast"}"#, START_MS, 0),
        (id_of(2, START_MS), "{}", START_MS + 1, 0),
        (id_of(3, 5), r#"{"score":2}"#, START_MS + 2, 1),
    ];
    for (id, answers, shown_ms, clock_skewed) in displays {
        sql.run(
            "INSERT INTO display VALUES (?, 3, 1, 2, 0, 'in_page', 'de', '', ?, ?, ?, ?)",
            &[
                id.as_bytes().to_vec().into(),
                answers.into(),
                shown_ms.into(),
                shown_ms.into(),
                u32::from(clock_skewed == 1).into(),
            ],
        )
        .unwrap();
    }
    // What the counters of before say does not matter.
    sql.run("INSERT INTO counter VALUES (20000, 'score', '', '', x'00')", &[]).unwrap();
    sql.run("UPDATE folded SET until_ms = ?", &[START_MS.into()]).unwrap();
    migrate(&sql, MIGRATIONS).unwrap();
    storage::seal_earlier(&sql).unwrap();
    rollup::recount_if_needed(&sql).unwrap();
    let check = || {
        let total = tally(&sql);
        let scores = total.question("score");
        assert_eq!((scores.total(), scores.count(9), scores.count(2)), (2, 1, 1));
        assert_eq!(total.question("").total(), 3);
    };
    check();
    fold_all(&sql, START_MS + 10);
    check();
    let first = find(&sql, displays[0].0).unwrap().unwrap();
    assert_eq!(first.answers.get("why"), Some(&Answer::Text("fast".to_owned())));
    assert_eq!((first.context.channel, first.context.language.as_str()), (Channel::InPage, "de"));
}
