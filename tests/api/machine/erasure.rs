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
    sleep(SLEEP);
    let left =
        || removed.into_iter().filter(|number| files_with(&data, &words(*number)) > 0).count();
    assert_eq!(left(), 0);
    assert_eq!(files_with(&data, &words(18)), 1, "others are left");
    machine.kill_and_restart();
    machine.request("DELETE", &paths[0]).bearer(&key).get().problem(404, "unknown_display");
    assert_eq!(left(), 0);
}
