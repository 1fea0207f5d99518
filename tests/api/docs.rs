//! docs/api.md, taken at its word: each of its commands runs, and each route has one.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use harness::{ADMIN_TOKEN, Deployment, display};
use serde_json::{Value, json};
use tempfile::TempDir;

const HOST: &str = "https://YOUR-ASKLET";

/// A display that the commands are about.
const DISPLAY: &str = "019a3cb6-bc00-7cc3-98c4-dc0c0c07398f";

/// What runs before each block: curl that fails where the answer is a problem, but for the 503 of the
/// proxy inside `wrangler dev`, whose connections break now and then.
const PRELUDE: &str =
    "set -euo pipefail\ncurl() { command curl --retry 5 --fail-with-body \"$@\"; }\n";

/// The only routes that nobody calls by hand: the hosted page's form carries a token of that page.
const NOT_BY_HAND: [(&str, &str); 1] = [("POST", "/s/{site}/{survey}")];

/// The blocks of commands of a page of the documentation.
fn blocks(page: &str) -> Vec<String> {
    let page = fs::read_to_string(format!("{}/../docs/{page}", env!("CARGO_MANIFEST_DIR")));
    let page = page.expect("the page is there");
    let after_opening = page.split("```sh\n").skip(1);
    after_opening.map(|rest| rest.split("```").next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn every_command_of_the_api_page_runs() {
    let deployment = Deployment::start();
    let folder = TempDir::new().expect("a folder for what curl writes");
    for block in blocks("api.md") {
        // Each has a site to itself, since some remove it.
        let site = deployment.site();
        let survey = site.survey();
        let display = json!({
            "id": DISPLAY, "revision": 1, "version": 1, "stage": "started", "answers": { "score": 3 },
        });
        survey.collect(&display).expect(204);
        let key = json!({ "name": "another", "scope": "read" });
        let key = site.request("POST", "/keys").json(&key).expect(201);
        let secret = site.request("POST", "/identity-secrets").send("").expect(201);
        let preview = survey.request("POST", "/preview").send("").expect(201);
        let config =
            deployment.request("GET", &format!("/v1/config/{}", site.id)).send("").expect(200);
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let output = Command::new("bash")
            .args(["-c", &format!("{PRELUDE}{}", block.replace(HOST, &deployment.url("")))])
            .current_dir(folder.path())
            .env("ASKLET_ADMIN_TOKEN", ADMIN_TOKEN)
            .env("SITE", &site.id)
            .env("KEY", &site.key)
            .env("SURVEY", &survey.id)
            .env("DISPLAY", DISPLAY)
            .env("KEY_ID", text(&key["id"]))
            .env("SECRET_ID", text(&secret["id"]))
            .env("TOKEN", text(&preview["token"]))
            .env("DIGEST", text(&config["surveys"][0]["bodies"][0][1]))
            .output()
            .expect("bash runs");
        assert!(
            output.status.success(),
            "{block}\n{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
    }
}

/// What a command reads from the lines behind it.
fn heredoc<'a>(block: &'a str, word: &str) -> &'a str {
    let rest = block.split(&format!("<<'{word}'\n")).nth(1).expect("it reads lines");
    rest.split(&format!("\n{word}")).next().expect("they end")
}

#[test]
fn the_scores_of_the_page_are_taken_by_the_survey_of_the_page() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let page = blocks("api.md");
    let find = |what: &str| page.iter().find(|block| block.contains(what)).expect("the block");
    let definition = heredoc(find("\"by_category\""), "JSON");
    let survey = site.publish(&serde_json::from_str(definition).expect("a definition"));
    let scores = heredoc(find("\"time\""), "NDJSON");
    let imported = survey.request("POST", "/import").send(scores).expect(200);
    assert_eq!(imported["problems"], json!([]));
    assert_eq!(imported["stored"], scores.lines().count());
    assert_eq!(survey.summary()["n"], scores.lines().count());
}

#[test]
fn every_route_has_a_command() {
    let told: BTreeSet<(String, String)> =
        blocks("api.md").iter().flat_map(|block| commands(block)).collect();
    let document = include_str!("../../docs/openapi.json");
    let document: Value = serde_json::from_str(document).expect("the document reads");
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for method in methods.as_object().expect("methods").keys() {
            let method = method.to_uppercase();
            if NOT_BY_HAND.contains(&(method.as_str(), path.as_str())) {
                continue;
            }
            let is_told =
                told.iter().any(|(other, address)| *other == method && fits(path, address));
            assert!(is_told, "docs/api.md has no command for {method} {path}");
        }
    }
}

