//! A data folder that an earlier release wrote is opened, and counts what it counted.
//!
//! `tests/fixtures` holds a backup of one for each schema that was released, and beside it what its
//! summaries said then. They may say more today; what they said holds.

use std::fs;
use std::path::{Path, PathBuf};

use asklet_xtask::backup::restore;
use harness::{Machine, display};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::erasure::{files_with, wait_until};

mod write;

/// Covers the display that a test sends now, whatever day it is.
const ALL_TIME: &str = "to=2100-01-01T00:00:00Z";

#[test]
fn a_folder_of_an_earlier_release_says_what_it_said_and_goes_on() {
    for (backup, told) in fixtures() {
        let parent = TempDir::new().unwrap();
        let data = parent.path().join("data");
        restore(&backup, &data).unwrap();
        let mut machine = Machine::open(&data, None);
        check_summaries(&machine, &told);

        let text = |field: &str| told[field].as_str().unwrap();
        let collect = format!("/v1/collect/{}/{}/0", text("site"), text("survey"));
        let send = |machine: &Machine, display: &Value| {
            machine.request("POST", &collect).json(display).expect(204);
        };
        let mut counts = Counts::of(&machine, &told);
        // A client that never heard of the acknowledgement repeats what is stored.
        let (stored, later) = (&told["stored"], &told["later"]);
        send(&machine, stored);
        assert_eq!(Counts::of(&machine, &told), counts, "{stored}");
        // A detractor who had started thinks again, and completes.
        send(&machine, later);
        counts.promoters += 1;
        counts.detractors -= 1;
        counts.completed += 1;
        assert_eq!(Counts::of(&machine, &told), counts, "{later}");
        send(&machine, &display(1, 1, "completed", json!({ "score": 9 })));
        counts.n += 1;
        counts.shown += 1;
        counts.promoters += 1;
        counts.completed += 1;
        assert_eq!(Counts::of(&machine, &told), counts);
        machine.kill_and_restart();
        assert_eq!(Counts::of(&machine, &told), counts);
    }
}

#[test]
fn what_an_earlier_release_kept_of_visitors_is_told_and_lies_no_more_in_the_clear() {
    for (backup, told) in fixtures() {
        let parent = TempDir::new().unwrap();
        let data = parent.path().join("data");
        restore(&backup, &data).unwrap();
        assert!(files_with(&data, "\"No. ") > 0, "the test looks in the right place");
        let machine = Machine::open(&data, None);
        let text = |field: &str| told[field].as_str().unwrap();
        let path = format!("/v1/sites/{}/surveys/{}/export", text("site"), text("survey"));
        let exported = machine.request("GET", &path).bearer(text("key")).get().body;
        let exported = String::from_utf8(exported).unwrap();
        assert_eq!(exported.lines().filter(|line| line.contains("\"No. ")).count(), 8);
        wait_until(|| files_with(&data, "\"No. ") == 0);
    }
}

#[test]
fn a_folder_of_an_earlier_release_still_asks() {
    for (backup, told) in fixtures() {
        let parent = TempDir::new().unwrap();
        let data = parent.path().join("data");
        restore(&backup, &data).unwrap();
        let machine = Machine::open(&data, None);
        let (site, survey) = (told["site"].as_str().unwrap(), told["survey"].as_str().unwrap());
        let config = machine.request("GET", &format!("/v1/config/{site}")).get().expect(200);
        let listed = &config["surveys"][0];
        assert_eq!((&listed["id"], &listed["version"]), (&json!(survey), &json!(2)), "{config}");
        for body in listed["bodies"].as_array().unwrap() {
            let path = format!("/v1/body/{site}/{survey}/{}", body[1].as_str().unwrap());
            assert_eq!(machine.request("GET", &path).get().status, 200, "{body}");
        }
    }
}

/// Where the fixtures lie.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// Each backup with what was written down beside it.
fn fixtures() -> Vec<(PathBuf, Value)> {
    let files = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let told = files.filter(|file| file.extension().is_some_and(|ending| ending == "json"));
    let fixtures: Vec<_> = told
        .map(|file| {
            let told = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
            (file.with_extension("tar.gz"), told)
        })
        .collect();
    assert!(!fixtures.is_empty());
    fixtures
}

/// Asks for a summary of the folder's survey.
fn summary(machine: &Machine, told: &Value, query: &str) -> Value {
    let text = |field: &str| told[field].as_str().unwrap();
    let path = format!("/v1/sites/{}/surveys/{}/summary?{query}", text("site"), text("survey"));
    machine.request("GET", &path).bearer(text("key")).get().expect(200)
}

fn check_summaries(machine: &Machine, told: &Value) {
    for (query, then) in told["summaries"].as_object().unwrap() {
        let now = summary(machine, told, query);
        if let Err(difference) = holds(then, &now) {
            panic!("{query}: {difference}\nthen: {then}\nnow: {now}");
        }
    }
}

/// Whether everything that was said is still said; the error is where it is not.
fn holds(then: &Value, now: &Value) -> Result<(), String> {
    match (then, now) {
        (Value::Object(fields), Value::Object(_)) => fields.iter().try_for_each(|(name, then)| {
            holds(then, &now[name]).map_err(|inner| format!(".{name}{inner}"))
        }),
        (Value::Array(then), Value::Array(now)) if then.len() == now.len() => {
            then.iter().zip(now).enumerate().try_for_each(|(at, (then, now))| {
                holds(then, now).map_err(|inner| format!("[{at}]{inner}"))
            })
        }
        _ if then == now => Ok(()),
        _ => Err(format!(" was {then} and is {now}")),
    }
}

/// What the displays of a test change.
#[derive(Debug, PartialEq, Eq)]
struct Counts {
    n: u64,
    shown: u64,
    completed: u64,
    promoters: u64,
    detractors: u64,
}

impl Counts {
    fn of(machine: &Machine, told: &Value) -> Self {
        let summary = summary(machine, told, ALL_TIME);
        let count = |value: &Value| value.as_u64().unwrap();
        Self {
            n: count(&summary["n"]),
            shown: count(&summary["funnel"]["shown"]),
            completed: count(&summary["funnel"]["completed"]),
            promoters: count(&summary["counts"]["promoter"]),
            detractors: count(&summary["counts"]["detractor"]),
        }
    }
}
