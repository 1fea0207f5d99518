//! A disk that is full, and one that cannot be written. They are real ones of a few megabytes, so
//! only root can run these tests, and only where it may mount; elsewhere each says that it did not.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write, pipe};
use std::path::{Path, PathBuf};
use std::process::Command;

use asklet_shared::display_id::DisplayId;
use asklet_xtask::data::DataFolder;
use asklet_xtask::group::Group;
use harness::{ADMIN_TOKEN, Answer, Machine};
use serde_json::{Value, json};
use tempfile::TempDir;

/// What a file is given at a time.
const PAGE: usize = 4096;

/// How much room is left at most when a disk is called full. Less than what storing a display may
/// take, so that it fails at its first write, or at any later one.
const ROOMS: [usize; 6] = [0, 1, 2, 3, 4, 5];

#[test]
fn a_full_disk_refuses_displays_and_loses_none_that_it_took() {
    let Some(disk) = Disk::mount() else { return };
    let mut machine = Machine::open(&disk.path().join("data"), Some(ADMIN_TOKEN));
    let (summary, key, collect) = {
        let site = machine.site();
        let survey = site.survey();
        let summary = format!("{}/{}/summary", site.surveys(), survey.id);
        (summary, site.key.clone(), survey.collect_path(0))
    };
    let send = |machine: &Machine, display: &Value| machine.request("POST", &collect).json(display);
    let ask = |machine: &Machine| machine.request("GET", &summary).bearer(&key).get();
    let mut taken = 0;
    for pages in ROOMS {
        disk.fill_but_for(pages);
        let (refused, answer) = loop {
            let display = display(taken);
            let answer = send(&machine, &display);
            if answer.status != 204 {
                break (display, answer);
            }
            taken += 1;
            assert!(taken < 1_000, "the disk is full, and still takes displays");
        };
        answer.problem(500, "internal");
        // It may not be able to answer, but it does not answer anything else.
        let answer = ask(&machine);
        if answer.status == 200 {
            check(&answer, taken);
        } else {
            answer.problem(500, "internal");
        }

        disk.make_room();
        machine.kill_and_restart();
        check(&ask(&machine), taken);
        send(&machine, &refused).expect(204);
        taken += 1;
        check(&ask(&machine), taken);
    }
    println!("{} times full, {taken} displays taken", ROOMS.len());
}

#[test]
fn a_disk_that_has_room_again_is_used_again_without_a_restart() {
    let Some(disk) = Disk::mount() else { return };
    let machine = Machine::open(&disk.path().join("data"), Some(ADMIN_TOKEN));
    let site = machine.site();
    let survey = site.survey();
    disk.fill_but_for(0);
    let mut taken = 0;
    while survey.collect(&display(taken)).status == 204 {
        taken += 1;
        assert!(taken < 1_000, "the disk is full, and still takes displays");
    }
    disk.make_room();
    survey.collect(&display(taken)).expect(204);
    assert_eq!(survey.summary()["n"], taken + 1);
}

#[test]
fn a_folder_that_could_not_be_made_for_want_of_room_is_made_when_there_is_some() {
    let Some(disk) = Disk::mount() else { return };
    for pages in ROOMS {
        let data = disk.path().join(format!("data-{pages}"));
        disk.fill_but_for(pages);
        if let Err(error) = DataFolder::open(&data) {
            assert!(format!("{error:#}").contains("cannot be written"), "{error:#}");
        }
        disk.make_room();
        DataFolder::open(&data).map(drop).unwrap();
    }
}

#[test]
fn serving_from_a_folder_that_cannot_be_written_ends_with_one_line_that_says_so() {
    let Some(disk) = Disk::mount() else { return };
    let there = disk.path().join("there");
    DataFolder::open(&there).map(drop).unwrap();
    disk.make_read_only();
    for data in [there, disk.path().join("new")] {
        let (mut output, writer) = pipe().unwrap();
        let own = TempDir::new().unwrap();
        let mut command = Group::command(own.path(), "sh");
        command.args(["-c", "cargo xtask serve --port 0 --data \"$0\"; echo \"exit code $?\""]);
        command.arg(&data).current_dir(asklet_xtask::root());
        command.stdout(writer.try_clone().unwrap()).stderr(writer);
        let _group = Group::spawn(command).unwrap();
        let mut said = String::new();
        output.read_to_string(&mut said).unwrap();
        let (line, rest) = said.split_once('\n').unwrap();
        let begins = format!("error: the data folder {} cannot be written: ", data.display());
        assert!(line.starts_with(&begins), "{said}");
        assert_eq!(rest, "exit code 1\n", "{said}");
    }
}

/// A promoter; the number makes the id.
fn display(number: u32) -> Value {
    let now_ms = u64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap();
    let mut random = [0; 10];
    random[..4].copy_from_slice(&number.to_be_bytes());
    json!({
        "id": DisplayId::new(now_ms, random), "revision": 1, "version": 1, "stage": "completed",
        "age_ms": 0, "language": "en", "answers": { "score": 9, "why": "It is fast." },
    })
}

/// Checks that a summary counts this many displays.
fn check(answer: &Answer, taken: u32) {
    let summary = answer.expect(200);
    assert_eq!(summary["n"], taken, "{summary}");
    assert_eq!(summary["funnel"]["completed"], taken, "{summary}");
}

/// A file system of its own in memory, until this is dropped.
struct Disk {
    mountpoint: TempDir,
}

impl Disk {
    /// `None`, and said, where this machine does not let us mount one.
    fn mount() -> Option<Self> {
        let mountpoint = TempDir::new().unwrap();
        let mounted = mount(&["-t", "tmpfs", "-o", "size=8m", "asklet-test"], mountpoint.path());
        if let Err(error) = mounted {
            println!("SKIPPED: this machine mounts no file system for a test ({})", error.trim());
            return None;
        }
        Some(Self { mountpoint })
    }

    fn path(&self) -> &Path {
        self.mountpoint.path()
    }

    fn ballast(&self) -> PathBuf {
        self.path().join("ballast")
    }

    /// Leaves room for so many pages.
    fn fill_but_for(&self, pages: usize) {
        let mut ballast = File::create(self.ballast()).unwrap();
        let full = loop {
            if let Err(error) = ballast.write_all(&[0; PAGE]) {
                break error;
            }
        };
        assert_eq!(full.kind(), ErrorKind::StorageFull);
        let bytes = ballast.metadata().unwrap().len();
        ballast.set_len(bytes.saturating_sub(u64::try_from(pages * PAGE).unwrap())).unwrap();
    }

    fn make_room(&self) {
        // Emptied first: a process that another test just started may hold it a moment longer.
        File::create(self.ballast()).unwrap();
        fs::remove_file(self.ballast()).unwrap();
    }

    fn make_read_only(&self) {
        mount(&["-o", "remount,ro"], self.path()).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a server that a failing test left may be about to die in it.
        let unmounted = Command::new("umount").arg("--lazy").arg(self.path()).status();
        if !unmounted.is_ok_and(|status| status.success()) {
            println!("{} is still mounted", self.path().display());
        }
    }
}

/// Mounts; the error is what the command said.
fn mount(options: &[&str], mountpoint: &Path) -> Result<(), String> {
    let output = Command::new("mount").args(options).arg(mountpoint).output();
    let output = output.map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}
