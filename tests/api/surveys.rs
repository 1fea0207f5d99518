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
    assert_eq!(listed["triggers"], json!([{ "delay": 10 }]));
    assert_eq!(listed.get("shards"), None, "the first shard alone need not be said");
    let fresh = deployment
        .request("GET", &format!("/v1/config/{}", site.id))
        .header("if-none-match", answer.header("etag"))
        .get();
    assert_eq!((fresh.status, fresh.body.len()), (304, 0));

    assert_eq!(listed["bodies"][0][0], "en");
    let digest = listed["bodies"][0][1].as_str().unwrap();
    let body = |digest: &str| {
        let path = format!("/v1/body/{}/{}/{digest}", site.id, survey.id);
        deployment.request("GET", &path).get()
    };
    let answer = body(digest);
    assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert_eq!(Body::decode(&answer.body).unwrap().thanks[0].text, "Thank you!");
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
    refused(
        |d| d["triggers"] = json!([{ "delay": -1 }]),
        400,
        "malformed_json",
        "triggers[0].delay",
    );
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

#[test]
fn a_survey_lives_from_a_draft_to_its_deletion() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    let mut draft = nps_with_comment();
    draft["name"] = json!("Renamed");
    let updated = survey.request("PUT", "").json(&draft).expect(200);
    assert_eq!((&updated["draft"]["name"], &updated["version"]), (&json!("Renamed"), &json!(1)));
    assert_eq!(survey.publish(), 2);
    for (verb, status) in [("/pause", "paused"), ("/resume", "live"), ("/archive", "archived")] {
        assert_eq!(survey.request("POST", verb).send("").expect(200)["status"], status);
    }
    let copy = survey.request("POST", "/duplicate").send("").expect(201);
    assert_eq!((&copy["status"], &copy["version"]), (&json!("draft"), &json!(0)));
    assert_eq!(copy["draft"]["name"], "Renamed");
    let path = format!("{}/{}/pause", site.surveys(), copy["survey"].as_str().unwrap());
    let paused = deployment.request("POST", &path).bearer(&site.key).send("");
    paused.problem(409, "not_published");
    let listed = deployment.request("GET", &site.surveys()).bearer(&site.key).get().expect(200);
    assert_eq!(listed["surveys"].as_array().unwrap().len(), 2);

    // Displays of a survey that is not asked any more are taken, and those of one that is gone not.
    survey.collect(&harness::display(1, 1, "started", json!({ "score": 9 }))).expect(204);
    survey.request("DELETE", "").get().expect(204);
    survey.request("GET", "").get().problem(404, "unknown_survey");
    let late = survey.collect(&harness::display(2, 1, "started", json!({ "score": 9 })));
    late.problem(404, "unknown_survey");
}

#[test]
fn wording_may_change_and_a_scale_may_not() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    let mut draft = nps_with_comment();
    draft["questions"][0]["text"] = json!("Would you recommend us?");
    survey.request("PUT", "").json(&draft).expect(200);
    assert_eq!(survey.publish(), 2);
    draft["questions"][0]["answer"]["rating"]["scale"] = json!("csat_5");
    survey.request("PUT", "").json(&draft).expect(200);
    let refused = survey.request("POST", "/publish").send("");
    assert_eq!(refused.problem(409, "scale_changed")["field"], "questions[0].answer");
    assert_eq!(survey.summary()["scale"], "nps");
}

#[test]
fn satisfaction_and_effort_are_measured_too() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let mut definition = nps_with_comment();
    let rating = &mut definition["questions"][0]["answer"]["rating"];
    rating["scale"] = json!("ces_7");
    rating["direction"] = json!("low_is_good");
    let survey = site.publish(&definition);
    for (number, score) in [1, 2, 4, 7].into_iter().enumerate() {
        let number = u8::try_from(number).unwrap();
        let told = harness::display(number, 1, "completed", json!({ "score": score }));
        survey.collect(&told).expect(204);
    }
    let summary = survey.summary();
    assert_eq!((&summary["metric"], &summary["score"]), (&json!("ces"), &json!(0.5)));
    assert_eq!(summary["counts"], json!({ "easy": 2, "neutral": 1, "hard": 1 }));
    // 1, 2, 4 and 7 where low is good are 7, 6, 4 and 1 where high is.
    assert_eq!(summary["mean"], 4.5);
}

