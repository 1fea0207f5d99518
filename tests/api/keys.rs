//! Keys, the admin tokens, and the log of what was done with them.

use harness::{ADMIN_TOKEN, Answer, Deployment, Request, Site, display, nps_with_comment};
use serde_json::{Value, json};

/// A new key of a site, with its id.
fn new_key(site: &Site<'_>, scope: &str) -> (String, String) {
    let body = json!({ "name": format!("a {scope} key"), "scope": scope });
    let made = site.request("POST", "/keys").json(&body).expect(201);
    (made["id"].as_str().unwrap().to_owned(), made["key"].as_str().unwrap().to_owned())
}

fn log(site: &Site<'_>) -> Vec<Value> {
    let page = site.request("GET", "/audit").get().expect(200);
    assert_eq!(page["next"], Value::Null);
    page["entries"].as_array().unwrap().clone()
}

#[test]
fn a_key_is_shown_once_does_what_its_scope_says_and_is_dead_when_it_is_revoked() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    let (id, reader) = new_key(&site, "read");
    let (_, writer) = new_key(&site, "write");
    let list = site.request("GET", "/keys").get();
    let in_order = |answer: &Answer| {
        let mut keys = answer.expect(200)["keys"].as_array().unwrap().clone();
        // Those of one millisecond come in any order.
        keys.sort_by_key(|key| key["scope"].to_string());
        keys
    };
    let keys = in_order(&list);
    let told: Vec<_> = keys.iter().map(|key| (&key["name"], &key["scope"])).collect();
    let [first, read, write] = ["first", "a read key", "a write key"].map(|name| json!(name));
    assert_eq!(
        told,
        [(&first, &json!("admin")), (&read, &json!("read")), (&write, &json!("write"))]
    );
    for secret in [&site.key, &reader, &writer] {
        let secret = secret.rsplit('_').next().unwrap();
        assert!(!String::from_utf8_lossy(&list.body).contains(secret));
    }
    assert!(keys[0]["last_used"].is_string());
    assert_eq!(keys[1]["last_used"], Value::Null);

    let ask = |method: &str, below: &str, key: &str| -> Request {
        deployment.request(method, &format!("/v1/sites/{}{below}", site.id)).bearer(key)
    };
    let publish = format!("/surveys/{}/publish", survey.id);
    let summary = format!("/surveys/{}/summary", survey.id);
    ask("GET", &summary, &reader).get().expect(200);
    let refused = ask("POST", &publish, &reader).send("").problem(403, "scope_too_small");
    assert_eq!(refused["limit"], "write");
    ask("POST", &publish, &writer).send("").expect(200);
    ask("GET", &summary, &writer).get().expect(200);
    let refused = ask("GET", "/keys", &writer).get().problem(403, "scope_too_small");
    assert_eq!(refused["limit"], "admin");
    let keys = in_order(&site.request("GET", "/keys").get());
    let today = &keys[0]["last_used"];
    assert_eq!((&keys[1]["last_used"], &keys[2]["last_used"]), (today, today));

    site.request("DELETE", &format!("/keys/{id}")).get().expect(204);
    ask("GET", &summary, &reader).get().problem(401, "unauthenticated");
    site.request("DELETE", &format!("/keys/{id}")).get().problem(404, "not_found");
}

