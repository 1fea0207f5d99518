//! What only plain workerd can show: what lies on its disk, that it survives, and how it meets clients
//! with no proxy in between.

mod bodies;
mod breaking;
mod encryption;
mod erasure;
mod upgrade;

use std::path::PathBuf;
use std::process::Stdio;

use asklet_xtask::artefacts;
use asklet_xtask::server::{Server, local};
use harness::{ADMIN_TOKEN, Machine, Unfinished, display, nps_with_comment};
use serde_json::json;
use tempfile::TempDir;

use crate::collect::{assert_empty, refuse_what_is_made_up};

#[test]
fn an_acknowledged_answer_survives_the_death_of_the_server() {
    let mut machine = Machine::start();
    let (path, key, collect) = {
        let site = machine.site();
        let survey = site.survey();
        survey.collect(&display(1, 1, "started", json!({ "score": 9 }))).expect(204);
        let path = format!("{}/{}/summary", site.surveys(), survey.id);
        (path, site.key.clone(), survey.collect_path(0))
    };
    machine.kill_and_restart();
    let summary = || machine.request("GET", &path).bearer(&key).get().expect(200);
    assert_eq!((&summary()["n"], &summary()["score"]), (&json!(1), &json!(100.0)));
    // The same display again, as a client sends it that never heard of the acknowledgement.
    let again = display(1, 1, "started", json!({ "score": 9 }));
    machine.request("POST", &collect).json(&again).expect(204);
    assert_eq!(summary()["n"], 1);
}

#[test]
fn what_is_refused_creates_nothing() {
    let machine = Machine::start();
    let nameless = json!({ "name": "", "origins": ["*"] });
    let refused = machine.request("POST", "/v1/sites").bearer(ADMIN_TOKEN).json(&nameless);
    refused.problem(422, "invalid_settings");
    assert_eq!(machine.objects(), Vec::<PathBuf>::new());
    let (site, other) = (machine.site(), machine.site());
    let survey = site.survey();
    let before = machine.objects();
    refuse_what_is_made_up(&machine, (&site, &survey), &other);
    assert_eq!(machine.objects(), before);
}

#[test]
fn a_survey_whose_responses_cannot_be_counted_takes_no_other_from_the_page() {
    let mut machine = Machine::start();
    let (config, shard) = {
        let site = machine.site();
        site.survey();
        let before = machine.objects();
        let mut definition = nps_with_comment();
        definition["quota"] = json!(1);
        site.publish(&definition);
        let mut after = machine.objects();
        after.retain(|file| !before.contains(file));
        (format!("/v1/config/{}", site.id), after.pop().unwrap())
    };
    machine.restart_after(|| {
        let _ = std::fs::remove_file(shard.with_extension("sqlite-wal"));
        std::fs::write(&shard, "no database").unwrap();
    });
    let config = machine.request("GET", &config).get().expect(200);
    assert_eq!(config["surveys"].as_array().unwrap().len(), 2);
}

#[test]
fn a_draft_has_no_shard_however_often_it_is_asked() {
    let machine = Machine::start();
    let site = machine.site();
    let draft = site.draft(&nps_with_comment());
    let told = display(1, 1, "started", json!({ "score": 9 }));
    let path = format!("/v1/collect/{}/{draft}/0", site.id);
    machine.request("POST", &path).json(&told).problem(404, "unknown_survey");
    let summary = format!("{}/{draft}/summary", site.surveys());
    machine.request("GET", &summary).bearer(&site.key).get().expect(200);
    // The site's own, and the list of sites.
    assert_eq!(machine.databases().len(), 2);
}

#[test]
fn without_an_admin_token_nobody_makes_sites() {
    let machine = Machine::start_with(None);
    let site = json!({ "name": "Shop", "origins": ["https://shop.example"] });
    for token in ["", "undefined", "null"] {
        let request = machine.request("POST", "/v1/sites").bearer(token);
        request.json(&site).problem(403, "no_admin_token");
    }
}

#[test]
fn the_worker_refuses_an_admin_token_that_can_be_guessed_whoever_started_it() {
    let (data, dist) = (TempDir::new().unwrap(), artefacts::dist());
    let assets = dist.join("assets");
    let folders = [("objects", data.path()), ("demo", data.path()), ("assets", &assets)];
    let secret = "x".repeat(32);
    let status = |token: &str| {
        let none = ["ASKLET_ADMIN_TOKEN_NEXT", "ASKLET_ADDRESS_HEADER", "ASKLET_COUNTRY_HEADER"];
        let variables = [("ASKLET_SECRET", secret.as_str()), ("ASKLET_ADMIN_TOKEN", token)];
        let variables = variables.into_iter().chain(none.map(|name| (name, "")));
        let variables: Vec<_> = variables.collect();
        let artefact = dist.join("workerd.capnp");
        let server = Server::spawn(&artefact, local(0), &folders, &variables, Stdio::null());
        let address = format!("{}/v1/sites", server.as_ref().unwrap().url());
        let asked = ureq::get(address).header("authorization", format!("Bearer {token}"));
        asked.config().http_status_as_error(false).build().call().unwrap().status().as_u16()
    };
    assert_eq!((status("abc"), status(&"x".repeat(31))), (500, 500));
    assert_eq!(status(&"x".repeat(32)), 200);
}

#[test]
fn an_admin_token_is_followed_by_another_with_no_time_between() {
    let (old, new) = (ADMIN_TOKEN, "the admin token that follows, which is long enough");
    let mut machine = Machine::start();
    let holds = |machine: &Machine, token: &str| {
        let answer = machine.request("GET", "/v1/sites").bearer(token).get();
        if answer.status != 200 {
            answer.problem(401, "unauthenticated");
        }
        answer.status == 200
    };
    assert_eq!((holds(&machine, old), holds(&machine, new)), (true, false));
    machine.restart_with_tokens([Some(old), Some(new)]);
    assert_eq!((holds(&machine, old), holds(&machine, new)), (true, true));
    assert!(!holds(&machine, "guess"));
    machine.restart_with_tokens([Some(new), None]);
    assert_eq!((holds(&machine, old), holds(&machine, new)), (false, true));
    machine.restart_with_tokens([None, Some(new)]);
    assert!(holds(&machine, new) && !holds(&machine, ""));
}

#[test]
fn a_body_that_never_ends_is_left() {
    let machine = Machine::start();
    let site = machine.site();
    let survey = site.survey();
    let headers = ["content-type: text/plain", "transfer-encoding: chunked"];
    let mut request = Unfinished::post(&machine, &survey.collect_path(0), &headers);
    // Twice the limit, in chunks, and never the last one.
    let chunk = format!("400\r\n{}\r\n", " ".repeat(0x400));
    for _ in 0..32 {
        request.send(&chunk);
    }
    assert_eq!(request.status(), 413);
    assert_empty(&survey);
}

#[test]
fn a_body_that_announces_more_than_comes_is_left_too() {
    let machine = Machine::start();
    let site = machine.site();
    let survey = site.survey();
    let headers = ["content-type: text/plain", "content-length: 100"];
    let mut request = Unfinished::post(&machine, &survey.collect_path(0), &headers);
    request.send("{");
    // Others are served meanwhile.
    survey.collect(&display(1, 1, "started", json!({ "score": 9 }))).expect(204);
    assert_eq!(request.status(), 408);
    assert_eq!(survey.summary()["n"], 1);
}
