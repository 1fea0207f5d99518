//! Collecting: what is taken, what is refused, and that refusing leaves nothing.

use harness::{Answer, Deployment, Site, Survey, display};
use serde_json::json;

/// Nothing was shown and nothing answered.
pub fn assert_empty(survey: &Survey<'_>) {
    let summary = survey.summary();
    assert_eq!((&summary["n"], &summary["funnel"]["shown"]), (&json!(0), &json!(0)), "{summary}");
}

#[test]
fn a_display_is_stored_once_however_often_it_is_sent() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    let scored = display(1, 2, "started", json!({ "score": 9 }));
    let commented = display(1, 3, "completed", json!({ "score": 9, "why": "It is fast." }));
    for told in [&scored, &scored, &commented, &scored, &commented] {
        let answer = survey.collect(told);
        answer.expect(204);
        assert_eq!(answer.header("access-control-allow-origin"), "*");
    }
    let summary = survey.summary();
    assert_eq!((&summary["n"], &summary["score"]), (&json!(1), &json!(100.0)));
    assert_eq!(summary["funnel"]["completed"], 1);
}

/// What lets a page tell the edge's own answer from one of a box in between.
fn assert_marked(answer: &Answer) {
    assert_eq!(answer.header("asklet"), "1", "{answer:?}");
    let exposed = answer.header("access-control-expose-headers");
    assert!(exposed.split(", ").any(|name| name == "asklet"), "{answer:?}");
}

#[test]
fn every_answer_to_a_page_carries_the_mark_of_the_edge() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    assert_marked(&survey.collect(&display(1, 1, "started", json!({ "score": 9 }))));
    let post = |path: &str, origin: &str, media_type: &str, body: &str| {
        let request = deployment.request("POST", path).header("origin", origin);
        request.header("content-type", media_type).send(body)
    };
    let (shop, path) = ("https://shop.example", survey.collect_path(0));
    let unknown = format!("/v1/collect/any-{}/{}/0", "0".repeat(18), survey.id);
    let good = display(2, 1, "shown", json!({})).to_string();
    for (path, origin, media_type, body, status) in [
        (&*path, shop, "text/plain", "{", 400),
        (&path, "https://elsewhere.example", "text/plain", &good, 403),
        (&unknown, shop, "text/plain", &good, 404),
        (&path, shop, "text/plain", &" ".repeat(20_000), 413),
        (&path, shop, "image/png", &good, 415),
    ] {
        let answer = post(path, origin, media_type, body);
        assert_eq!(answer.status, status, "{answer:?}");
        assert_marked(&answer);
    }
    let get = |path: &str| deployment.request("GET", path).get();
    for path in [&format!("/v1/config/{}", site.id), "/asklet.js", &path, "/nowhere"] {
        assert_marked(&get(path));
    }
    let installs = format!("/v1/installs/{}", site.id);
    assert_marked(&post(&installs, shop, "text/plain", r#"{"directive":"script-src"}"#));
}

#[test]
fn a_revision_that_cannot_follow_is_refused() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    survey.collect(&display(1, 2, "started", json!({ "score": 9 }))).expect(204);
    let conflict = survey.collect(&display(1, 2, "started", json!({ "score": 8 })));
    assert_eq!(conflict.problem(409, "revision_conflict")["field"], "revision");
    let lowered = survey.collect(&display(1, 3, "seen", json!({})));
    assert_eq!(lowered.problem(422, "stage_lowered")["limit"], "at least started");
    assert_eq!(survey.summary()["counts"]["promoter"], 1);
}

#[test]
fn each_broken_rule_has_its_code_and_nothing_is_stored() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    let answers = |answers| display(1, 1, "started", answers);
    let with = |field: &str, value| {
        let mut display = answers(json!({ "score": 9 }));
        display[field] = value;
        display
    };
    for (told, status, code, field) in [
        (answers(json!({ "score": 11 })), 422, "score_off_scale", "answers.score"),
        (answers(json!({ "score": "9" })), 422, "wrong_answer_type", "answers.score"),
        (answers(json!({ "why": 9 })), 422, "wrong_answer_type", "answers.why"),
        (answers(json!({ "mood": 9 })), 422, "unknown_question", "answers.mood"),
        (answers(json!({ "why": "x".repeat(21) })), 422, "text_too_long", "answers.why"),
        (answers(json!({ "score": 9.5 })), 400, "malformed_json", "answers.score"),
        (answers(json!({ "score": -1 })), 400, "malformed_json", "answers.score"),
        (answers(json!({ "score": 256 })), 400, "malformed_json", "answers.score"),
        (answers(json!({ "score": null })), 400, "malformed_json", "answers.score"),
        (with("stage", json!("seen")), 422, "invalid_display", "stage"),
        (with("stage", json!("won")), 400, "malformed_json", "stage"),
        (with("revision", json!(0)), 422, "invalid_display", "revision"),
        (with("version", json!(7)), 404, "unknown_version", "version"),
        (with("id", json!("1")), 400, "malformed_json", "id"),
        (with("age_ms", json!(-1)), 400, "malformed_json", "age_ms"),
    ] {
        let answer = survey.collect(&told);
        assert_eq!(answer.problem(status, code)["field"], field, "{told}");
        assert_eq!(answer.header("access-control-allow-origin"), "*");
    }
    assert_empty(&survey);
}

