//! What is left on the disk of what was deleted or erased.

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use harness::{ADMIN_TOKEN, Machine, display, nps_with_comment};
use serde_json::json;
use tempfile::TempDir;

/// For how long nobody asks until an object sleeps, which closes its database, and a little more.
const SLEEP: Duration = Duration::from_secs(14);

/// In how many files of a folder some words stand.
fn files_with(folder: &Path, words: &str) -> usize {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let found = entries.map(|path| match path.is_dir() {
        true => files_with(&path, words),
        false => {
            let bytes = fs::read(&path).unwrap();
            usize::from(bytes.windows(words.len()).any(|window| window == words.as_bytes()))
        }
    });
    found.sum()
}

#[test]
fn of_a_deleted_comment_no_byte_is_left_once_its_object_has_slept() {
    let parent = TempDir::new().unwrap();
    let data = parent.path().join("data");
    let mut machine = Machine::open(&data, Some(ADMIN_TOKEN));
    let words = |number: u8| format!("words of nobody else {number}");
    let mut definition = nps_with_comment();
    definition["questions"][1]["answer"] = json!({ "text": { "max_length": 2000 } });
    let paths = {
        let site = machine.site();
        let survey = site.publish(&definition);
        for number in 0..40 {
            survey.collect(&display(number, 1, "started", json!({ "score": 9 }))).expect(204);
            let comment = format!("{0}{1}{0}", words(number), "x".repeat(usize::from(number) * 40));
            let told = json!({ "score": 9, "why": comment });
            survey.collect(&display(number, 2, "completed", told)).expect(204);
        }
        let surveys = site.surveys();
        let path = |number| {
            let id = display(number, 1, "seen", json!({}))["id"].as_str().unwrap().to_owned();
            (format!("{surveys}/{}/displays/{id}", survey.id), site.key.clone())
        };
        // The last that was told is on a page that was not divided since.
        path(39)
    };
    assert_eq!(files_with(&data, &words(39)), 1, "the test looks in the right place");
    let (path, key) = paths;
    machine.request("DELETE", &path).bearer(&key).get().expect(204);
    sleep(SLEEP);
    assert_eq!(files_with(&data, &words(39)), 0);
    assert_eq!(files_with(&data, &words(38)), 1, "others are left");
    machine.kill_and_restart();
    machine.request("DELETE", &path).bearer(&key).get().problem(404, "unknown_display");
    assert_eq!(files_with(&data, &words(39)), 0);
}