#[test]
fn a_site_keeps_an_admin_key_and_the_operator_can_make_another() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let id = site.request("GET", "/keys").get().expect(200)["keys"][0]["id"].clone();
    let first = format!("/keys/{}", id.as_str().unwrap());
    new_key(&site, "write");
    site.request("DELETE", &first).get().problem(409, "last_admin_key");

    let operate = |method: &str, below: &str| {
        deployment.request(method, &format!("/v1/sites/{}{below}", site.id)).bearer(ADMIN_TOKEN)
    };
    let body = json!({ "name": "found again", "scope": "admin" });
    let made = operate("POST", "/keys").json(&body).expect(201);
    assert_eq!(operate("GET", "/keys").get().expect(200)["keys"].as_array().unwrap().len(), 3);
    operate("DELETE", &first).get().expect(204);
    site.request("GET", "").get().problem(401, "unauthenticated");
    let found = made["key"].as_str().unwrap();
    let request = deployment.request("GET", &format!("/v1/sites/{}/audit", site.id));
    let log = request.bearer(found).get().expect(200);
    let entries: Vec<_> = log["entries"].as_array().unwrap().iter().rev().collect();
    let told: Vec<_> = entries.iter().map(|entry| (&entry["by"], &entry["action"])).collect();
    let operator = json!("operator");
    assert_eq!(told[0], (&operator, &json!("create_site")));
    assert_eq!(told[1], (&id, &json!("create_key")));
    assert_eq!(told[2], (&operator, &json!("create_key")));
    assert_eq!(told[3], (&operator, &json!("revoke_key")));
    assert_eq!(told[4], (&json!("unknown"), &json!("refuse_key")));
    assert_eq!((told.len(), &entries[3]["target"]), (5, &id));
    // The rest is the team's, and sites that are none are none to the operator too.
    operate("GET", "/audit").get().problem(401, "unauthenticated");
    let nowhere = deployment.request("GET", "/v1/sites/any-nothing/keys").bearer(ADMIN_TOKEN);
    nowhere.get().problem(404, "unknown_site");
}

#[test]
fn a_key_that_breaks_a_rule_is_refused_with_the_field() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let long = "x".repeat(101);
    for (body, status, code, field) in [
        (json!({ "name": " ", "scope": "read" }), 422, "invalid_settings", json!("name")),
        (json!({ "name": long, "scope": "read" }), 422, "invalid_settings", json!("name")),
        (json!({ "name": "x", "scope": "root" }), 400, "malformed_json", json!("scope")),
        (json!({ "name": "x" }), 400, "malformed_json", Value::Null),
        (json!({ "name": "x", "scope": "read", "for": 1 }), 400, "malformed_json", json!("for")),
    ] {
        let problem = site.request("POST", "/keys").json(&body).problem(status, code);
        assert_eq!(problem["field"], field, "{problem}");
    }
    for below in ["/keys?x=1", "/audit?after=1", "/audit?before=now", "/installs?x=1"] {
        site.request("GET", below).get().problem(400, "invalid_query");
    }
    for _ in 1..50 {
        new_key(&site, "read");
    }
    let more = json!({ "name": "more", "scope": "read" });
    let problem = site.request("POST", "/keys").json(&more).problem(409, "too_many_keys");
    assert_eq!(problem["limit"], "50 keys");
}

