//! Summaries over a year of ten thousand, a hundred thousand and a million displays, an export of the
//! million, and what the long ones do to collecting.

use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use asklet_shared::display_id::DisplayId;
use harness::{Machine, Survey, nps_with_comment};
use serde_json::{Value, json};

use crate::collect::display;
use crate::load::{Load, Measured};
use crate::neighbours::memory_mib;
use crate::{Part, now_ms};

const SIZES: [u64; 3] = [10_000, 100_000, 1_000_000];

/// A year, in milliseconds.
pub const YEAR_MS: u64 = 365 * 24 * 60 * 60 * 1000;

/// How many lines an import takes at once.
pub const LINES: u64 = 5_000;

/// How often each summary is asked for.
const ROUNDS: usize = 7;

/// How much longer a summary of the counters' kind may take over a million than over ten thousand, and
/// how much longer collecting may while displays are scanned.
const MOST_GROWTH: f64 = 3.0;
const MOST_DELAY: f64 = 3.0;

/// The same while an export is read: each of its steps looks at everything that arrived about then.
const MOST_EXPORT_DELAY: f64 = 10.0;

/// By how much an export may make the process grow, in MiB, however much it tells.
const MOST_EXPORT_MIB: f64 = 64.0;

/// How many connections collect meanwhile.
const CONNECTIONS: [usize; 2] = [1, 8];

/// What is asked, and whether counters can tell it.
const SUMMARIES: [(&str, &str, bool); 4] = [
    ("plain", "", true),
    ("trend", "interval=month&tz=Europe/Berlin", true),
    ("breakdown", "by=language", true),
    ("two filters", "where=language:de&where=variant:a", false),
];

#[expect(clippy::too_many_lines, reason = "one measurement after the other on the same store")]
pub fn bench() -> Part {
    let machine = Machine::start();
    let mut part = Part::new(json!([]));
    let mut rows = Vec::new();
    let mut first = Vec::new();
    for size in SIZES {
        let site = machine.busy_site();
        let mut definition = nps_with_comment();
        definition["questions"][1]["text"] = json!({ "en": "Why?", "de": "Warum?" });
        definition["variants"] = json!(["a", "b"]);
        let survey = site.publish(&definition);
        let started = Instant::now();
        fill(&survey, size);
        let filled = started.elapsed().as_secs_f64();
        let from = (now_ms() - YEAR_MS) / 86_400_000 * 86_400_000;
        let mut times = Vec::new();
        for (name, query, is_counted) in SUMMARIES {
            let query = format!("from={from}&{query}");
            let summary = survey.summary_of(&query);
            assert_eq!(summary["source"], if is_counted { "counters" } else { "displays" });
            let mut taken: Vec<_> = (0..ROUNDS).map(|_| time(&survey, &query)).collect();
            taken.sort_by(f64::total_cmp);
            times.push((name, taken[ROUNDS / 2], is_counted));
        }
        let bytes = survey.request("GET", "/usage").get().expect(200)["bytes"].as_f64();
        let bytes = bytes.expect("a figure") / size as f64;
        print!("{size:>9} displays, imported in {filled:>4.0} s, {bytes:>4.0} bytes each:");
        for (name, ms, _) in &times {
            print!("  {name} {ms:.1} ms");
        }
        println!();
        if first.is_empty() {
            first.clone_from(&times);
        }
        if size == SIZES[2] {
            for ((name, ms, is_counted), (_, least, _)) in times.iter().zip(&first) {
                let growth = ms / least;
                part.expect(!is_counted || growth <= MOST_GROWTH, || {
                    format!("{name} takes {growth:.1} times as long: {MOST_GROWTH} is allowed")
                });
            }
            let exported = export(&machine, &survey, &mut part);
            let read = |is_over: &AtomicBool| {
                read_export(&survey, &mut |_| !is_over.load(Ordering::Relaxed));
            };
            let exporting = collect_while(
                &machine,
                &survey,
                ("an export", MOST_EXPORT_DELAY),
                &read,
                &mut part,
            );
            let scan = |_: &AtomicBool| {
                survey.summary_of("where=language:de&where=variant:a");
            };
            let scanning =
                collect_while(&machine, &survey, ("two filters", MOST_DELAY), &scan, &mut part);
            part.figures = json!({ "export": exported, "while_scanning": scanning, "while_exporting": exporting });
        }
        let times: serde_json::Map<_, _> =
            times.iter().map(|(name, ms, _)| ((*name).to_owned(), json!(ms))).collect();
        rows.push(json!({ "displays": size, "bytes_each": bytes, "ms": times }));
    }
    println!("memory of the process: {:.0} MiB", memory_mib(&machine));
    part.figures["stores"] = json!(rows);
    part
}

