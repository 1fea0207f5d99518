//! Rows written, as the platform counts and bills them: nothing that a untrusted client makes up costs much more
//! than an ordinary display.

use asklet_shared::display_id::DisplayId;
use harness::{Deployment, Site, nps_with_comment};
use serde_json::{Value, json};

/// Enough of a kind to be folded.
const DISPLAYS: u64 = 1_100;

const MINUTE_MS: u64 = 60 * 1000;
const DAY_MS: u64 = 24 * 60 * MINUTE_MS;

/// What makes an ordinary display one of a kind, by its number and the time.
type Kind<'a> = &'a dyn Fn(u64, u64, &mut Value);

/// How many rows a display of a kind writes, its part of the fold among them.
fn rows(site: &Site<'_>, told: Kind<'_>) -> f64 {
    let mut definition = nps_with_comment();
    definition["traits"] = json!(["plan"]);
    let survey = site.publish(&definition);
    let usage = || survey.request("GET", "/usage").get().expect(200);
    let written = || usage()["rows_written"].as_f64().unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let now_ms = u64::try_from(now.as_millis()).unwrap();
    let send = |number: u64| {
        let mut random = [0; 10];
        random[2..].copy_from_slice(&number.to_be_bytes());
        // Old enough to be folded, and not late.
        let shown_ms = now_ms - 16 * MINUTE_MS;
        let mut display = json!({
            "id": DisplayId::new(shown_ms, random), "revision": 1, "version": 1,
            "stage": "completed", "language": "en", "age_ms": 16 * MINUTE_MS,
            "answers": { "score": number % 11, "why": "It is fast." },
        });
        told(number, now_ms, &mut display);
        survey.collect(&display).expect(204);
    };
    // The first display sets up what there is once.
    send(DISPLAYS);
    let before = written();
    (0..DISPLAYS).for_each(send);
    assert_eq!(survey.summary()["n"], DISPLAYS + 1);
    let tail = usage()["tail"].as_u64().unwrap();
    assert!(tail < DISPLAYS / 2, "most of them are folded: {tail} are not");
    (written() - before) / DISPLAYS as f64
}

#[test]
fn what_a_stranger_makes_up_costs_two_rows_and_its_part_of_the_fold_more_at_most() {
    let deployment = Deployment::start();
    let site = deployment.busy_site();
    let ordinary = rows(&site, &|_, _, _| ());
    // Over all the days that a display can be on its way.
    let ago_ms = |number: u64| DAY_MS + number * 29 * DAY_MS / DISPLAYS;
    let id = |number: u64, ms| {
        let mut random = [1; 10];
        random[2..].copy_from_slice(&number.to_be_bytes());
        json!(DisplayId::new(ms, random))
    };
    let kinds: [(&str, Kind<'_>); 4] = [
        ("an id of an old time", &|number, now_ms, told| {
            told["id"] = id(number, now_ms - ago_ms(number));
        }),
        ("an old display", &|number, now_ms, told| {
            told["id"] = id(number, now_ms - ago_ms(number));
            told["age_ms"] = json!(ago_ms(number));
        }),
        ("an id of now and an old age", &|number, now_ms, told| {
            told["id"] = id(number, now_ms);
            told["age_ms"] = json!(ago_ms(number));
        }),
        ("a value of a trait", &|number, _, told| {
            told["traits"] = json!({ "plan": format!("made up {number}") });
        }),
    ];
    println!("ordinary: {ordinary:.2} rows");
    for (kind, told) in kinds {
        let rows = rows(&site, told);
        println!("{kind}: {rows:.2} rows");
        // Two for its indexes, and the rest in the fold, where its days have counters of their own.
        assert!(
            rows <= ordinary + 2.5,
            "{kind}: {rows:.2} rows, and {ordinary:.2} of an ordinary one"
        );
    }
}
