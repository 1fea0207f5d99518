//! Summaries: the figures that a team gets.

use harness::{Deployment, display};
use serde_json::json;

#[test]
fn a_summary_says_what_was_answered_and_how_sure_that_is() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    // The vector of DESIGN's metrics: 7 promoters, 2 detractors, 10 answers.
    for (number, score) in [9, 9, 9, 9, 10, 10, 10, 7, 0, 6].into_iter().enumerate() {
        let number = u8::try_from(number).unwrap();
        survey.collect(&display(number, 1, "completed", json!({ "score": score }))).expect(204);
    }
    survey.collect(&display(100, 1, "seen", json!({}))).expect(204);
    let mut closed = display(101, 1, "shown", json!({}));
    closed["dismissed"] = json!(true);
    survey.collect(&closed).expect(204);

    let summary = survey.summary();
    assert_eq!((&summary["survey"], &summary["question"]), (&json!(survey.id), &json!("score")));
    assert_eq!((&summary["n"], &summary["low_n"]), (&json!(10), &json!(true)));
    assert_eq!(summary["score"], 50.0);
    assert_eq!(summary["counts"], json!({ "promoter": 7, "passive": 1, "detractor": 2 }));
    let near =
        |value: &serde_json::Value, wanted: f64| (value.as_f64().unwrap() - wanted).abs() < 5e-4;
    let interval = &summary["interval"];
    assert!(near(&interval["low"], -5.693) && near(&interval["high"], 82.616), "{interval}");
    assert_eq!(summary["distribution"][9], json!({ "value": 9, "count": 4 }));
    assert_eq!(summary["distribution"].as_array().unwrap().len(), 11);
    let funnel = &summary["funnel"];
    for (stage, count) in
        [("shown", 12), ("seen", 11), ("started", 10), ("completed", 10), ("dismissed", 1)]
    {
        assert_eq!(funnel[stage], count, "{stage}");
    }
    assert!(near(&funnel["response_rate"], 10.0 / 11.0));
}

#[test]
fn without_answers_there_is_no_score() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let summary = site.survey().summary();
    assert_eq!((&summary["n"], &summary["score"]), (&json!(0), &json!(null)));
    assert_eq!(
        (&summary["interval"], &summary["funnel"]["response_rate"]),
        (&json!(null), &json!(null))
    );
}

#[test]
fn a_period_a_trend_and_a_breakdown_add_up() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let mut definition = harness::nps_with_comment();
    definition["questions"][1]["text"] = json!({ "en": "Why?", "de": "Warum?" });
    let survey = site.publish(&definition);
    let day_ms = 24 * 60 * 60 * 1000_u64;
    // Ten displays, one a day, the oldest nine days ago; the even ones in German.
    for number in 0..10_u8 {
        let score = if number % 2 == 0 { 10 } else { 0 };
        let mut told = display(number, 1, "completed", json!({ "score": score }));
        told["age_ms"] = json!(u64::from(number) * day_ms);
        told["language"] = json!(if number % 2 == 0 { "de" } else { "en" });
        survey.collect(&told).expect(204);
    }
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let now_ms = u64::try_from(now.as_millis()).unwrap();
    let bucket_ms = 15 * 60 * 1000;
    let to = now_ms - now_ms % bucket_ms + bucket_ms;
    let from = to - 5 * day_ms;
    let query = format!(
        "/summary?from={from}&to={to}&interval=day&tz=Asia/Kathmandu&by=language&compare=previous"
    );
    let summary = survey.request("GET", &query).get().expect(200);
    assert_eq!(summary["n"], 5, "{summary}");
    assert_eq!(summary["period"]["tz"], "Asia/Kathmandu");

    let sum = |rows: &serde_json::Value, field: &str| -> u64 {
        rows.as_array().unwrap().iter().map(|row| row[field].as_u64().unwrap()).sum()
    };
    assert_eq!(sum(&summary["trend"], "n"), 5);
    // Midnight there is 18:15 in UTC.
    assert!(summary["trend"][1]["from"].as_str().unwrap().ends_with("T18:15:00Z"), "{summary}");
    assert_eq!(sum(&summary["breakdown"], "n"), 5);
    let row = |value: &str| {
        let rows = summary["breakdown"].as_array().unwrap();
        rows.iter().find(|row| row["value"] == value).unwrap().clone()
    };
    assert_eq!((&row("de")["score"], &row("en")["score"]), (&json!(100.0), &json!(-100.0)));
    assert!(row("de")["difference"]["difference"].as_f64().unwrap() > 0.0, "{summary}");
    assert_eq!(summary["change"]["previous"]["n"], 5);
    assert_eq!(summary["change"]["difference"]["verdict"], "no_difference_shown");
    assert_eq!(survey.summary()["n"], 10);
}

#[test]
fn a_query_that_breaks_a_rule_is_refused_with_the_parameter() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    for (query, field) in [
        ("from=2026-11-01T00:01:00Z", "from"),
        ("from=0&interval=fortnight", "interval"),
        ("from=1699999200000&interval=hour", "interval"),
        ("tz=Mars/Olympus", "tz"),
        ("by=mood", "by"),
        ("question=why", "question"),
        ("nonsense=1", "nonsense"),
    ] {
        let answer = survey.request("GET", &format!("/summary?{query}")).get();
        assert_eq!(answer.problem(400, "invalid_query")["field"], field);
    }
}
