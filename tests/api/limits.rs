//! Limits: how much is taken at once, and when a survey has enough.

use harness::{ADDRESS_HEADER, ADMIN_TOKEN, Answer, Deployment, Site, display, nps_with_comment};
use serde_json::{Value, json};

#[test]
fn an_address_that_sends_too_much_is_told_to_wait_and_others_go_on() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    let settings = json!({
        "name": "Shop",
        "origins": ["*"],
        "limits": { "address_per_minute": 3, "shard_per_second": 1000 },
    });
    site.request("PUT", "").json(&settings).expect(200);
    let post = |number: u8, addresses: &str| {
        let request = deployment.request("POST", &survey.collect_path(0));
        let told = display(number, 1, "started", json!({ "score": 9 }));
        request.header(ADDRESS_HEADER, addresses).json(&told)
    };
    for number in 0..3 {
        post(number, "203.0.113.7").expect(204);
    }
    let refused = post(3, "203.0.113.7");
    let problem = refused.problem(429, "rate_limited");
    assert_eq!(problem["limit"], "3 requests a minute from one address");
    assert_eq!(refused.header("retry-after"), "10");
    // Who sends the header along does not become somebody else: the proxy adds what it saw.
    post(3, "198.51.100.1, 203.0.113.7").problem(429, "rate_limited");
    post(4, "203.0.113.7, 198.51.100.1").expect(204);
    assert_eq!(survey.summary()["n"], 4);
}

#[test]
fn an_address_counts_as_its_network_and_whoever_comes_past_the_proxy_as_one() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    let settings =
        json!({ "name": "Shop", "origins": ["*"], "limits": { "address_per_minute": 2 } });
    site.request("PUT", "").json(&settings).expect(200);
    let post = |address: &str| {
        let told = display(1, 1, "started", json!({ "score": 9 }));
        let request = deployment.request("POST", &survey.collect_path(0));
        request.header(ADDRESS_HEADER, address).json(&told).status
    };
    for addresses in [
        ["2001:db8:1:2::1", "2001:db8:1:2:ffff::2", "[2001:db8:1:2::3]:443"],
        ["203.0.113.8", "::ffff:203.0.113.8", "203.0.113.8:1234"],
        ["", "", ""],
    ] {
        assert_eq!(addresses.map(post), [204, 204, 429], "{addresses:?}");
    }
    assert_eq!(post("2001:db8:1:3::1"), 204);
}

#[test]
fn credentials_that_do_not_hold_are_slowed_by_address_and_those_that_hold_are_not() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let sites = |address: &str, token: &str| {
        let request = deployment.request("GET", "/v1/sites").header(ADDRESS_HEADER, address);
        request.bearer(token).get()
    };
    let own = |address: &str, key: &str| {
        let request = deployment.request("GET", &format!("/v1/sites/{}", site.id));
        request.header(ADDRESS_HEADER, address).bearer(key).get()
    };
    let unknown = format!("ak_{}_{}", site.id, "0".repeat(50));
    let wrong: [&dyn Fn(&str) -> Answer; 3] =
        [&|address| sites(address, "guess"), &|address| own(address, &unknown), &|address| {
            own(address, "nonsense")
        }];
    for (address, send) in ["203.0.113.9", "2001:db8::9", "203.0.113.10"].into_iter().zip(wrong) {
        let mut answers = (0..500).map(|_| send(address));
        let refused = answers.by_ref().take_while(|answer| answer.status == 401).count();
        assert!(refused >= 20, "{refused}");
        let slowed = answers.find(|answer| answer.status != 401).expect("it is slowed");
        let problem = slowed.problem(429, "rate_limited");
        assert_eq!(problem["limit"], "20 a minute from one address");
        assert_eq!(slowed.header("retry-after"), "10");
        // Whoever is right is served, from there too, and elsewhere all hear what is wrong.
        sites(address, ADMIN_TOKEN).expect(200);
        own(address, &site.key).expect(200);
        send("198.51.100.7").problem(401, "unauthenticated");
        // What shows no credential at all is no sign-in.
        let request = deployment.request("GET", "/v1/sites").header(ADDRESS_HEADER, address);
        request.get().problem(401, "unauthenticated");
    }
}

#[test]
fn a_shard_that_is_sent_too_much_refuses_without_a_write() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    let settings = json!({ "name": "Shop", "origins": ["*"], "limits": { "shard_per_second": 1 } });
    site.request("PUT", "").json(&settings).expect(200);
    let answers: Vec<_> = (0..20)
        .map(|number| survey.collect(&display(number, 1, "started", json!({ "score": 9 }))))
        .collect();
    let taken = answers.iter().filter(|answer| answer.status == 204).count();
    let refused = answers.iter().filter(|answer| answer.status == 429).count();
    assert!(
        taken >= 1 && refused >= 1 && taken + refused == 20,
        "{taken} taken, {refused} refused"
    );
    assert_eq!(survey.summary()["n"], taken);
}

