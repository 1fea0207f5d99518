//! Rows written and bytes stored, as the platform counts them, and what that costs there.

use asklet_shared::display_id::DisplayId;
use harness::{Machine, Survey};
use serde_json::{Value, json};

use crate::{Part, now_ms};

/// How many displays of each kind are sent: enough to be folded in the end, and few enough that they
/// are not folded between their own revisions, since they are told as old enough to be folded.
const DISPLAYS: u64 = 3_000;

/// How many rows a completed NPS with comment, and an unanswered display, may write.
const MOST_COMPLETED: f64 = 5.0;
const MOST_UNANSWERED: f64 = 2.0;

/// Dollars for a million rows written, requests to the Worker, and requests to an object; and for a
/// gigabyte stored in a month: developers.cloudflare.com, November 2026.
const ROWS_PRICE: f64 = 1.00;
const WORKER_PRICE: f64 = 0.30;
const OBJECT_PRICE: f64 = 0.15;
const STORED_PRICE: f64 = 0.20;

/// The share of seen displays that is answered.
const RESPONSE_RATE: f64 = 0.05;

/// What one display of a kind wrote and takes.
struct Cost {
    rows: f64,
    bytes: f64,
    requests: f64,
}

pub fn bench() -> Part {
    let completed = [("seen", 1), ("started", 2), ("completed", 3)];
    let completed = measure("completed, with a comment", &completed, false);
    let unanswered = measure("unanswered", &[("seen", 1)], false);
    let closed = measure("unanswered and closed", &[("seen", 1), ("seen", 2)], true);

    // A million responses are that many displays more that were only seen; those are dropped after a
    // month, which writes one row more each.
    let unanswered_count = (1.0 - RESPONSE_RATE) / RESPONSE_RATE;
    let rows = completed.rows + unanswered_count * (unanswered.rows + 1.0);
    let requests = completed.requests + unanswered_count * unanswered.requests;
    let cost = rows * ROWS_PRICE + requests * (WORKER_PRICE + OBJECT_PRICE);
    let gigabytes = completed.bytes * 1e6 / 1e9;
    println!(
        "\na million responses at a response rate of {RESPONSE_RATE}: {rows:.0} million rows written, \
         {requests:.0} million requests, {cost:.0} dollars at Cloudflare, and {gigabytes:.2} GB kept, \
         {:.2} dollars a month",
        gigabytes * STORED_PRICE
    );
    let figures = |cost: &Cost| json!({ "rows_written": cost.rows, "bytes": cost.bytes });
    let mut part = Part::new(json!({
        "completed": figures(&completed),
        "unanswered": figures(&unanswered),
        "closed": figures(&closed),
        "dollars_per_million_responses": cost,
        "bytes_per_million_displays": completed.bytes * 1e6,
    }));
    part.expect(completed.rows <= MOST_COMPLETED, || {
        format!(
            "a completed display writes {:.2} rows: {MOST_COMPLETED} are allowed",
            completed.rows
        )
    });
    part.expect(unanswered.rows <= MOST_UNANSWERED, || {
        format!(
            "an unanswered one writes {:.2} rows: {MOST_UNANSWERED} are allowed",
            unanswered.rows
        )
    });
    part
}

/// Sends displays of one kind, each revision as the outbox does, and has them folded.
fn measure(kind: &str, revisions: &[(&str, u32)], dismissed: bool) -> Cost {
    let machine = Machine::start();
    let site = machine.busy_site();
    let survey = site.survey();
    // What was shown a quarter of an hour ago is folded before the next summary, and is not late yet.
    let shown_ms = now_ms() - 16 * 60 * 1000;
    let usage = || usage(&survey);
    // The first display sets up what there is once.
    survey.collect(&display(u64::MAX, "seen", 1, shown_ms, false)).expect(204);
    let before = usage();
    for number in 0..DISPLAYS {
        for (stage, revision) in revisions {
            let closed = dismissed && *revision == 2;
            survey.collect(&display(number, stage, *revision, shown_ms, closed)).expect(204);
        }
    }
    let shown = survey.summary()["funnel"]["shown"].as_u64();
    assert_eq!(shown, Some(DISPLAYS + 1));
    let after = usage();
    let tail = after["tail"].as_u64().expect("a figure");
    assert!(tail < DISPLAYS / 3, "most of them are folded: {tail} are not");
    let each = |field: &str| {
        let figure = |usage: &Value| usage[field].as_f64().expect("a figure");
        (figure(&after) - figure(&before)) / DISPLAYS as f64
    };
    let cost =
        Cost { rows: each("rows_written"), bytes: each("bytes"), requests: revisions.len() as f64 };
    println!("{kind:<26} {:.3} rows written, {:.0} bytes", cost.rows, cost.bytes);
    cost
}

fn usage(survey: &Survey<'_>) -> Value {
    survey.request("GET", "/usage").get().expect(200)
}

fn display(number: u64, stage: &str, revision: u32, shown_ms: u64, dismissed: bool) -> Value {
    let mut random = [0; 10];
    random[2..].copy_from_slice(&number.to_be_bytes());
    let answers = match stage {
        "started" => json!({ "score": number % 11 }),
        "completed" => json!({ "score": number % 11, "why": "It is fast, really." }),
        _ => json!({}),
    };
    json!({
        "id": DisplayId::new(shown_ms, random), "revision": revision, "version": 1,
        "stage": stage, "dismissed": dismissed, "language": "en",
        "age_ms": now_ms() - shown_ms,
        "page": "https://shop.example/cart", "answers": answers,
    })
}
