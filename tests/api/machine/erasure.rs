//! What is left on the disk of what was deleted or erased.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use harness::{ADMIN_TOKEN, Machine, Survey, display, nps_with_comment};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::responses::{import, line};

/// An object sleeps after about ten seconds in which nobody asks, and closes its database.
const SLEEP: Duration = Duration::from_secs(60);

/// Waits until something holds.
pub fn wait_until(holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < SLEEP, "it never held");
        sleep(Duration::from_millis(200));
    }
}

/// The files of a folder and of those in it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// In how many files of a folder some words stand. SQLite may remove one meanwhile.
pub fn files_with(folder: &Path, words: &str) -> usize {
    let holds = |path: PathBuf| match fs::read(&path) {
        Ok(bytes) => bytes.windows(words.len()).any(|window| window == words.as_bytes()),
        Err(error) if error.kind() == ErrorKind::NotFound => false,
        Err(error) => panic!("{}: {error}", path.display()),
    };
    files(folder).into_iter().filter(|path| holds(path.clone())).count()
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
    assert!(files_with(&data, "\"why\":\"\"") > 0, "the test looks in the right place");
    for path in &paths {
        machine.request("DELETE", path).bearer(&key).get().expect(204);
    }
    let left =
        || removed.into_iter().filter(|number| files_with(&data, &words(*number)) > 0).count();
    wait_until(|| left() == 0);
    let query = "text=words&limit=100";
    let path = format!("{}/responses?{query}", paths[0].split_once("/displays").unwrap().0);
    let told = machine.request("GET", &path).bearer(&key).get().expect(200);
    let told: Vec<_> = told["responses"].as_array().unwrap().iter().collect();
    assert_eq!(told.len(), 56, "others are left");
    let is_whole = |number: u8| {
        told.iter().any(|it| it["answers"]["why"].as_str().unwrap().starts_with(&words(number)))
    };
    assert!(is_whole(18) && !is_whole(17));
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
    let told = || -> usize {
        let export = |survey: &Survey<'_>| survey.request("GET", "/export").get().body;
        let exported = surveys.iter().map(|survey| String::from_utf8(export(survey)).unwrap());
        exported
            .map(|lines| lines.lines().filter(|it| it.contains("<words of shard")).count())
            .sum()
    };
    assert_eq!(told(), 180);
    let path = format!("/v1/sites/{}/respondents/erase", site.id);
    let erase = machine.request("POST", &path).bearer(&site.key);
    assert_eq!(erase.json(&json!({ "respondent": "customer-17" })).expect(200)["displays"], 18);
    wait_until(|| left(&is_theirs) == 0 && files_with(&data, "customer-17") == 0);
    assert_eq!(left(&|_| true), 0, "no text lies there in the clear");
    assert_eq!(told(), 162, "others are left");
    for survey in &surveys {
        // What the counters say is what the displays say.
        let counted = survey.summary();
        let told = survey.summary_of("where=channel:email");
        assert_eq!((&counted["n"], &counted["score"]), (&told["n"], &told["score"]));
    }
    assert_eq!(surveys[0].summary()["n"], 108);
}

/// The keys that lie in a database, batch by batch: each is a row of a number and 3,840 bytes, and its
/// header says so. A copy of one, wherever it lay, would be found as well.
fn batches(database: &[u8]) -> Vec<&[u8]> {
    const HEADER: [u8; 4] = [4, 0, 0xbc, 0x0c];
    let found = database.windows(HEADER.len()).enumerate().filter(|(_, at)| *at == HEADER);
    found.filter_map(|(at, _)| database.get(at + 4..at + 4 + 3840)).collect()
}

fn keys(database: &[u8]) -> BTreeSet<&[u8]> {
    let keys = batches(database).into_iter().flat_map(|batch| batch.chunks(32));
    keys.filter(|key| **key != [0; 32] && **key != [u8::MAX; 32]).collect()
}

#[test]
fn three_hundred_deletions_make_no_file_larger_and_leave_no_copy_of_a_key() {
    let parent = TempDir::new().unwrap();
    let data = parent.path().join("data");
    let machine = Machine::open(&data, Some(ADMIN_TOKEN));
    let site = machine.site();
    let mut definition = nps_with_comment();
    definition["questions"][1]["answer"] = json!({ "text": { "max_length": 2000 } });
    let survey = site.publish(&definition);
    let lines: Vec<_> = (0..400_u64)
        .map(|number| line(number, 9, &"words ".repeat(usize::try_from(number % 300).unwrap() + 1)))
        .collect();
    for lines in lines.chunks(40) {
        import(&survey, 0, lines);
    }
    // The largest file is the shard's. The log beside it goes when the object sleeps.
    let asleep = || {
        let size = |path: &PathBuf| fs::metadata(path).unwrap().len();
        let file = machine.objects().into_iter().max_by_key(size).unwrap();
        wait_until(|| !file.with_extension("sqlite-wal").exists());
        fs::read(file).unwrap()
    };
    let before = asleep();
    assert_eq!(before[16..18], [0x10, 0], "a page has the 4,096 bytes that a batch of keys fills");
    assert_eq!(before[52..56], [0; 4], "and stays where it is");
    assert!(keys(&before).len() >= 400);
    for line in &lines[..300] {
        let path = format!("/displays/{}", line["id"].as_str().unwrap());
        survey.request("DELETE", &path).get().expect(204);
    }
    let usage = survey.request("GET", "/usage").get().expect(200);
    let after = asleep();
    // A row that is replaced may take a new place before its earlier one is free.
    assert!(after.len() <= before.len() + 4 * 4096, "{} became {}", before.len(), after.len());
    assert_eq!(usage["bytes"], after.len());
    assert!(usage["used_bytes"].as_u64().unwrap() < usage["bytes"].as_u64().unwrap());
    let (there, left) = (keys(&before), keys(&after));
    assert_eq!(left.len(), there.len() - 300);
    assert!(left.is_subset(&there));
    assert_eq!(batches(&after).len(), batches(&before).len());
    let destroyed: BTreeSet<&[u8]> = there.difference(&left).copied().collect();
    assert!(!after.windows(32).any(|window| destroyed.contains(window)));
}