/// What stands before a command on the PATH: the shell that runs the so-many-th of all commands is killed
/// in the middle of it, when the shell has opened what the command is to write.
const DEADLY: &str = r#"#!/bin/sh
PATH=$REAL_PATH
echo >> "$CALLS"
if [ "$(wc -l < "$CALLS")" = "$DIES_AT" ]; then
  kill -9 "$PPID"
  exit
fi
exec "${0##*/}" "$@"
"#;

#[test]
fn the_loop_that_moves_a_site_goes_on_where_it_broke_off_whenever_it_is_killed() {
    let deployment = Deployment::start();
    let (site, to) = (deployment.site(), deployment.site());
    let survey = site.survey();
    let page = blocks("self-host.md");
    let block = page.iter().find(|block| block.contains("/bundle?")).expect("the loop");
    let folder = TempDir::new().expect("a folder for the pages");
    let bin = TempDir::new().expect("a folder for commands");
    for name in ["cat", "curl", "sed", "mv"] {
        let path = bin.path().join(name);
        fs::write(&path, DEADLY).expect("it is written");
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(path, executable).expect("it may run");
    }
    let real_path = std::env::var("PATH").expect("a PATH");
    let run = |token: &str, dies_at: u32| {
        let calls = bin.path().join("calls");
        fs::write(&calls, "").expect("it is written");
        Command::new("bash")
            .args(["-c", block])
            .current_dir(folder.path())
            .env("PATH", format!("{}:{real_path}", bin.path().display()))
            .envs([("REAL_PATH", &real_path), ("DIES_AT", &dies_at.to_string())])
            .env("CALLS", calls)
            .envs([("OLD", deployment.url("")), ("NEW", deployment.url(""))])
            .envs([("OLD_SITE", &site.id), ("NEW_SITE", &to.id)])
            .envs([("OLD_TOKEN", ADMIN_TOKEN), ("NEW_TOKEN", token)])
            .output()
            .expect("bash runs")
    };
    assert!(!run("another", 0).status.success());
    // The seven commands of the first page, and some later; at last, none.
    for (number, dies_at) in (1..).zip([1, 2, 3, 4, 5, 6, 7, 8, 41, 64, 0]) {
        survey.collect(&display(number, 1, "started", json!({ "score": 9 }))).expect(204);
        let mut output = run(ADMIN_TOKEN, dies_at);
        if dies_at > 0 {
            assert!(!output.status.success(), "killed at {dies_at}");
            output = run(ADMIN_TOKEN, 0);
        }
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "killed at {dies_at}: {errors}");
        let taken: Value = serde_json::from_slice(&output.stdout).expect("what was taken");
        let here = taken["surveys"][&survey.id].as_str().expect("the survey's new id");
        let summary = to.request("GET", &format!("/surveys/{here}/summary")).get().expect(200);
        assert_eq!(summary["n"], number, "killed at {dies_at}");
        // The next one begins anew.
        fs::remove_file(folder.path().join("next")).expect("it says where the loop is");
    }
}

/// The method and the path of each call of curl.
fn commands(block: &str) -> Vec<(String, String)> {
    let block = block.replace("\\\n", " ");
    let calls = block.lines().filter(|line| line.starts_with("curl "));
    calls
        .map(|call| {
            let words: Vec<&str> = call.split_whitespace().collect();
            let named =
                words.iter().position(|word| *word == "-X").and_then(|at| words.get(at + 1));
            let address = call.split(HOST).nth(1).expect("an address");
            let path = address.split(['?', '"', ' ']).next().unwrap_or_default();
            (named.map_or("GET", |method| *method).to_owned(), path.to_owned())
        })
        .collect()
}

/// Whether an address with variables is one of a path.
fn fits(path: &str, address: &str) -> bool {
    let (wanted, found): (Vec<_>, Vec<_>) =
        (path.split('/').collect(), address.split('/').collect());
    wanted.len() == found.len()
        && wanted
            .iter()
            .zip(&found)
            .all(|(wanted, found)| wanted.starts_with('{') || wanted == found)
}
