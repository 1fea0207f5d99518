//! Routes and credentials.

use harness::{ADMIN_TOKEN, Deployment, nps_with_comment};
use serde_json::json;

#[test]
fn monitors_get_an_answer() {
    let deployment = Deployment::start();
    assert_eq!(deployment.request("GET", "/healthz").get().expect(200)["status"], "ok");
}

#[test]
fn unknown_paths_and_methods_are_told_apart() {
    let deployment = Deployment::start();
    deployment.request("GET", "/nothing").get().problem(404, "not_found");
    deployment.request("GET", "/demo").get().problem(404, "not_found");
    let refused = deployment.request("DELETE", "/healthz").get();
    refused.problem(405, "method_not_allowed");
    assert_eq!(refused.header("allow"), "GET");
}

#[test]
fn only_the_admin_token_makes_sites() {
    let deployment = Deployment::start();
    let site = json!({ "name": "Shop", "origins": ["https://shop.example"] });
    let create = || deployment.request("POST", "/v1/sites");
    create().json(&site).problem(401, "unauthenticated");
    create().bearer("guess").json(&site).problem(401, "unauthenticated");
    let basic = create().header("authorization", &format!("Basic {ADMIN_TOKEN}")).json(&site);
    assert_eq!(basic.header("www-authenticate"), "Bearer");
    basic.problem(401, "unauthenticated");
    create().bearer(ADMIN_TOKEN).json(&site).expect(201);
}

#[test]
fn a_site_that_breaks_a_rule_is_refused_with_the_field() {
    let deployment = Deployment::start();
    for (body, code, field) in [
        (json!({ "name": "", "origins": ["*"] }), "invalid_settings", "name"),
        (json!({ "name": "Shop", "origins": [] }), "invalid_settings", "origins"),
        (json!({ "name": "Shop", "origins": ["shop.example"] }), "invalid_settings", "origins[0]"),
        (json!({ "name": "Shop", "origins": [7] }), "malformed_json", "origins[0]"),
        (json!({ "name": "Shop", "origins": ["*"], "plan": 1 }), "malformed_json", "plan"),
    ] {
        let answer = deployment.request("POST", "/v1/sites").bearer(ADMIN_TOKEN).json(&body);
        let problem = answer.problem(if code == "invalid_settings" { 422 } else { 400 }, code);
        assert_eq!(problem["field"], field);
    }
}

#[test]
fn a_team_route_wants_a_key_of_its_site() {
    let deployment = Deployment::start();
    let (site, other) = (deployment.site(), deployment.site());
    let survey = site.survey();
    let summary = format!("{}/{}/summary", site.surveys(), survey.id);
    let publish = format!("{}/{}/publish", site.surveys(), survey.id);
    let unknown_key = format!("ak_{}_{}", site.id, "0".repeat(50));
    let nowhere = format!("/v1/sites/{}/surveys/{}/summary", site.id, "0".repeat(18));
    for (method, path) in
        [("GET", &summary), ("POST", &publish), ("POST", &site.surveys()), ("GET", &nowhere)]
    {
        let ask = || deployment.request(method, path);
        let send = |request: harness::Request| match method {
            "GET" => request.get(),
            _ => request.json(&nps_with_comment()),
        };
        send(ask()).problem(401, "unauthenticated");
        send(ask().bearer("ak_nonsense")).problem(401, "unauthenticated");
        send(ask().bearer(ADMIN_TOKEN)).problem(401, "unauthenticated");
        send(ask().bearer(&other.key)).problem(403, "forbidden");
        if path != &nowhere {
            send(ask().bearer(&unknown_key)).problem(401, "unauthenticated");
        }
    }
}
