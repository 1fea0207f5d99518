//! Sites: their settings, the operator's list, and their end.

use harness::{ADMIN_TOKEN, Deployment, display};
use serde_json::{Value, json};

#[test]
fn settings_can_be_read_and_changed_and_what_breaks_a_rule_is_named() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let record = site.request("GET", "").get().expect(200);
    assert_eq!(record["settings"]["origins"], json!(["https://shop.example"]));
    assert_eq!(
        (&record["settings"]["tz"], &record["identity_secrets"]),
        (&json!("UTC"), &json!([]))
    );
    let mut settings = record["settings"].clone();
    settings["name"] = json!("Shop 2");
    settings["week_starts"] = json!("sunday");
    settings["theme"] = json!({ "light": { "accent": "#004411" } });
    let changed = site.request("PUT", "").json(&settings).expect(200);
    assert_eq!(changed["settings"]["name"], "Shop 2");
    assert_eq!(site.request("GET", "").get().expect(200), changed);

    for (field, value, at, status, code) in [
        ("tz", json!("Mars/Olympus"), "tz", 422, "invalid_settings"),
        ("origins", json!(["shop.example"]), "origins[0]", 422, "invalid_settings"),
        ("week_starts", json!("friday"), "week_starts", 400, "malformed_json"),
        ("mood", json!(1), "mood", 400, "malformed_json"),
        (
            "theme",
            json!({ "dark": { "text": "#333333" } }),
            "theme.dark.text",
            422,
            "invalid_settings",
        ),
    ] {
        let mut broken = settings.clone();
        broken[field] = value;
        let answer = site.request("PUT", "").json(&broken);
        assert_eq!(answer.problem(status, code)["field"], at);
    }
}

#[test]
fn a_patch_changes_what_it_names_and_leaves_the_rest() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let settings = json!({
        "name": "Shop", "origins": ["https://shop.example"], "tz": "Europe/Berlin",
        "theme": { "light": { "accent": "#004411" } }, "privacy": { "page": "query" },
    });
    let before = site.request("PUT", "").json(&settings).expect(200)["settings"].clone();
    let patch = json!({ "rest_days": 3, "privacy": { "page": null, "device": false } });
    let patched = site.request("PATCH", "").json(&patch).expect(200);
    let mut expected = before.clone();
    expected["rest_days"] = json!(3);
    expected["privacy"]["page"] = json!("path");
    expected["privacy"]["device"] = json!(false);
    assert_eq!(patched["settings"], expected);
    assert_eq!(site.request("GET", "").get().expect(200), patched);
    for (patch, status, code, field) in [
        (json!({ "tz": "Mars/Olympus" }), 422, "invalid_settings", "tz"),
        (json!({ "origins": ["https://Shop.example"] }), 422, "invalid_settings", "origins[0]"),
        (
            json!({ "theme": { "light": { "text": "#777777" } } }),
            422,
            "invalid_settings",
            "theme.light.text",
        ),
        (json!({ "mood": 1 }), 400, "malformed_json", "mood"),
        (json!({ "rest_days": "3" }), 400, "malformed_json", "rest_days"),
    ] {
        let problem = site.request("PATCH", "").json(&patch).problem(status, code);
        assert_eq!(problem["field"], field, "{problem}");
    }
    site.request("PATCH", "").json(&json!({ "name": null })).problem(400, "malformed_json");
    let problem = site.request("PATCH", "").json(&json!({ "origins": ["https://Shop.example"] }));
    let problem = problem.problem(422, "invalid_settings");
    assert!(problem["detail"].as_str().unwrap().contains("lower case"), "{problem}");
    assert_eq!(site.request("GET", "").get().expect(200), patched);
    let audit = site.request("GET", "/audit").get().expect(200);
    assert_eq!(audit["entries"][0]["action"], "change_settings");
}