#[test]
fn a_body_that_is_no_display_is_refused() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    let post = |content_type: &str, body: &[u8]| {
        let request = deployment.request("POST", &survey.collect_path(0));
        request.header("content-type", content_type).send_bytes(body)
    };
    post("text/plain", b"").problem(400, "malformed_json");
    post("text/plain", b"{").problem(400, "malformed_json");
    post("text/plain", b"[1]").problem(400, "malformed_json");
    post("text/plain", b"{\"id\":\"\xff\"}").problem(400, "malformed_utf8");
    post("text/plain", "[".repeat(5_000).as_bytes()).problem(400, "malformed_json");
    let two = display(1, 1, "shown", json!({})).to_string().repeat(2);
    post("text/plain", two.as_bytes()).problem(400, "malformed_json");
    let twice = post("text/plain", br#"{"answers":{"score":9,"score":1}}"#);
    twice.problem(400, "malformed_json");
    post("application/xml", b"<a/>").problem(415, "unsupported_media_type");
    let large = post("text/plain", &vec![b' '; 16 * 1024 + 1]);
    assert_eq!(large.problem(413, "body_too_large")["limit"], "16384 bytes");
    assert_empty(&survey);
}

#[test]
fn what_a_stranger_makes_up_is_refused() {
    let deployment = Deployment::start();
    let (site, other) = (deployment.site(), deployment.site());
    let survey = site.survey();
    refuse_what_is_made_up(&deployment, (&site, &survey), &other);
    assert_empty(&survey);
}

/// Asks for what does not exist, in every way that a untrusted client can think of.
pub fn refuse_what_is_made_up(
    deployment: &Deployment,
    (site, survey): (&Site<'_>, &Survey<'_>),
    other: &Site<'_>,
) {
    let told = display(1, 1, "started", json!({ "score": 9 }));
    let post = |path: &str| deployment.request("POST", path).json(&told);
    let forged = "any-000000000000000000";
    post(&format!("/v1/collect/{forged}/{}/0", survey.id)).problem(404, "unknown_site");
    post(&format!("/v1/collect/{}/{}/0", other.id, survey.id)).problem(404, "unknown_survey");
    post(&format!("/v1/collect/{}/000000000000000000/0", site.id)).problem(404, "unknown_survey");
    deployment.request("GET", &format!("/v1/config/{forged}")).get().problem(404, "unknown_site");
    for (site, survey) in [(forged, survey.id.as_str()), (&other.id, &survey.id)] {
        let path = format!("/s/{site}/{survey}");
        assert_eq!(deployment.request("GET", &path).get().status, 404);
        assert_eq!(deployment.request("POST", &path).send("form=1").status, 404);
        let path = format!("{path}?preview=1-0");
        assert_eq!(deployment.request("GET", &path).get().status, 404);
    }
    let body = format!("/v1/body/{}/000000000000000000/0123456789abcdef", site.id);
    deployment.request("GET", &body).get().problem(404, "unknown_survey");
    // A digest that is none.
    let body = format!("/v1/body/{}/{}/0123456789", site.id, survey.id);
    deployment.request("GET", &body).get().problem(404, "unknown_body");
    // Shards that the survey does not have: no number at all, one too large, and one that nobody
    // sealed for it.
    for shard in ["x", "8", "1", "100000000"] {
        let path = format!("/v1/collect/{}/{}/{shard}", site.id, survey.id);
        post(&path).problem(404, "unknown_shard");
    }
}

#[test]
fn pages_of_other_origins_are_kept_out() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    let post = |number, origin: &str| {
        let told = display(number, 1, "started", json!({ "score": 9 }));
        let request = deployment.request("POST", &survey.collect_path(0));
        request.header("origin", origin).json(&told)
    };
    for origin in
        ["https://evil.example", "http://shop.example", "null", "https://shop.example:444"]
    {
        post(1, origin).problem(403, "origin_not_allowed");
    }
    assert_empty(&survey);
    post(1, "https://shop.example").expect(204);
    let preflight = deployment.request("OPTIONS", &survey.collect_path(0)).get();
    preflight.expect(204);
    assert_eq!(preflight.header("access-control-allow-methods"), "GET, POST");
}