/// Fills a survey with a year of displays, through the import.
fn fill(survey: &Survey<'_>, size: u64) {
    let start_ms = now_ms() - YEAR_MS + 60 * 60 * 1000;
    let step_ms = (YEAR_MS - 2 * 60 * 60 * 1000) / size;
    for batch in 0..size.div_ceil(LINES) {
        let numbers = batch * LINES..size.min((batch + 1) * LINES);
        let lines: String =
            numbers.map(|number| line(number, start_ms + number * step_ms) + "\n").collect();
        let imported = survey.request("POST", "/import").send(&lines).expect(200);
        assert_eq!(imported["refused"], 0, "{imported}");
    }
}

/// A display of a mixed year: one in ten unanswered, two languages, two variants.
fn line(number: u64, shown_ms: u64) -> String {
    let mut random = [0; 10];
    random[2..].copy_from_slice(&number.to_be_bytes());
    let is_answered = !number.is_multiple_of(10);
    let score = number.wrapping_mul(2_654_435_761) >> 7;
    let answers = match number % 3 {
        _ if !is_answered => json!({}),
        0 => json!({ "score": score % 11, "why": "It is fast." }),
        _ => json!({ "score": score % 11 }),
    };
    json!({
        "shown_ms": shown_ms, "id": DisplayId::new(shown_ms, random), "revision": 1, "version": 1,
        "stage": if is_answered { "completed" } else { "seen" },
        "language": if number.is_multiple_of(4) { "de" } else { "en" },
        "variant": if number.is_multiple_of(2) { "a" } else { "b" },
        "page": "https://shop.example/cart", "answers": answers,
    })
    .to_string()
}

fn time(survey: &Survey<'_>, query: &str) -> f64 {
    let started = Instant::now();
    survey.summary_of(query);
    started.elapsed().as_secs_f64() * 1000.0
}

/// Reads an export, and asks after each piece, with the bytes so far, whether to go on. Returns how many
/// lines and bytes it had.
fn read_export(survey: &Survey<'_>, goes_on: &mut dyn FnMut(usize) -> bool) -> (usize, usize) {
    let mut stream = survey.request("GET", "/export").stream();
    let mut buffer = vec![0; 1 << 20];
    let (mut lines, mut bytes) = (0, 0);
    loop {
        let read = stream.read(&mut buffer).expect("an export that does not break");
        if read == 0 {
            return (lines, bytes);
        }
        bytes += read;
        lines += buffer[..read].iter().filter(|byte| **byte == b'\n').count();
        if !goes_on(bytes) {
            return (lines, bytes);
        }
    }
}

/// Exports everything, and looks at the memory of the process meanwhile.
fn export(machine: &Machine, survey: &Survey<'_>, part: &mut Part) -> Value {
    let before = memory_mib(machine);
    let (mut most, mut looked_at) = (before, 0);
    let started = Instant::now();
    let (lines, bytes) = read_export(survey, &mut |bytes| {
        if bytes - looked_at > 1 << 22 {
            looked_at = bytes;
            most = most.max(memory_mib(machine));
        }
        true
    });
    let (seconds, grown, mib) =
        (started.elapsed().as_secs_f64(), most - before, bytes as f64 / 1_048_576.0);
    println!(
        "\nexport of {lines} responses, {mib:.0} MiB, in {seconds:.0} s; the process grew by {grown:.0} MiB"
    );
    part.expect(grown <= MOST_EXPORT_MIB, || {
        format!("an export makes the process grow by {grown:.0} MiB: {MOST_EXPORT_MIB} is allowed")
    });
    json!({ "responses": lines, "mib": mib, "seconds": seconds, "grown_mib": grown })
}

/// Says at its end that something is over.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Collects while displays of the same object are read, again and again.
fn collect_while(
    machine: &Machine,
    survey: &Survey<'_>,
    (name, most_delay): (&str, f64),
    read: &(dyn Fn(&AtomicBool) + Sync),
    part: &mut Part,
) -> Value {
    let path = survey.collect_path(0);
    let mut rows = Vec::new();
    println!("\ncollecting idle, and beside {name} over a million: /s, p50, p99 in ms");
    for connections in CONNECTIONS {
        let load = Load { port: machine.port(), path: &path, connections, body: &display };
        let (mut idle, mut busy) = (Vec::new(), Vec::new());
        for _ in 0..3 {
            idle.push(load.run());
            let is_over = AtomicBool::new(false);
            thread::scope(|scope| {
                scope.spawn(|| {
                    while !is_over.load(Ordering::Relaxed) {
                        read(&is_over);
                    }
                });
                // Set even if the load fails, or the scope would wait for ever.
                let _over = Over(&is_over);
                busy.push(load.run());
            });
        }
        let (idle, busy) = (Measured::median(idle), Measured::median(busy));
        let delay = busy.p99_ms / idle.p99_ms;
        println!("{connections:>11} {idle} {busy} {delay:>7.2}");
        part.expect(delay <= most_delay, || {
            format!(
                "at {connections} connections {name} makes p99 {delay:.1} times as long: \
                 {most_delay} is allowed"
            )
        });
        rows.push(json!({
            "connections": connections,
            "idle": idle.json(),
            "busy": busy.json(),
            "p99_ratio": delay,
        }));
    }
    json!(rows)
}
