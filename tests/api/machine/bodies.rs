//! Bodies that do not come: who may not call a route is refused without one, and nobody waits for long.

use harness::{ADMIN_TOKEN, Machine, Site, Survey, Unfinished, team_routes};
use serde_json::{Value, json};

/// The routes of a site that take a body, of one of its surveys.
fn sent(site: &Site<'_>, survey: &Survey<'_>) -> Vec<(&'static str, &'static str, String)> {
    let sent = team_routes().filter(|route| matches!(route.method, "POST" | "PUT" | "PATCH"));
    sent.map(|route| {
        let display = "019a3cb6-bc00-7cc3-98c4-dc0c0c07398f";
        let below = route.path.replace("{survey}", &survey.id).replace("{display}", display);
        (route.method, route.path, format!("/v1/sites/{}{below}", site.id))
    })
    .collect()
}

#[test]
fn whoever_may_not_call_a_route_is_refused_before_its_body_is_read() {
    let machine = Machine::start();
    let site = machine.site();
    let survey = site.survey();
    let of_team = sent(&site, &survey).into_iter().map(|(method, _, path)| (method, path));
    let of_operator =
        [("POST", "/v1/sites".to_owned()), ("POST", format!("/v1/sites/{}/bundle", site.id))];
    let key = format!("authorization: Bearer ak_{}_{}", site.id, "0".repeat(50));
    for (number, (method, path)) in of_team.chain(of_operator).enumerate() {
        // From another address each time, so that none is slowed.
        let address = format!("x-forwarded-for: 203.0.113.{number}");
        // More than any route takes; and nothing of it comes.
        let headers = [&*key, &address, "content-type: text/plain", "content-length: 99000000"];
        let mut request = Unfinished::begin(&machine, method, &path, &headers);
        assert_eq!(request.status(), 401, "{method} {path}");
    }
    for (path, headers) in [
        (survey.collect_path(0), ["content-type: text/plain", "origin: https://evil.example"]),
        (
            survey.hosted_path(),
            ["content-type: application/x-www-form-urlencoded", "sec-fetch-site: cross-site"],
        ),
        (
            format!("/v1/installs/{}", site.id),
            ["content-type: text/plain", "origin: https://evil.example"],
        ),
    ] {
        let headers = [headers[0], headers[1], "content-length: 100"];
        let mut request = Unfinished::begin(&machine, "POST", &path, &headers);
        assert_eq!(request.status(), 403, "{path}");
    }
}

#[test]
fn a_body_in_another_encoding_is_read_before_it_is_refused() {
    let machine = Machine::start();
    let site = machine.site();
    let survey = site.survey();
    let path = format!("/v1/sites/{}/surveys/{}/import", site.id, survey.id);
    let key = format!("authorization: Bearer {}", site.key);
    let headers = [&*key, "content-encoding: br", "content-length: 200000"];
    let mut request = Unfinished::post(&machine, &path, &headers);
    let half = "x".repeat(100_000);
    request.send(&half);
    // An answer that did not wait for the body would be there by then.
    assert_eq!(survey.summary()["n"], Value::from(0));
    assert!(!request.is_answered());
    request.send(&half);
    assert_eq!(request.status(), 415);
}

#[test]
fn a_body_that_does_not_come_is_given_up_on_every_route() {
    let machine = Machine::start();
    let site = machine.site();
    let survey = site.survey();
    let preview = survey.request("POST", "/preview").send("").expect(201);
    let preview = preview["path"].as_str().unwrap().to_owned();
    // These make something of nothing.
    let reads = |template: &str| {
        !["/identity-secrets", "/publish", "/pause", "/resume", "/archive", "/duplicate"]
            .iter()
            .chain(&["/preview", "/include", "/refuse", "/accept"])
            .any(|bodiless| template.ends_with(bodiless))
    };
    let key = format!("authorization: Bearer {}", site.key);
    let admin = format!("authorization: Bearer {ADMIN_TOKEN}");
    let mut all: Vec<(&str, String, String)> = sent(&site, &survey)
        .into_iter()
        .filter(|(_, template, _)| reads(template))
        .map(|(method, _, path)| (method, path, key.clone()))
        .collect();
    let form = "content-type: application/x-www-form-urlencoded";
    let page = "content-type: text/plain\r\norigin: https://shop.example";
    all.extend([
        ("POST", "/v1/sites".to_owned(), admin.clone()),
        ("POST", format!("/v1/sites/{}/bundle", site.id), admin),
        ("POST", survey.hosted_path(), form.to_owned()),
        ("POST", preview, form.to_owned()),
        ("POST", survey.collect_path(0), page.to_owned()),
        ("POST", format!("/v1/installs/{}", site.id), page.to_owned()),
    ]);
    let requests: Vec<_> = all
        .iter()
        .map(|(method, path, headers)| {
            let mut request =
                Unfinished::begin(&machine, method, path, &[headers, "content-length: 100"]);
            request.send("{");
            request
        })
        .collect();
    for ((method, path, _), mut request) in all.iter().zip(requests) {
        assert_eq!(request.status(), 408, "{method} {path}");
    }
    assert_eq!(survey.summary()["n"], Value::from(0));
    assert_eq!(
        site.request("GET", "/keys").get().expect(200)["keys"].as_array().map(Vec::len),
        Some(1)
    );
    assert_eq!(site.request("GET", "/surveys").get().expect(200)["surveys"][0]["shards"], json!(1));
}
