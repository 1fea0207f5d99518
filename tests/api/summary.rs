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
