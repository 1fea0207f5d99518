//! The long evidence: `cargo xtask proof`.

mod disk;
mod panics;
mod patience;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use asklet_shared::display_id::DisplayId;
use harness::{Machine, Request};
use serde_json::json;

/// How often the server is killed.
const KILLS: u32 = 25;

/// How many clients send at once.
const CLIENTS: u32 = 4;

/// The server is killed at random moments while clients send displays of two revisions each and
/// repeat whatever was not acknowledged. Afterwards every display is there, once, with its last
/// state. Half of them were shown hours ago, so that the counters are written under fire as well.
#[test]
fn what_was_acknowledged_survives_any_number_of_kills_and_counts_once() {
    let deployment = RwLock::new(Machine::start());
    let (site, key, survey) = {
        let deployment = deployment.read().unwrap();
        let site = deployment.site();
        let survey = site.survey().id;
        (site.id, site.key, survey)
    };
    let collect = format!("/v1/collect/{site}/{survey}/0");
    let summary = format!("/v1/sites/{site}/surveys/{survey}/summary");
    let acknowledged: Mutex<BTreeMap<u8, u64>> = Mutex::default();
    let (is_over, repeats) = (AtomicBool::new(false), AtomicU32::new(0));

    thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (deployment, acknowledged) = (&deployment, &acknowledged);
            let (is_over, repeats, collect) = (&is_over, &repeats, &collect);
            scope.spawn(move || {
                for number in 0.. {
                    if is_over.load(Ordering::Relaxed) {
                        return;
                    }
                    let score = u8::try_from((client + number) % 11).unwrap();
                    for display in revisions(client, number, score) {
                        send_until_acknowledged(deployment, collect, &display, repeats);
                    }
                    *acknowledged.lock().unwrap().entry(score).or_default() += 1;
                }
            });
        }
        // The moments come from the clock's last digits: random enough, and no two runs alike.
        for _ in 0..KILLS {
            let nanos = std::time::UNIX_EPOCH.elapsed().unwrap().subsec_nanos();
            thread::sleep(Duration::from_millis(50 + u64::from(nanos / 1_000 % 300)));
            deployment.write().unwrap().kill_and_restart();
            let deployment = deployment.read().unwrap();
            deployment.request("GET", &summary).bearer(&key).get().expect(200);
        }
        is_over.store(true, Ordering::Relaxed);
    });

    let deployment = deployment.read().unwrap();
    let ask = |path: &str| deployment.request("GET", path).bearer(&key).get().expect(200);
    // By the counters, and by a recount of the displays.
    let recount = ask(&format!("{summary}?where=channel:in_page"));
    let summary = ask(&summary);
    assert_eq!((&summary["source"], &recount["source"]), (&json!("counters"), &json!("displays")));
    for figure in ["n", "distribution", "funnel"] {
        assert_eq!(summary[figure], recount[figure], "{figure}");
    }
    let acknowledged = acknowledged.into_inner().unwrap();
    let sent: u64 = acknowledged.values().sum();
    println!(
        "{KILLS} kills, {sent} displays of 2 revisions acknowledged, {} repeated",
        repeats.load(Ordering::Relaxed)
    );
    assert_eq!(summary["n"], sent, "{summary}");
    assert_eq!(summary["funnel"]["shown"], sent, "{summary}");
    assert_eq!(summary["funnel"]["completed"], sent, "{summary}");
    for bar in summary["distribution"].as_array().unwrap() {
        let value = u8::try_from(bar["value"].as_u64().unwrap()).unwrap();
        let wanted = acknowledged.get(&value).copied().unwrap_or(0);
        assert_eq!(bar["count"], wanted, "{value}: {summary}");
    }
}

/// The two revisions of a display: first another score, then the one that counts.
fn revisions(client: u32, number: u32, score: u8) -> [serde_json::Value; 2] {
    let now_ms = u64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap();
    let age_ms = if number.is_multiple_of(2) { 0 } else { 3 * 60 * 60 * 1000 };
    let mut random = [0; 10];
    random[..4].copy_from_slice(&client.to_be_bytes());
    random[4..8].copy_from_slice(&number.to_be_bytes());
    let id = DisplayId::new(now_ms - age_ms, random);
    let revision = |revision: u32, stage: &str, score: u8| {
        json!({
            "id": id, "revision": revision, "version": 1, "stage": stage, "age_ms": age_ms,
            "language": "en", "answers": { "score": score },
        })
    };
    [revision(1, "started", 10 - score), revision(2, "completed", score)]
}

/// Repeats a request until the server says that it has it, as the outbox does.
fn send_until_acknowledged(
    deployment: &RwLock<Machine>,
    path: &str,
    display: &serde_json::Value,
    repeats: &AtomicU32,
) {
    let patience = Instant::now() + Duration::from_secs(60);
    loop {
        // The lock is held only to learn the address: the server may die while it answers.
        let request = deployment.read().unwrap().request("POST", path);
        let request: Request = request.header("content-type", "text/plain");
        match request.try_send(display.to_string().as_bytes()) {
            Ok(answer) if answer.status == 204 => return,
            Ok(answer) => assert!(answer.status >= 500, "{answer:?}"),
            Err(_) => {}
        }
        repeats.fetch_add(1, Ordering::Relaxed);
        assert!(Instant::now() < patience, "no acknowledgement for a minute");
    }
}