#[test]
fn a_patch_changes_a_draft_and_keeps_what_it_does_not_name() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    let before = survey.request("GET", "").get().expect(200)["draft"].clone();
    let patch = json!({ "quota": 500, "thanks": { "text": { "en": "Thanks!" } } });
    let mut expected = before.clone();
    expected["quota"] = json!(500);
    expected["thanks"]["text"] = json!({ "en": "Thanks!" });
    assert_eq!(survey.request("PATCH", "").json(&patch).expect(200)["draft"], expected);
    let problem = survey.request("PATCH", "").json(&json!({ "quota": 0 }));
    assert_eq!(problem.problem(422, "invalid_definition")["field"], "quota");
    let patch = json!({ "quota": null, "thanks": before["thanks"] });
    assert_eq!(survey.request("PATCH", "").json(&patch).expect(200)["draft"], before);
}

#[test]
fn a_changed_origin_is_known_to_every_shard_at_once() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    survey.request("POST", "/shards").json(&json!({ "shards": 2 })).expect(200);
    let post = |shard: u16, number: u8, origin: &str| {
        let told = display(number, 1, "started", json!({ "score": 9 }));
        let request = deployment.request("POST", &survey.collect_path(shard));
        request.header("origin", origin).json(&told)
    };
    for shard in 0..2 {
        post(shard, 1, "https://news.example").problem(403, "origin_not_allowed");
    }
    let settings = json!({ "name": "Shop", "origins": ["https://*.example"] });
    site.request("PUT", "").json(&settings).expect(200);
    for (number, shard) in [(1, 0), (2, 1)] {
        post(shard, number, "https://news.example").expect(204);
        post(shard, 3, "https://news.other").problem(403, "origin_not_allowed");
    }
    assert_eq!(survey.summary()["n"], 2);
}

#[test]
fn the_operator_lists_sites_and_removes_one_with_everything_in_it() {
    let deployment = Deployment::start();
    let (site, other) = (deployment.site(), deployment.site());
    let survey = site.survey();
    survey.collect(&display(1, 1, "started", json!({ "score": 9 }))).expect(204);
    let list = || -> Vec<Value> {
        let mut sites = Vec::new();
        let mut path = "/v1/sites".to_owned();
        loop {
            let page = deployment.request("GET", &path).bearer(ADMIN_TOKEN).get().expect(200);
            sites.extend(page["sites"].as_array().unwrap().iter().map(|site| site["site"].clone()));
            let Some(next) = page["next"].as_str() else { return sites };
            path = format!("/v1/sites?after={next}");
        }
    };
    assert!(list().contains(&json!(site.id)) && list().contains(&json!(other.id)));
    deployment.request("GET", "/v1/sites").bearer(&site.key).get().problem(401, "unauthenticated");

    deployment
        .request("DELETE", &format!("/v1/sites/{}", site.id))
        .bearer(ADMIN_TOKEN)
        .get()
        .expect(204);
    assert!(!list().contains(&json!(site.id)));
    site.request("GET", "").get().problem(401, "unauthenticated");
    // What it had is gone from its shards as well.
    let late = survey.collect(&display(2, 1, "started", json!({ "score": 9 })));
    late.problem(404, "unknown_site");
    let config = deployment.request("GET", &format!("/v1/config/{}", site.id)).get();
    config.problem(404, "unknown_site");

    // A team removes its own, and nobody else's.
    let foreign = deployment.request("DELETE", &format!("/v1/sites/{}", other.id));
    foreign.bearer(&site.key).get().problem(403, "forbidden");
    other.request("DELETE", "").get().expect(204);
    assert!(!list().contains(&json!(other.id)));
}

#[test]
fn a_site_says_in_which_language_surveys_are_and_whether_to_ask_whom_a_browser_speaks_for() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let settings = json!({
        "name": "Shop", "origins": ["*"], "language": "de",
        "privacy": { "ask_despite_signal": false },
    });
    site.request("PUT", "").json(&settings).expect(200);
    let survey = site.survey();
    let draft = survey.request("GET", "").get().expect(200);
    assert_eq!(draft["draft"]["language"], "de");
    let config = |header: &str, value: &str| {
        let request = deployment.request("GET", &format!("/v1/config/{}", site.id));
        request.header(header, value).get().expect(200)["surveys"].as_array().unwrap().len()
    };
    assert_eq!((config("dnt", "0"), config("dnt", "1"), config("sec-gpc", "1")), (1, 0, 0));
}
