//! What is left on the disk of what was deleted or erased.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use harness::{ADMIN_TOKEN, Machine, display, nps_with_comment};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::responses::{import, line};

/// An object sleeps after about ten seconds in which nobody asks, and closes its database.
const SLEEP: Duration = Duration::from_secs(60);

/// Waits until something holds.
fn wait_until(holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < SLEEP, "it never held");
        sleep(Duration::from_millis(200));
    }
}

/// In how many files of a folder some words stand. SQLite may remove one meanwhile.
fn files_with(folder: &Path, words: &str) -> usize {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let found = entries.map(|path| match path.is_dir() {
        true => files_with(&path, words),
        false => match fs::read(&path) {
            Ok(bytes) => {
                usize::from(bytes.windows(words.len()).any(|window| window == words.as_bytes()))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => 0,
            Err(error) => panic!("{}: {error}", path.display()),
        },
    });
    found.sum()
}

#[test]
fn of_deleted_comments_no_byte_is_left_once_their_object_has_slept() {
    let parent = TempDir::new().unwrap();
    let data = parent.path().join("data");
    let mut machine = Machine::open(&data, Some(ADMIN_TOKEN));
    let words = |number: u8| format!("<words of nobody else {number}>");
    // Some lie on pages that were divided later, and each was another comment first.
    let removed = [0, 17, 58, 59];
    let mut definition = nps_with_comment();
    definition["questions"][1]["answer"] = json!({ "text": { "max_length": 2000 } });
    let (key, paths) = {
        let site = machine.site();
        let survey = site.publish(&definition);
        for revision in 1..3_u8 {
            for number in 0..60 {
                let length = usize::from(number) * 25 + usize::from(revision) * 13;
                let comment = format!("{0}{1}{0}", words(number), "x".repeat(length));
                let told = json!({ "score": 9, "why": comment });
                let display = display(number, u32::from(revision), "completed", told);
                survey.collect(&display).expect(204);
            }
        }
        let path = |number: u8| {
            let id = display(number, 1, "seen", json!({}))["id"].as_str().unwrap().to_owned();
            format!("{}/{}/displays/{id}", site.surveys(), survey.id)
        };
        (site.key.clone(), removed.map(path))
    };
    for number in removed {
        assert!(files_with(&data, &words(number)) > 0, "the test looks in the right place");
    }
    for path in &paths {
        machine.request("DELETE", path).bearer(&key).get().expect(204);
    }
    let left =
        || removed.into_iter().filter(|number| files_with(&data, &words(*number)) > 0).count();
    wait_until(|| left() == 0);
    assert_eq!(files_with(&data, &words(18)), 1, "others are left");
    machine.kill_and_restart();
    machine.request("DELETE", &paths[0]).bearer(&key).get().problem(404, "unknown_display");
    assert_eq!(left(), 0);
}

#[test]
fn of_an_erased_respondent_no_byte_is_left_on_any_shard_of_any_survey() {
    let parent = TempDir::new().unwrap();
    let data = parent.path().join("data");
    let machine = Machine::open(&data, Some(ADMIN_TOKEN));
    let site = machine.site();
    let mut definition = nps_with_comment();
    definition["questions"][1]["answer"] = json!({ "text": { "max_length": 2000 } });
    let surveys = [site.publish(&definition), site.publish(&definition)];
    surveys[0].request("POST", "/shards").json(&json!({ "shards": 2 })).expect(200);
    let words = |shard: u64, number: u64| format!("<words of shard {shard} and {number}>");
    let is_theirs = |number: u64| number % 10 == 3;
    let lines = |shard: u64| -> Vec<Value> {
        let line = |number: u64| {
            let comment = words(shard, number).repeat(1 + usize::try_from(number).unwrap());
            let mut line = line(shard * 100 + number, number % 11, &comment);
            let whose = if is_theirs(number) { "customer-17" } else { "customer-18" };
            line["respondent"] = json!(whose);
            line
        };
        (0..60).map(line).collect()
    };
    for (survey, shard, lines) in
        [(&surveys[0], 0, lines(0)), (&surveys[0], 1, lines(1)), (&surveys[1], 0, lines(2))]
    {
        assert_eq!(import(survey, shard, &lines)["stored"], 60);
    }
    let left = |is_wanted: &dyn Fn(u64) -> bool| {
        let all = (0..3).flat_map(|shard| (0..60).map(move |number| (shard, number)));
        let wanted = all.filter(|(_, number)| is_wanted(*number));
        wanted.filter(|(shard, number)| files_with(&data, &words(*shard, *number)) > 0).count()
    };
    assert_eq!(left(&is_theirs), 18, "the test looks in the right place");
    let path = format!("/v1/sites/{}/respondents/erase", site.id);
    let erase = machine.request("POST", &path).bearer(&site.key);
    assert_eq!(erase.json(&json!({ "respondent": "customer-17" })).expect(200)["displays"], 18);
    wait_until(|| left(&is_theirs) == 0 && files_with(&data, "customer-17") == 0);
    assert_eq!(left(&|number| !is_theirs(number)), 162, "others are left");
    for survey in &surveys {
        // What the counters say is what the displays say.
        let counted = survey.summary();
        let told = survey.summary_of("where=channel:email");
        assert_eq!((&counted["n"], &counted["score"]), (&told["n"], &told["score"]));
    }
    assert_eq!(surveys[0].summary()["n"], 108);
}