#[test]
fn a_full_quota_stops_the_asking_and_no_answer() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let mut definition = nps_with_comment();
    definition["quota"] = json!(2);
    let survey = site.publish(&definition);
    for number in 0..3 {
        survey.collect(&display(number, 1, "started", json!({ "score": 9 }))).expect(204);
    }
    // Nobody has asked for the config before, so that it is not remembered from then.
    let config = deployment.request("GET", &format!("/v1/config/{}", site.id)).get().expect(200);
    assert_eq!(config["surveys"], json!([]));
    survey.collect(&display(3, 1, "started", json!({ "score": 9 }))).expect(204);
    assert_eq!(survey.summary()["n"], 4);
}

#[test]
fn what_was_closed_long_ago_takes_nothing_more() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let mut definition = nps_with_comment();
    definition["end_ms"] = json!(1_700_000_000_000_u64);
    let ended = site.publish(&definition);
    let told = display(1, 1, "started", json!({ "score": 9 }));
    assert_eq!(
        ended.collect(&told).problem(410, "survey_closed")["limit"],
        "30 days after it was closed"
    );
    let paused = site.survey();
    paused.request("POST", "/pause").send("").expect(200);
    paused.collect(&told).expect(204);
}

/// The surveys that pages are told of.
fn live(deployment: &Deployment, site: &Site<'_>) -> Value {
    let config = deployment.request("GET", &format!("/v1/config/{}", site.id)).get();
    config.expect(200)["surveys"].clone()
}

#[test]
fn a_site_that_refuses_everything_asks_nobody() {
    let deployment = Deployment::start();
    let site = deployment.site();
    site.survey();
    let settings = json!({ "name": "Shop", "origins": ["*"], "refuse": true });
    site.request("PUT", "").json(&settings).expect(200);
    assert_eq!(live(&deployment, &site), json!([]));
}

#[test]
fn a_team_has_everything_refused_for_good_and_taken_again() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    survey.collect(&display(1, 1, "started", json!({ "score": 9 }))).expect(204);
    let refused = |number: u8| {
        let answer = survey.collect(&display(number, 1, "started", json!({ "score": 0 })));
        answer.problem(403, "intake_refused");
        assert_eq!(answer.header("retry-after"), "", "the outbox forgets it");
        assert_eq!(deployment.request("GET", &survey.hosted_path()).get().status, 403);
    };
    assert_eq!(survey.request("POST", "/refuse").send("").expect(200)["refuses"], true);
    refused(2);
    assert_eq!(live(&deployment, &site), json!([]), "nobody is asked in vain");
    // What the team tells is taken.
    let line = json!({ "time": "2024-05-01T12:00:00Z", "question": "score", "score": 9 });
    let imported = survey.request("POST", "/import").send(&line.to_string()).expect(200);
    assert_eq!(imported["stored"], 1, "{imported}");
    assert_eq!(survey.request("POST", "/accept").send("").expect(200)["refuses"], false);
    survey.collect(&display(3, 1, "started", json!({ "score": 9 }))).expect(204);

    let mut settings = json!({ "name": "Shop", "origins": ["*"], "refuse": true });
    site.request("PUT", "").json(&settings).expect(200);
    refused(4);
    settings["refuse"] = json!(false);
    site.request("PUT", "").json(&settings).expect(200);
    survey.collect(&display(5, 1, "started", json!({ "score": 9 }))).expect(204);
    assert_eq!(survey.summary()["n"], 4);
    let log = site.request("GET", "/audit").get().expect(200);
    let actions: Vec<_> =
        log["entries"].as_array().unwrap().iter().map(|entry| &entry["action"]).collect();
    assert!(actions.contains(&&json!("refuse_intake")), "{actions:?}");
    assert!(actions.contains(&&json!("accept_intake")), "{actions:?}");
}

#[test]
fn a_survey_takes_and_keeps_as_much_as_its_site_says() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    let limit = |limits: serde_json::Value| {
        let settings = json!({ "name": "Shop", "origins": ["*"], "limits": limits });
        site.request("PUT", "").json(&settings).expect(200);
    };
    let collect =
        |number: u8| survey.collect(&display(number, 1, "started", json!({ "score": 9 })));
    limit(json!({ "survey_displays": 3 }));
    (0..3).for_each(|number| drop(collect(number).expect(204)));
    let full = collect(3);
    let problem = full.problem(507, "survey_full");
    assert_eq!(problem["limit"], "3 displays and 4000 megabytes on one shard of the survey");
    assert_eq!(full.header("retry-after"), "600", "the outbox keeps it and comes again");
    let line = json!({ "time": "2024-05-01T12:00:00Z", "question": "score", "score": 9 });
    survey.request("POST", "/import").send(&line.to_string()).problem(507, "survey_full");
    let usage = survey.request("GET", "/usage").get().expect(200);
    assert_eq!(usage["displays"], 3, "{usage}");
    assert_eq!(usage["limits"]["survey_displays"], 3, "{usage}");
    // Once there is room, it is taken.
    limit(json!({ "survey_displays": 4 }));
    collect(3).expect(204);
    assert_eq!(survey.summary()["n"], 4);

    limit(json!({ "survey_per_minute": 2 }));
    let answers: Vec<_> = (10..20).map(collect).collect();
    let refused = answers.iter().find(|answer| answer.status == 429).expect("one is too many");
    assert_eq!(
        refused.problem(429, "rate_limited")["limit"],
        "2 requests a minute to one shard of the survey"
    );
    assert_eq!(refused.header("retry-after"), "10");
}
