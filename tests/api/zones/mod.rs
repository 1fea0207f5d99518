//! The zones of figures, against the newest database of zones that a package registry has:
//! `write.py` writes down what clocks show by it.

use std::collections::BTreeMap;

use asklet_shared::display_id::DisplayId;
use asklet_shared::period::{parse_instant, rfc3339};
use asklet_shared::time::{BUCKET_MS, DAY_MS};
use harness::{Deployment, Survey};
use serde_json::{Value, json};

use crate::responses::import;

/// From when on, in UTC, how many minutes a zone's clocks are ahead of UTC.
type Offsets = BTreeMap<u64, i64>;

fn ms(time: &Value) -> u64 {
    parse_instant("time", time.as_str().unwrap()).unwrap()
}

fn known() -> Value {
    serde_json::from_str(include_str!("known.json")).unwrap()
}

fn offsets(zone: &Value) -> Offsets {
    let changes = zone["offsets"].as_array().unwrap();
    changes.iter().map(|change| (ms(&change[0]), change[1].as_i64().unwrap())).collect()
}

/// Every day's first quarter of an hour: the first one whose date the clocks never showed before.
fn days((from_ms, to_ms): (u64, u64), offsets: &Offsets) -> Vec<String> {
    let date = |utc_ms: u64| {
        let (_, minutes) = offsets.range(..=utc_ms).next_back().unwrap();
        utc_ms.checked_add_signed(minutes * 60_000).unwrap() / DAY_MS
    };
    let mut newest = date(from_ms);
    let mut days = vec![rfc3339(from_ms)];
    for bucket_ms in (from_ms..to_ms).step_by(usize::try_from(BUCKET_MS).unwrap()) {
        if date(bucket_ms) > newest {
            newest = date(bucket_ms);
            days.push(rfc3339(bucket_ms));
        }
    }
    days
}

/// The same as the survey's summary tells it.
fn told_days(survey: &Survey<'_>, (from_ms, to_ms): (u64, u64), zone: &str) -> Vec<String> {
    let query = format!("from={from_ms}&to={to_ms}&interval=day&tz={zone}");
    let summary = survey.summary_of(&query);
    let points = summary["trend"].as_array().unwrap().iter();
    points.map(|point| point["from"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn days_begin_where_the_rules_say_that_the_runtime_tells_to_know() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    let told = deployment.request("GET", "/healthz").get().expect(200)["tz"].clone();
    let release = told.as_str().unwrap();
    // No trend has more points than two years have days.
    let parts = ["2025-01-02", "2027-01-01", "2029-01-01", "2029-12-30"];
    let parts = parts.map(|day| parse_instant("day", &format!("{day}T00:00:00Z")).unwrap());
    for (name, zone) in known()["zones"].as_object().unwrap() {
        let offsets = offsets(zone);
        let is_same = parts.windows(2).all(|part| {
            let part = (part[0], part[1]);
            told_days(&survey, part, name) == days(part, &offsets)
        });
        let since = zone["since"].as_str();
        // Where it says that it does not know the rules, it must not know them: else it knows more.
        let is_known = since.is_none_or(|since| since <= release);
        assert_eq!(is_same, is_known, "{name}, by the rules of {since:?} and later, in {release}");
    }
}

#[test]
fn a_score_given_after_midnight_in_vancouver_stands_on_the_new_day() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    // 00:30 on 20 November 2026, since British Columbia keeps its summer time.
    let shown_ms = parse_instant("time", "2026-11-20T07:30:00Z").unwrap();
    let line = json!({
        "id": DisplayId::new(shown_ms, [1; 10]), "shown_ms": shown_ms,
        "revision": 1, "version": 1, "stage": "completed", "channel": "email", "language": "en",
        "answers": { "score": 9 },
    });
    import(&survey, 0, &[line]);
    let query =
        "from=2026-11-19T07:00:00Z&to=2026-11-22T07:00:00Z&interval=day&tz=America/Vancouver";
    let summary = survey.summary_of(query);
    let days = summary["trend"].as_array().unwrap().iter();
    let days: Vec<_> = days.map(|day| (day["from"].as_str().unwrap(), &day["n"])).collect();
    let expected = [
        ("2026-11-19T07:00:00Z", &json!(0)),
        ("2026-11-20T07:00:00Z", &json!(1)),
        ("2026-11-21T07:00:00Z", &json!(0)),
    ];
    assert_eq!(days, expected);
}
