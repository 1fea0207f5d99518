//! A panic in the Worker itself, between any two statements of a write.

use asklet_shared::display_id::DisplayId;
use harness::{Machine, Site, Survey};
use serde_json::{Value, json};

/// What counters and displays tell of everything, each on its own way.
fn figures(survey: &Survey<'_>) -> (Value, Value) {
    let figures = |query: &str| {
        let summary = survey.summary_of(query);
        json!([summary["n"], summary["distribution"], summary["funnel"], summary["breakdown"]])
    };
    (figures("by=language"), figures("by=language&where=version:1"))
}

/// A display that was shown days ago, so that it enters the counters with the log.
fn display(number: u8, revision: u32, score: u8) -> Value {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap();
    let age_ms = 5 * 24 * 60 * 60 * 1000;
    let shown_ms = u64::try_from(now.as_millis()).unwrap() - age_ms;
    json!({
        "id": DisplayId::new(shown_ms, [number; 10]), "revision": revision, "version": 1,
        "stage": "completed", "language": "en", "age_ms": age_ms,
        "answers": { "score": score, "why": "because" }, "traits": { "plan": "pro" },
    })
}

#[test]
fn after_a_panic_between_any_two_statements_the_next_request_works_and_counts_are_whole() {
    let mut machine = Machine::start();
    machine.restart_with_faults();
    let site = machine.site();
    let mut definition = harness::nps_with_comment();
    definition["traits"] = json!(["plan"]);
    let survey = site.publish(&definition);
    // Enough to be folded, so that what comes late is deferred.
    for number in 0..=u8::MAX {
        survey.collect(&display(number, 1, 9)).expect(204);
    }
    let panics = |told: &Value| check(&machine, &site, &survey, told);
    let first = panics(&{
        let mut astray = display(0, 1, 3);
        astray["id"] = json!(DisplayId::new(5, [1; 10]));
        astray
    });
    let corrected = panics(&{
        let mut astray = display(0, 2, 10);
        astray["id"] = json!(DisplayId::new(5, [1; 10]));
        astray
    });
    println!("a panic before each of {first} statements of a display, {corrected} of a correction");
    assert!(first > 10 && corrected > 10, "{first}, {corrected}");
    assert_eq!(survey.summary()["n"], 257);
}

/// Sends a display again and again, each time with a panic one statement later, until it is stored.
fn check(machine: &Machine, site: &Site<'_>, survey: &Survey<'_>, told: &Value) -> u32 {
    let before = figures(survey);
    assert_eq!(before.0, before.1);
    // A panic after the write, on the way to the answer, leaves it whole.
    let mut whole = None;
    for statements in 0.. {
        let request = machine.request("POST", &survey.collect_path(0));
        let answer = request.header("x-asklet-panic-before", &statements.to_string()).json(told);
        if answer.status == 204 {
            // What was not used up must not wait for the next request.
            survey.collect(told).expect(204);
            let after = figures(survey);
            assert_eq!(after.0, after.1);
            assert_ne!(after, before);
            assert_eq!(*whole.get_or_insert(after.clone()), after);
            return statements;
        }
        answer.problem(500, "internal");
        let now = figures(survey);
        assert_eq!(now.0, now.1, "after {statements} statements");
        if now != before {
            assert_eq!(*whole.get_or_insert(now.clone()), now, "after {statements} statements");
        }
        site.request("GET", "").get().expect(200);
    }
    unreachable!()
}
