//! Limits: how much is taken at once, and when a survey has enough.

use harness::{ADDRESS_HEADER, Deployment, display, nps_with_comment};
use serde_json::json;

#[test]
fn an_address_that_sends_too_much_is_told_to_wait_and_others_go_on() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    let settings = json!({
        "name": "Shop",
        "origins": ["*"],
        "limits": { "address_per_minute": 3, "shard_per_second": 1000 },
    });
    site.request("PUT", "").json(&settings).expect(200);
    let post = |number: u8, addresses: &str| {
        let request = deployment.request("POST", &survey.collect_path(0));
        let told = display(number, 1, "started", json!({ "score": 9 }));
        request.header(ADDRESS_HEADER, addresses).json(&told)
    };
    for number in 0..3 {
        post(number, "203.0.113.7").expect(204);
    }
    let refused = post(3, "203.0.113.7");
    let problem = refused.problem(429, "rate_limited");
    assert_eq!(problem["limit"], "3 requests a minute from one address");
    assert_eq!(refused.header("retry-after"), "10");
    // Who sends the header along does not become somebody else: the proxy adds what it saw.
    post(3, "198.51.100.1, 203.0.113.7").problem(429, "rate_limited");
    post(4, "203.0.113.7, 198.51.100.1").expect(204);
    assert_eq!(survey.summary()["n"], 4);
}

#[test]
fn a_shard_that_is_sent_too_much_refuses_without_a_write() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    let settings = json!({ "name": "Shop", "origins": ["*"], "limits": { "shard_per_second": 1 } });
    site.request("PUT", "").json(&settings).expect(200);
    let answers: Vec<_> = (0..20)
        .map(|number| survey.collect(&display(number, 1, "started", json!({ "score": 9 }))))
        .collect();
    let taken = answers.iter().filter(|answer| answer.status == 204).count();
    let refused = answers.iter().filter(|answer| answer.status == 429).count();
    assert!(
        taken >= 1 && refused >= 1 && taken + refused == 20,
        "{taken} taken, {refused} refused"
    );
    assert_eq!(survey.summary()["n"], taken);
}

#[test]
fn a_full_quota_stops_the_asking_and_no_answer() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let mut definition = nps_with_comment();
    definition["quota"] = json!(2);
    let survey = site.publish(&definition);
    for number in 0..3 {
        survey.collect(&display(number, 1, "started", json!({ "score": 9 }))).expect(204);
    }
    // Nobody has asked for the config before, so that it is not remembered from then.
    let config = deployment.request("GET", &format!("/v1/config/{}", site.id)).get().expect(200);
    assert_eq!(config["surveys"], json!([]));
    survey.collect(&display(3, 1, "started", json!({ "score": 9 }))).expect(204);
    assert_eq!(survey.summary()["n"], 4);
}

#[test]
fn what_was_closed_long_ago_takes_nothing_more() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let mut definition = nps_with_comment();
    definition["end_ms"] = json!(1_700_000_000_000_u64);
    let ended = site.publish(&definition);
    let told = display(1, 1, "started", json!({ "score": 9 }));
    assert_eq!(
        ended.collect(&told).problem(410, "survey_closed")["limit"],
        "30 days after it was closed"
    );
    let paused = site.survey();
    paused.request("POST", "/pause").send("").expect(200);
    paused.collect(&told).expect(204);
}
