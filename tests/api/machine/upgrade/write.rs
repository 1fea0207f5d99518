//! How a fixture is written, once for each schema, before a release that changes it:
//!
//! ```sh
//! cargo test --package asklet-tests --test api -- --ignored write_a_fixture
//! ```
//!
//! leaves `new.tar.gz` and `new.json`, to be named after the schema. Run it with a clock that is some
//! months slow (`faketime '90 days ago' …`), so that everything that time does to a folder has long
//! become due when the test opens it. That of schema 5 was written with a true clock, since libfaketime
//! 0.9.10 keeps workerd 1.20260426.1 from starting.

use std::fs;
use std::time::UNIX_EPOCH;

use asklet_shared::display_id::DisplayId;
use asklet_xtask::backup::backup;
use harness::{ADMIN_TOKEN, Machine, nps_with_comment};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{folder, summary};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// How many displays are collected before the first fold, and in all.
const BEFORE_FOLD: u64 = 20;
const DISPLAYS: u64 = 40;

#[test]
#[ignore = "writes a fixture instead of testing one"]
#[expect(clippy::too_many_lines, reason = "one story, told in order")]
fn write_a_fixture() {
    let (file, told_file) = (folder().join("new.tar.gz"), folder().join("new.json"));
    assert!(!file.exists() && !told_file.exists(), "name the last one first");
    let parent = TempDir::new().unwrap();
    let data = parent.path().join("data");
    let machine = Machine::open(&data, Some(ADMIN_TOKEN));
    let now_ms = u64::try_from(UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap();
    let mut told = {
        let site = machine.site();
        let mut definition = nps_with_comment();
        definition["questions"][1]["text"] = json!({ "en": "Why?", "de": "Warum?" });
        let survey = site.publish(&definition);
        definition["questions"][0]["text"] = json!("Would you recommend us?");
        survey.request("PUT", "").json(&definition).expect(200);
        assert_eq!(survey.publish(), 2);

        let send = |number, is_last| {
            survey.collect(&state(number, now_ms, is_last)).expect(204);
        };
        for number in 0..BEFORE_FOLD {
            send(number, !has_two_revisions(number));
        }
        // A summary folds what has settled.
        assert_eq!(survey.summary()["funnel"]["shown"], BEFORE_FOLD);
        // So these change what is folded, enter the counters at once, or stay in the tail.
        for number in 0..DISPLAYS {
            send(number, !has_two_revisions(number));
            send(number, true);
        }
        let stored = state(7, now_ms, true);
        let mut later = stored.clone();
        later["revision"] = json!(9);
        later["stage"] = json!("completed");
        later["answers"] = json!({ "score": 10, "why": "I thought again." });
        json!({
            "site": site.id, "survey": survey.id, "key": site.key,
            "stored": stored, "later": later,
        })
    };

    let today_ms = now_ms - now_ms % DAY_MS;
    let (tomorrow_ms, last_week_ms) = (today_ms + DAY_MS, today_ms - 7 * DAY_MS);
    for query in [
        format!("to={tomorrow_ms}"),
        format!("to={tomorrow_ms}&by=version"),
        format!("to={tomorrow_ms}&by=language"),
        format!("from={last_week_ms}&to={tomorrow_ms}&interval=day"),
        format!("from={last_week_ms}&to={today_ms}&interval=day&tz=Asia/Kathmandu&by=version"),
        format!("from={last_week_ms}&to={today_ms}&compare=previous"),
    ] {
        let mut said = summary(&machine, &told, &query);
        // How rows differ is a matter of statistics, which have tests of their own.
        for row in said["breakdown"].as_array_mut().into_iter().flatten() {
            row.as_object_mut().unwrap().remove("difference");
        }
        told["summaries"][&query] = said;
    }
    let all = &told["summaries"][&format!("to={tomorrow_ms}")];
    let counted = |count: fn(&Value) -> bool| {
        (0..DISPLAYS).map(|number| state(number, now_ms, true)).filter(count).count()
    };
    assert_eq!(all["funnel"]["shown"], DISPLAYS);
    assert_eq!(all["funnel"]["completed"], counted(|display| display["stage"] == "completed"));
    assert_eq!(all["funnel"]["dismissed"], counted(|display| display["dismissed"] == true));
    assert_eq!(all["n"], counted(|display| !display["answers"]["score"].is_null()));

    machine.stop();
    backup(&file, &data).unwrap();
    fs::write(&told_file, format!("{told:#}\n")).unwrap();
}

/// Whether a display is told twice; of those that are folded early, the second time comes later.
fn has_two_revisions(number: u64) -> bool {
    number.is_multiple_of(3)
}

/// A display of the fixture: at its end, or as it was first told.
fn state(number: u64, now_ms: u64, is_last: bool) -> Value {
    // The latest ten were shown within the last quarter of an hour, the others days ago.
    let age_ms = match number {
        30.. => (number - 30) * 60_000,
        _ => (number % 10 + 1) * DAY_MS + number * 3_600_000,
    };
    // The clocks of a few are wrong.
    let clock_ms = if number % 11 == 5 { now_ms } else { now_ms - age_ms };
    let mut random = [0; 10];
    random[..8].copy_from_slice(&number.to_be_bytes());
    let stage = ["shown", "seen", "started", "completed", "completed"];
    let stage = stage[usize::try_from(number % 5).unwrap()];
    let score = number * 7 % 11;
    let answers = match stage {
        "started" => json!({ "score": score }),
        "completed" if number.is_multiple_of(2) => {
            json!({ "score": score, "why": format!("No. {number}") })
        }
        "completed" => json!({ "score": score }),
        _ => json!({}),
    };
    let mut display = json!({
        "id": DisplayId::new(clock_ms, random),
        "revision": 1,
        "version": number / 20 + 1,
        "stage": "shown",
        "language": if number.is_multiple_of(4) { "de" } else { "en" },
        "page": "https://shop.example/cart?token=secret",
        "answers": {},
        "age_ms": age_ms,
    });
    if is_last {
        display["revision"] = json!(2);
        display["stage"] = json!(stage);
        display["answers"] = answers;
        display["dismissed"] = json!(number == 6);
    }
    display
}