#[test]
#[expect(clippy::too_many_lines, reason = "one story, told in order")]
fn the_log_says_who_did_what_and_never_about_whom() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    survey.collect(&display(1, 1, "started", json!({ "score": 9 }))).expect(204);
    let id = display(1, 1, "started", json!({}))["id"].as_str().unwrap().to_owned();
    let exclude = survey.request("POST", &format!("/displays/{id}/exclude"));
    exclude.json(&json!({ "reason": "a test" })).expect(204);
    survey.request("POST", &format!("/displays/{id}/include")).send("{}").expect(204);
    let line = json!({
        "id": "017f22e2-79b0-7cc3-98c4-dc0c0c07398f", "revision": 1, "version": 1,
        "stage": "seen", "channel": "email", "shown_ms": 1_700_000_000_000_u64,
    });
    survey.request("POST", "/import").send(&format!("{line}\n{line}\n")).expect(200);
    let person = json!({ "respondent": "customer-17" });
    site.request("POST", "/respondents/erase").json(&person).expect(200);
    // What was refused did not happen.
    survey.request("PUT", "").json(&json!({})).problem(400, "malformed_json");
    survey.request("POST", "/displays/none/include").send("").problem(404, "unknown_display");
    survey
        .request("POST", "/shards")
        .json(&json!({ "shards": 9 }))
        .problem(422, "invalid_settings");
    survey.request("POST", "/pause").send("").expect(200);

    // Neither did what a shard knows nothing of, and importing again what is there.
    let unknown = display(9, 1, "shown", json!({}))["id"].as_str().unwrap().to_owned();
    let reason = json!({ "reason": "spam" });
    let nowhere = format!("/displays/{unknown}");
    let exclude = survey.request("POST", &format!("{nowhere}/exclude")).json(&reason);
    exclude.problem(404, "unknown_display");
    survey.request("DELETE", &nowhere).get().problem(404, "unknown_display");
    survey.request("POST", "/import").send(&format!("{line}\n")).expect(200);
    // Reading everything, or all of one respondent, is in it.
    survey.request("GET", "/export?format=csv").get();
    site.request("POST", "/respondents/lookup").json(&person).expect(200);
    survey.request("POST", "/responses/query").json(&person).expect(200);
    survey.request("POST", "/responses/query").json(&json!({})).expect(200);

    let entries = log(&site);
    let told: Vec<_> = entries
        .iter()
        .rev()
        .map(|entry| {
            let text = |field: &str| entry[field].as_str().unwrap_or_default().to_owned();
            (text("action"), text("survey") == survey.id, text("target"), text("detail"))
        })
        .collect();
    let entry = |action: &str, of_survey: bool, target: &str, detail: &str| {
        (action.to_owned(), of_survey, target.to_owned(), detail.to_owned())
    };
    assert_eq!(
        told[1..],
        [
            entry("create_survey", true, "", ""),
            entry("publish", true, "", ""),
            entry("exclude", true, &id, ""),
            entry("include", true, &id, ""),
            entry("import", true, "", "1 of 2 lines stored"),
            entry("erase", false, "", "0 displays"),
            entry("pause", true, "", ""),
            entry("export", true, "", "csv"),
            entry("lookup", false, "", ""),
            entry("lookup", true, "", ""),
        ]
    );
    let whole = serde_json::to_string(&entries).unwrap();
    assert!(!whole.contains("customer-17"));
    let newest = entries[0]["seq"].as_u64().unwrap();
    let older = site.request("GET", &format!("/audit?before={newest}")).get().expect(200);
    assert_eq!(older["entries"].as_array().unwrap().len(), entries.len() - 1);
}

#[test]
fn keys_that_are_refused_are_in_the_log_once_a_minute_each() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    let reader = new_key(&site, "read");
    let unknown = format!("ak_{}_{}", site.id, "0".repeat(50));
    for _ in 0..3 {
        let ask = |key: &str| {
            let path = format!("{}/{}/pause", site.surveys(), survey.id);
            deployment.request("POST", &path).bearer(key).send("")
        };
        ask(&unknown).problem(401, "unauthenticated");
        ask(&reader.1).problem(403, "scope_too_small");
    }
    let entries = log(&site);
    let refused = entries.iter().rev().filter(|entry| entry["action"] == "refuse_key");
    let told: Vec<_> = refused.map(|entry| (&entry["by"], &entry["detail"])).take(2).collect();
    assert_eq!(
        told,
        [
            (&json!("unknown"), &json!("unauthenticated")),
            (&json!(reader.0), &json!("scope_too_small")),
        ]
    );
}

#[test]
fn a_key_that_reads_finds_no_single_person() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    let (_, reader) = new_key(&site, "read");
    let path = format!("{}/{}/responses/query", site.surveys(), survey.id);
    let query = |body: &Value| deployment.request("POST", &path).bearer(&reader).json(body);
    query(&json!({ "text": "fast" })).expect(200);
    let refused = query(&json!({ "respondent": "customer-17" }));
    assert_eq!(refused.problem(403, "scope_too_small")["limit"], "admin");
}

#[test]
fn the_log_comes_in_pages() {
    let deployment = Deployment::start();
    let site = deployment.site();
    for _ in 0..105 {
        site.draft(&nps_with_comment());
    }
    let first = site.request("GET", "/audit").get().expect(200);
    assert_eq!(first["entries"].as_array().unwrap().len(), 100);
    let below = format!("/audit?before={}", first["next"]);
    let second = site.request("GET", &below).get().expect(200);
    assert_eq!(second["entries"].as_array().unwrap().len(), 6);
    assert_eq!(second["next"], Value::Null);
}
