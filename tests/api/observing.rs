//! What an operator sees of a running deployment: the ids of requests, and what was counted.

use harness::{ADMIN_TOKEN, Deployment, display};
use serde_json::json;

#[test]
fn an_answer_names_its_request_and_no_two_requests_have_the_same_name() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    let id = |answer: &harness::Answer| answer.header("asklet-request-id").to_owned();
    let answers = [
        deployment.request("GET", "/healthz").get(),
        deployment.request("GET", &format!("/v1/config/{}", site.id)).get(),
        deployment.request("GET", "/nowhere").get(),
        site.request("GET", "").get(),
        survey.request("GET", "/summary").get(),
        survey.collect(&json!({ "id": "none" })),
    ];
    let mut ids: Vec<String> = answers.iter().map(id).collect();
    assert!(ids.iter().all(|id| id.len() == 10), "{ids:?}");
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), answers.len());
    // A client cannot choose the name under which its request is logged.
    let chosen = deployment.request("GET", "/healthz").header("asklet-request-id", "chosen").get();
    assert_ne!(id(&chosen), "chosen");
    // A display that is stored is answered with as little as possible.
    let stored = survey.collect(&display(1, 1, "shown", json!({})));
    stored.expect(204);
    assert_eq!(id(&stored), "");
}

#[test]
fn what_was_counted_is_for_the_operator_in_the_format_of_prometheus() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    for number in 1..=3 {
        survey.collect(&display(number, 1, "started", json!({ "score": 9 }))).expect(204);
    }
    survey
        .collect(&display(4, 1, "started", json!({ "score": 11 })))
        .problem(422, "score_off_scale");
    survey.request("GET", "/summary").get().expect(200);
    deployment.request("GET", "/metrics").get().problem(401, "unauthenticated");
    deployment.request("GET", "/metrics").bearer(&site.key).get().problem(401, "unauthenticated");
    let answer = deployment.request("GET", "/metrics").bearer(ADMIN_TOKEN).get();
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let text = String::from_utf8(answer.body).unwrap();
    let sample = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        let line = line.unwrap_or_else(|| panic!("no {name} in\n{text}"));
        line.parse::<f64>().unwrap()
    };
    // Deployments may be shared by tests.
    assert!(sample("asklet_requests_total{route=\"collect\",status=\"204\"}") >= 3.0);
    assert!(sample("asklet_requests_total{route=\"collect\",status=\"422\"}") >= 1.0);
    assert!(sample("asklet_request_duration_seconds_count{route=\"collect\"}") >= 4.0);
    assert!(sample("asklet_displays_stored_total") >= 3.0);
    assert!(sample("asklet_displays_refused_total{code=\"score_off_scale\"}") >= 1.0);
    assert!(sample("asklet_objects_woken_total{object=\"survey\"}") >= 1.0);
    assert!(sample("asklet_stored_bytes{object=\"survey\"}") > 0.0);
    assert!(sample("asklet_outbox_messages") >= 0.0);
    // Each family is described once, and each line is a sample of one.
    for family in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let name = family.split(' ').next().unwrap();
        assert_eq!(text.matches(&format!("# TYPE {name} ")).count(), 1);
        assert_eq!(text.matches(&format!("# HELP {name} ")).count(), 1);
    }
}
