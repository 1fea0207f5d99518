//! Whether the tag runs: what pages tell by fetching the config, and by reporting.

use std::thread;
use std::time::{Duration, Instant};

use harness::{Answer, Deployment, Site};
use serde_json::{Value, json};

const SHOP: &str = "https://shop.example";

/// How long what is told after an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The installs of a site, once there are so many.
fn installs(site: &Site<'_>, count: usize) -> Vec<Value> {
    let until = Instant::now() + PATIENCE;
    loop {
        let told = site.request("GET", "/installs").get().expect(200);
        let installs = told["installs"].as_array().unwrap().clone();
        if installs.len() >= count || Instant::now() > until {
            assert_eq!(installs.len(), count, "{told}");
            return installs;
        }
        thread::sleep(Duration::from_millis(20));
    }
}

fn config(deployment: &Deployment, site: &Site<'_>, header: &str, value: &str) {
    let request = deployment.request("GET", &format!("/v1/config/{}", site.id));
    request.header(header, value).get().expect(200);
}

fn report(deployment: &Deployment, site: &Site<'_>, origin: &str, body: &str) -> Answer {
    let request = deployment.request("POST", &format!("/v1/installs/{}", site.id));
    request.header("content-type", "text/plain").header("origin", origin).send(body)
}

#[test]
fn a_page_that_fetches_the_config_shows_that_the_tag_runs_there() {
    let deployment = Deployment::start();
    let site = deployment.site();
    assert_eq!(installs(&site, 0), Vec::<Value>::new());
    for origin in ["null", "https://*.shop.example", "nonsense"] {
        config(&deployment, &site, "origin", origin);
    }
    config(&deployment, &site, "origin", SHOP);
    let seen = installs(&site, 1).remove(0);
    assert_eq!((&seen["origin"], &seen["problems"]), (&json!(SHOP), &json!([])));
    assert_eq!(seen["first_seen"], seen["last_seen"]);
    assert_eq!(seen["first_seen"].as_str().unwrap().len(), "2026-11-22".len());

    assert_eq!(seen["listed"], true);

    // From its own origin a page says nothing but where it is.
    let settings = json!({ "name": "Shop", "origins": [SHOP, "https://news.example"] });
    let other = deployment.site();
    other.request("PUT", "").json(&settings).expect(200);
    config(&deployment, &other, "referer", "https://news.example/today?x=https://shop.example");
    assert_eq!(installs(&other, 1)[0]["origin"], "https://news.example");
}

#[test]
fn a_page_of_an_origin_that_is_not_listed_asks_nothing_and_shows_where_the_tag_runs() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    let path = format!("/v1/config/{}", site.id);
    let of = |origin: &str| deployment.request("GET", &path).header("origin", origin).get();
    let www = "https://www.shop.example";
    for origin in [www, "null"] {
        let answer = of(origin);
        let expected = json!({ "surveys": [], "problem": "origin_not_allowed" });
        assert_eq!(answer.expect(200), expected);
        // What caches keep is this origin's alone.
        assert_eq!(answer.header("vary"), "origin, sec-gpc, dnt");
    }
    let listed = of(SHOP);
    let config = listed.expect(200);
    assert_eq!((&config["surveys"][0]["id"], config.get("problem")), (&json!(survey.id), None));
    assert_ne!(listed.header("etag"), of(www).header("etag"));
    let known = deployment.request("GET", &path).header("if-none-match", listed.header("etag"));
    assert_eq!(known.header("origin", www).get().status, 200);
    // The edge's own pages say no origin when they fetch.
    assert_eq!(deployment.request("GET", &path).get().expect(200), config);
    let seen = installs(&site, 2);
    let seen: Vec<_> = seen.iter().map(|seen| (&seen["origin"], &seen["listed"])).collect();
    assert_eq!(seen, [(&json!(SHOP), &json!(true)), (&json!(www), &json!(false))]);
}

#[test]
fn a_page_says_which_directive_stood_in_the_way() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let script = r#"{"directive":"script-src"}"#;
    report(&deployment, &site, SHOP, script).expect(204);
    // Whatever another release adds is left alone.
    let more = r#"{"directive":"require-trusted-types-for","sample":"x"}"#;
    let answer = report(&deployment, &site, SHOP, more);
    answer.expect(204);
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    for _ in 0..3 {
        report(&deployment, &site, SHOP, script).expect(204);
    }
    let until = Instant::now() + PATIENCE;
    let seen = loop {
        let seen = installs(&site, 1).remove(0);
        if seen["problems"].as_array().unwrap().len() == 2 || Instant::now() > until {
            break seen;
        }
    };
    let today = &seen["last_seen"];
    assert_eq!(
        seen["problems"],
        json!([
            { "directive": "require-trusted-types-for", "last_seen": today },
            { "directive": "script-src", "last_seen": today },
        ])
    );

    for (body, status, code) in [
        (r#"{"directive":"style-src"}"#, 422, "unknown_directive"),
        (r#"{"directive":7}"#, 400, "malformed_json"),
        ("{}", 400, "malformed_json"),
        ("", 400, "malformed_json"),
        (&format!("{{\"directive\":\"{}\"}}", "x".repeat(1_024)), 413, "body_too_large"),
    ] {
        report(&deployment, &site, SHOP, body).problem(status, code);
    }
    for origin in ["https://elsewhere.example", "null"] {
        report(&deployment, &site, origin, script).problem(403, "origin_not_allowed");
    }
    let path = format!("/v1/installs/{}", site.id);
    let send = |media_type| deployment.request("POST", &path).header("content-type", media_type);
    send("text/plain").send(script).problem(403, "origin_not_allowed");
    send("text/html").header("origin", SHOP).send(script).problem(415, "unsupported_media_type");
    send("application/json").header("origin", SHOP).send(script).expect(204);
    deployment.request("GET", &path).get().problem(405, "method_not_allowed");
    let preflight = deployment.request("OPTIONS", &path).get();
    assert_eq!(preflight.header("access-control-allow-methods"), "GET, POST");
    let nowhere = deployment.request("POST", "/v1/installs/any-0000000000aaaaaaaa");
    nowhere.header("content-type", "text/plain").send(script).problem(404, "unknown_site");
}

#[test]
fn origins_that_are_listed_no_more_are_forgotten_and_no_more_than_two_hundred_kept() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let settings = json!({ "name": "Shop", "origins": ["https://*.shop.example"] });
    site.request("PUT", "").json(&settings).expect(200);
    for number in 0..250 {
        config(&deployment, &site, "origin", &format!("https://n{number}.shop.example"));
    }
    installs(&site, 200);
    let settings = json!({ "name": "Shop", "origins": [SHOP] });
    site.request("PUT", "").json(&settings).expect(200);
    installs(&site, 0);
}
