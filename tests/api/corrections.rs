//! Corrections: what a filter finds is excluded, included and deleted, on all shards.

use asklet_shared::display_id::DisplayId;
use harness::{Answer, Deployment, Survey, display};
use serde_json::{Value, json};

/// How many displays each shard has.
const EACH: u8 = 100;

fn correct(survey: &Survey<'_>, body: &Value) -> Answer {
    survey.request("POST", "/corrections").json(body)
}

/// Goes on to the end. Returns how many displays matched, and how many were changed.
fn run(survey: &Survey<'_>, body: &Value) -> (u64, u64) {
    let mut body = body.clone();
    let (mut matched, mut changed) = (0, 0);
    loop {
        let done = correct(survey, &body).expect(200);
        matched += done["matched"].as_u64().unwrap();
        changed += done["changed"].as_u64().unwrap();
        if done["cursor"].is_null() {
            return (matched, changed);
        }
        body["cursor"] = done["cursor"].clone();
    }
}

#[test]
fn what_a_filter_finds_is_excluded_included_and_deleted_on_every_shard() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    survey.request("POST", "/shards").json(&json!({ "shards": 2 })).expect(200);
    let mut sent = Vec::new();
    for shard in 0..2 {
        for number in 0..EACH {
            let mut told = display(
                number + u8::try_from(shard).unwrap() * EACH,
                1,
                "started",
                json!({ "score": 9 }),
            );
            told["channel"] = json!(if number < 10 { "kiosk" } else { "in_page" });
            if number % 2 == 0 {
                // A clock that is far off.
                told["id"] = json!(DisplayId::new(1_700_000_000_000, [number; 10]));
            }
            survey.collect_on(shard, &told).expect(204);
            sent.push((shard, told));
        }
    }
    let n = || survey.summary()["n"].as_u64().unwrap();
    let mut spam = json!({
        "action": "exclude", "reason": "spam", "filter": { "where": ["channel:in_page"] },
        "dry_run": true,
    });
    assert_eq!((run(&survey, &spam), n()), ((180, 180), 200));
    spam["dry_run"] = json!(false);
    assert_eq!((run(&survey, &spam), n()), ((180, 180), 20));
    assert_eq!((run(&survey, &spam), n()), ((180, 0), 20), "it repeats nothing");
    // A single one is excluded for a reason of its own.
    let id = sent[15].1["id"].as_str().unwrap();
    survey.request("POST", &format!("/displays/{id}/include")).send("").expect(204);
    let reason = json!({ "reason": "a test of ours" });
    survey.request("POST", &format!("/displays/{id}/exclude")).json(&reason).expect(204);
    let back = json!({ "action": "include", "reason": "spam", "filter": {} });
    assert_eq!((run(&survey, &back), n()), ((200, 179), 199));
    let gone = json!({ "action": "delete", "filter": { "where": ["channel:kiosk"] } });
    assert_eq!((run(&survey, &gone), n()), ((20, 20), 179));
    assert_eq!(run(&survey, &gone), (0, 0));
    // What was deleted does not come back.
    survey.collect_on(sent[0].0, &sent[0].1).expect(204);
    assert_eq!(n(), 179);
    let late = json!({ "action": "delete", "filter": { "received_to": "2020-01-01T00:00:00Z" } });
    assert_eq!(run(&survey, &late), (0, 0));

    let log = site.request("GET", "/audit").get().expect(200);
    let entries = log["entries"].as_array().unwrap().iter();
    let told: Vec<_> = entries
        .filter(|entry| entry["action"].as_str().unwrap().ends_with("_matching"))
        .map(|entry| {
            (entry["action"].as_str().unwrap(), entry["detail"].as_str().unwrap().to_owned())
        })
        .collect();
    let filter = r#"{"where":["channel:in_page"]}"#;
    let expected = [
        ("delete_matching", r#"20 displays: {"where":["channel:kiosk"]}"#.to_owned()),
        ("include_matching", "179 displays: {}".to_owned()),
        ("exclude_matching", format!("180 displays: {filter}")),
    ];
    assert_eq!(told, expected, "what changed nothing did not happen");
}

#[test]
fn finding_one_person_takes_the_scope_of_a_look_up() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    let body = json!({ "name": "writer", "scope": "write" });
    let writer = site.request("POST", "/keys").json(&body).expect(201);
    let path = format!("{}/{}/corrections", site.surveys(), survey.id);
    let count = json!({
        "action": "delete", "filter": { "respondent": "customer-17" }, "dry_run": true,
    });
    let request = deployment.request("POST", &path).bearer(writer["key"].as_str().unwrap());
    request.json(&count).problem(403, "scope_too_small");
    assert_eq!(run(&survey, &count), (0, 0));
    let log = site.request("GET", "/audit").get().expect(200);
    let look_ups = log["entries"].as_array().unwrap().iter();
    assert_eq!(look_ups.filter(|entry| entry["action"] == "lookup").count(), 1, "{log}");
}

#[test]
fn a_correction_that_breaks_a_rule_is_refused_with_the_field() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    for (body, code, field) in [
        (json!({ "action": "exclude", "filter": {} }), "invalid_settings", "reason"),
        (json!({ "action": "delete", "reason": "x", "filter": {} }), "invalid_settings", "reason"),
        (json!({ "action": "delete", "filter": { "limit": 5 } }), "invalid_query", "limit"),
        (
            json!({ "action": "delete", "filter": {}, "cursor": "x.0.0." }),
            "invalid_query",
            "cursor",
        ),
    ] {
        let answer = correct(&survey, &body);
        let problem = answer.problem(answer.status, code);
        assert_eq!(problem["field"], field, "{problem}");
    }
    let log = site.request("GET", "/audit").get().expect(200).to_string();
    assert!(!log.contains("_matching"), "what was refused did not happen: {log}");
}
