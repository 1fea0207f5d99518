//! Surveys: from a draft to what pages are told.

use asklet_shared::body::Body;
use harness::{Deployment, nps_with_comment};
use serde_json::{Value, json};

#[test]
fn a_published_survey_reaches_the_config_and_its_body_can_be_shown() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let config = || deployment.request("GET", &format!("/v1/config/{}", site.id)).get();
    let survey = site.survey();

    let answer = config();
    let told = answer.expect(200);
    assert_eq!(answer.header("cache-control"), "public, max-age=60");
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    let listed = &told["surveys"][0];
    assert_eq!((&listed["id"], &listed["version"]), (&json!(survey.id), &json!(1)));
    assert_eq!((&listed["shards"], &listed["delay_ms"]), (&json!(1), &json!(10)));
    let fresh = deployment
        .request("GET", &format!("/v1/config/{}", site.id))
        .header("if-none-match", answer.header("etag"))
        .get();
    assert_eq!((fresh.status, fresh.body.len()), (304, 0));

    let digest = listed["bodies"]["en"].as_str().unwrap();
    let body = |digest: &str| {
        let path = format!("/v1/body/{}/{}/{digest}", site.id, survey.id);
        deployment.request("GET", &path).get()
    };
    let answer = body(digest);
    assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert_eq!(Body::decode(&answer.body).unwrap().thanks, "Thank you!");
    body("0000000000000000").problem(404, "unknown_body");
}

#[test]
fn a_draft_is_asked_nowhere() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.draft(&nps_with_comment());
    let config = deployment.request("GET", &format!("/v1/config/{}", site.id)).get().expect(200);
    assert_eq!(config, json!({ "surveys": [] }));
    let display = harness::display(1, 1, "started", json!({ "score": 9 }));
    let path = format!("/v1/collect/{}/{survey}/0", site.id);
    deployment.request("POST", &path).json(&display).problem(404, "unknown_survey");
    let summary = format!("{}/{survey}/summary", site.surveys());
    let summary = deployment.request("GET", &summary).bearer(&site.key).get().expect(200);
    assert_eq!(summary["n"], 0);
    // The site's own, and none for the shard that was asked.
    assert_eq!(deployment.databases().len(), 1);
}

#[test]
fn a_definition_that_breaks_a_rule_is_refused_with_the_field() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let refused = |change: fn(&mut Value), status, code: &str, field: &str| {
        let mut definition = nps_with_comment();
        change(&mut definition);
        let answer =
            deployment.request("POST", &site.surveys()).bearer(&site.key).json(&definition);
        assert_eq!(answer.problem(status, code)["field"], field, "{answer:?}");
    };
    let invalid = "invalid_definition";
    refused(|d| d["name"] = json!(""), 422, invalid, "name");
    refused(|d| d["questions"][1]["id"] = json!("score"), 422, invalid, "questions[1].id");
    refused(|d| d["primary"] = json!("why"), 422, invalid, "primary");
    refused(|d| d["trigger"]["delay_ms"] = json!(-1), 400, "malformed_json", "trigger.delay_ms");
    refused(|d| d["mood"] = json!(1), 400, "malformed_json", "mood");
    refused(
        |d| d["questions"][0]["answer"]["rating"]["scale"] = json!("stars"),
        400,
        "malformed_json",
        "questions[0].answer.rating.scale",
    );
    let large = nps_with_comment().to_string() + &" ".repeat(64 * 1024);
    let request = deployment.request("POST", &site.surveys()).bearer(&site.key);
    assert_eq!(request.send(&large).problem(413, "body_too_large")["limit"], "65536 bytes");
}

#[test]
fn every_publish_makes_a_version_and_displays_of_earlier_ones_still_arrive() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    assert_eq!(survey.publish(), 2);
    let mut shown_before = harness::display(1, 1, "started", json!({ "score": 9 }));
    survey.collect(&shown_before).expect(204);
    shown_before["id"] = harness::display(2, 1, "shown", json!({}))["id"].clone();
    shown_before["version"] = json!(2);
    survey.collect(&shown_before).expect(204);
    assert_eq!(survey.summary()["n"], 2);
}
