//! Requests that are sent again because their answer was lost.

use harness::{Answer, Deployment, Request, display, nps_with_comment};
use serde_json::{Value, json};

use super::responses::line;

fn once(request: Request, key: &str) -> Request {
    request.header("idempotency-key", key)
}

/// Sends a request twice; returns both answers, which must be alike.
fn twice(send: impl Fn() -> Answer, status: u16) -> Value {
    let (first, again) = (send(), send());
    assert_eq!(first.expect(status), again.expect(status));
    if again.body.is_empty() { Value::Null } else { again.json() }
}

#[test]
fn what_a_site_changes_is_changed_once_and_answered_alike() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let create = || once(site.request("POST", "/surveys"), "create").json(&nps_with_comment());
    let made = twice(create, 201);
    let survey = site.survey_named(made["survey"].as_str().unwrap());
    assert_eq!(
        twice(|| once(survey.request("POST", "/publish"), "publish").send(""), 200)["version"],
        1
    );
    assert_eq!(survey.publish(), 2, "without a key each one counts");
    let copy = twice(|| once(survey.request("POST", "/duplicate"), "copy").send(""), 201);
    assert_ne!(copy["survey"], made["survey"]);
    let shards = || once(survey.request("POST", "/shards"), "shards").json(&json!({ "shards": 2 }));
    assert_eq!(twice(shards, 200)["shards"], 2);
    let surveys = site.request("GET", "/surveys").get().expect(200);
    assert_eq!(surveys["surveys"].as_array().unwrap().len(), 2);
    let log = site.request("GET", "/audit").get().expect(200);
    let actions: Vec<_> =
        log["entries"].as_array().unwrap().iter().rev().map(|it| it["action"].clone()).collect();
    let expected = ["create_site", "create_survey", "publish", "publish", "duplicate", "shards"];
    assert_eq!(actions, expected.map(Value::from));
}

#[test]
fn a_key_means_one_request_of_one_caller() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    let shards = |shards: u8| {
        once(survey.request("POST", "/shards"), "one").json(&json!({ "shards": shards }))
    };
    // What was refused can be mended.
    shards(9).problem(422, "invalid_settings");
    shards(2).expect(200);
    let problem = shards(3).problem(422, "idempotency_mismatch");
    assert_eq!(problem["field"], "Idempotency-Key");
    let elsewhere = once(survey.request("POST", "/duplicate"), "one").send("");
    elsewhere.problem(422, "idempotency_mismatch");
    let body = json!({ "name": "another", "scope": "admin" });
    let other = site.request("POST", "/keys").json(&body).expect(201);
    let path = format!("{}/{}/shards", site.surveys(), survey.id);
    let request = deployment.request("POST", &path).bearer(other["key"].as_str().unwrap());
    assert_eq!(once(request, "one").json(&json!({ "shards": 3 })).expect(200)["shards"], 3);
    for key in ["", &"x".repeat(256)] {
        let refused = once(survey.request("POST", "/duplicate"), key).send("");
        assert_eq!(refused.problem(400, "invalid_header")["field"], "Idempotency-Key", "{key}");
    }
    // Whoever may not call hears only that.
    let stranger = deployment.request("POST", &path).bearer("no key");
    once(stranger, "").json(&json!({ "shards": 3 })).problem(401, "unauthenticated");
}

#[test]
fn a_secret_is_made_once_and_shown_once() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let body = json!({ "name": "another", "scope": "read" });
    let make = || once(site.request("POST", "/keys"), "key").json(&body);
    let made = make().expect(201);
    assert_eq!(make().problem(409, "shown_once")["limit"], made["id"]);
    let keys = site.request("GET", "/keys").get().expect(200);
    assert_eq!(keys["keys"].as_array().unwrap().len(), 2);
    let make = || once(site.request("POST", "/identity-secrets"), "secret").send("");
    let made = make().expect(201);
    assert_eq!(make().problem(409, "shown_once")["limit"], made["id"]);
    let record = site.request("GET", "").get().expect(200);
    assert_eq!(record["identity_secrets"].as_array().unwrap().len(), 1);
}

#[test]
fn what_shards_carry_out_is_answered_as_it_was() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    let mut theirs = line(1, 9, "");
    theirs["respondent"] = json!("customer-17");
    let import = || once(survey.request("POST", "/import"), "import").send(&format!("{theirs}\n"));
    assert_eq!(twice(import, 200)["stored"], 1);
    // What was refused can be mended.
    let lines = format!("{}\n", line(4, 9, ""));
    once(survey.request("POST", "/import?shard=7"), "mended")
        .send(&lines)
        .problem(404, "unknown_shard");
    once(survey.request("POST", "/import"), "mended").send(&lines).expect(200);
    let other =
        once(survey.request("POST", "/import"), "import").send(&format!("{}\n", line(2, 9, "")));
    other.problem(422, "idempotency_mismatch");
    survey.collect(&display(3, 1, "started", json!({ "score": 9 }))).expect(204);
    let id = display(3, 1, "started", json!({}))["id"].as_str().unwrap().to_owned();
    let exclude = |key: &str| {
        let request = survey.request("POST", &format!("/displays/{id}/exclude"));
        once(request, key).json(&json!({ "reason": "a test" }))
    };
    twice(|| exclude("exclude"), 204);
    let include =
        || once(survey.request("POST", &format!("/displays/{id}/include")), "include").send("");
    twice(include, 204);
    // It was carried out before, and is not again.
    exclude("exclude").expect(204);
    assert_eq!(survey.summary()["n"], 3);
    let body = json!({ "respondent": "customer-17" });
    let erase = || once(site.request("POST", "/respondents/erase"), "erase").json(&body);
    assert_eq!(twice(erase, 200)["displays"], 1);
}