#[test]
fn an_answer_whose_condition_is_not_met_is_refused() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let mut definition = nps_with_comment();
    let detractors = json!({ "question": "score", "is": { "category": ["detractor"] } });
    definition["questions"][1]["show_if"] = detractors;
    let survey = site.publish(&definition);
    let answers = |score| json!({ "score": score, "why": "slow" });
    let refused = survey.collect(&harness::display(1, 1, "completed", answers(9)));
    assert_eq!(refused.problem(422, "question_not_asked")["field"], "answers.why");
    survey.collect(&harness::display(1, 1, "completed", answers(3))).expect(204);
}

#[test]
fn more_shards_lose_and_double_nothing() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    let scored = |number| harness::display(number, 1, "started", json!({ "score": 9 }));
    survey.collect(&scored(1)).expect(204);
    survey.collect_on(3, &scored(2)).problem(404, "unknown_shard");
    let grow = |shards: u16| survey.request("POST", "/shards").json(&json!({ "shards": shards }));
    assert_eq!(grow(4).expect(200)["shards"], 4);
    assert_eq!(grow(3).problem(422, "invalid_settings")["limit"], "4 to 8");
    assert_eq!(grow(9).problem(422, "invalid_settings")["field"], "shards");

    // The shard that refused it a moment ago takes it now.
    survey.collect_on(3, &scored(2)).expect(204);
    // The config names the shards; nobody has asked for it before.
    let config = deployment.request("GET", &format!("/v1/config/{}", site.id)).get().expect(200);
    let shards: Vec<_> = (0..4).map(|shard| survey.shard(shard)).collect();
    assert_eq!(config["surveys"][0]["shards"], json!(shards));
    // A display in flight goes on where it started.
    let completed = harness::display(1, 2, "completed", json!({ "score": 9, "why": "fast" }));
    survey.collect(&completed).expect(204);
    survey.collect(&scored(1)).expect(204);
    let summary = survey.summary();
    assert_eq!((&summary["n"], &summary["funnel"]["completed"]), (&json!(2), &json!(1)));
}

#[test]
fn a_change_is_made_only_to_what_its_caller_read() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    let read = survey.request("GET", "").get();
    let tag = read.header("etag").to_owned();
    assert_eq!(survey.request("GET", "").get().header("etag"), tag, "nothing was changed");
    let patch = |tag: &str, quota: u32| {
        let request = survey.request("PATCH", "").header("if-match", tag);
        request.json(&json!({ "quota": quota }))
    };
    let changed = patch(&tag, 500);
    assert_eq!(changed.status, 200);
    let next = changed.header("etag").to_owned();
    assert_ne!(next, tag);
    // The second editor has read what was there before.
    let refused = patch(&tag, 900);
    let problem = refused.problem(412, "changed_meanwhile");
    assert_eq!((&problem["field"], &problem["limit"]), (&json!("If-Match"), &json!(next)));
    let draft = survey.request("GET", "").get().expect(200)["draft"].clone();
    assert_eq!(draft["quota"], 500);
    // Whatever is done to the survey takes the tag, and so do the settings.
    let post =
        |path: &str, tag: &str| survey.request("POST", path).header("if-match", tag).send("");
    post("/pause", &tag).problem(412, "changed_meanwhile");
    survey.request("DELETE", "").header("if-match", &tag).get().problem(412, "changed_meanwhile");
    let paused = post("/pause", &format!("\"other\", W/{next}"));
    assert_eq!(paused.status, 200);
    assert_eq!(post("/resume", "*").status, 200);
    post("/pause", "none").problem(400, "invalid_header");
    let settings = site.request("GET", "").get();
    let tag = settings.header("etag").to_owned();
    let rest = |days: u8| {
        let request = site.request("PATCH", "").header("if-match", &tag);
        request.json(&json!({ "rest_days": days }))
    };
    assert_eq!(rest(3).status, 200);
    rest(4).problem(412, "changed_meanwhile");
    // A refused change is not in the log.
    let log = site.request("GET", "/audit").get().expect(200);
    let changes = log["entries"].as_array().unwrap();
    let made = |action: &str| changes.iter().filter(|entry| entry["action"] == action).count();
    assert_eq!((made("update_survey"), made("change_settings"), made("pause")), (1, 1, 1));
}

#[test]
fn a_repeated_change_gets_its_answer_though_the_tag_is_an_earlier_one() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    let tag = survey.request("GET", "").get().header("etag").to_owned();
    let send = || {
        let request = survey.request("PATCH", "").header("if-match", &tag);
        request.header("idempotency-key", "once").json(&json!({ "quota": 7 }))
    };
    let first = send();
    assert_eq!(first.status, 200);
    let again = send();
    assert_eq!((again.status, again.header("etag")), (200, first.header("etag")));
}
