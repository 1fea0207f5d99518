//! Figures of this process for the operator's monitoring: `GET /metrics`, in the Prometheus text format 0.0.4.
//!
//! Everything is counted in memory since the isolate began. On a single machine the Worker and its objects are
//! one isolate, so the figures are those of the process. On Cloudflare's network each isolate answers with its
//! own figures.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write;

use asklet_shared::problem::Code;

use super::trace::Trace;

/// The upper bounds of the latency histogram, in milliseconds.
const BUCKETS_MS: [u64; 11] = [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000];

/// Maximum number of objects that are remembered, each with its stored bytes and its undelivered messages.
const OBJECTS_LIMIT: usize = 10_000;

thread_local! {
    static METRICS: RefCell<Metrics> = RefCell::default();
}

/// What was counted since the isolate began.
#[derive(Default)]
struct Metrics {
    /// By route and status.
    requests: BTreeMap<(&'static str, u16), u64>,
    /// By route.
    durations: BTreeMap<&'static str, Durations>,
    stored: u64,
    /// Refused displays, by the code of the problem.
    refused: BTreeMap<&'static str, u64>,
    folds: u64,
    /// How often objects woke, by kind.
    woken: BTreeMap<&'static str, u64>,
    /// Objects that woke, by kind and id.
    objects: BTreeMap<(&'static str, String), Object>,
}

/// Number of bytes that an object stores, and number of messages that it has yet to deliver.
#[derive(Debug, Clone, Copy, Default)]
struct Object {
    bytes: u64,
    outbox: u64,
}

/// How long requests took.
#[derive(Default)]
struct Durations {
    /// Number of requests in each bucket. The last bucket counts requests that took longer than all bounds.
    counts: [u64; BUCKETS_MS.len() + 1],
    sum_ms: u64,
}

impl Durations {
    fn add(&mut self, ms: u64) {
        let bucket = BUCKETS_MS.iter().position(|bound| ms <= *bound).unwrap_or(BUCKETS_MS.len());
        if let Some(count) = self.counts.get_mut(bucket) {
            *count += 1;
        }
        self.sum_ms += ms;
    }
}

fn count(counted: impl FnOnce(&mut Metrics)) {
    METRICS.with_borrow_mut(counted);
}

/// Counts a request that was answered, and its duration.
pub fn answered(trace: &Trace, status: u16) {
    let elapsed_ms = trace.elapsed_ms();
    count(|metrics| {
        *metrics.requests.entry((trace.route, status)).or_default() += 1;
        metrics.durations.entry(trace.route).or_default().add(elapsed_ms);
    });
}

/// Counts a request that failed, by the problem's code. It counts only requests that bring a display.
pub fn failed(route: &str, code: Code) {
    if route == "collect" {
        count(|metrics| *metrics.refused.entry(code.name()).or_default() += 1);
    }
}

/// Counts displays that were stored.
pub fn stored(displays: u64) {
    count(|metrics| metrics.stored += displays);
}

/// Counts a part of the log that was folded into the counters.
pub fn folded() {
    count(|metrics| metrics.folds += 1);
}

/// Counts an object that woke.
pub fn woke(kind: &'static str) {
    count(|metrics| *metrics.woken.entry(kind).or_default() += 1);
}

/// Notes how many bytes an object stores, and how many messages it has yet to deliver.
pub fn measured(kind: &'static str, id: String, bytes: u64, outbox: u64) {
    count(|metrics| {
        if metrics.objects.len() >= OBJECTS_LIMIT
            && !metrics.objects.contains_key(&(kind, id.clone()))
        {
            metrics.objects.pop_first();
        }
        metrics.objects.insert((kind, id), Object { bytes, outbox });
    });
}

/// Returns all metrics in the Prometheus text format.
pub fn text() -> String {
    METRICS.with_borrow(Metrics::text)
}

impl Metrics {
    fn text(&self) -> String {
        let mut text = Text::default();
        let name = "asklet_requests_total";
        text.family(name, "counter", "Requests by route and status.");
        for ((route, status), count) in &self.requests {
            text.sample(name, &format!("route=\"{route}\",status=\"{status}\""), count);
        }
        self.write_durations(&mut text);
        text.counter("asklet_displays_stored_total", "Displays that were accepted.", self.stored);
        let name = "asklet_displays_refused_total";
        text.family(name, "counter", "Requests with a display that were refused, by code.");
        for (code, count) in &self.refused {
            text.sample(name, &format!("code=\"{code}\""), count);
        }
        let help = "Parts of the log that were folded into counters.";
        text.counter("asklet_folds_total", help, self.folds);
        let name = "asklet_objects_woken_total";
        text.family(name, "counter", "How often objects woke, by kind.");
        for (kind, count) in &self.woken {
            text.sample(name, &format!("object=\"{kind}\""), count);
        }
        let (mut bytes, mut outbox) = (BTreeMap::<&str, u64>::new(), 0);
        for ((kind, _), object) in &self.objects {
            *bytes.entry(kind).or_default() += object.bytes;
            outbox += object.outbox;
        }
        let name = "asklet_stored_bytes";
        text.family(name, "gauge", "Bytes in use by the objects that woke, by kind.");
        for (kind, bytes) in &bytes {
            text.sample(name, &format!("object=\"{kind}\""), bytes);
        }
        let name = "asklet_outbox_messages";
        text.family(name, "gauge", "Messages to shards that are not delivered.");
        text.sample(name, "", &outbox);
        text.0
    }

    fn write_durations(&self, text: &mut Text) {
        let name = "asklet_request_duration_seconds";
        text.family(name, "histogram", "How long requests took, by route.");
        for (route, durations) in &self.durations {
            let mut below = 0;
            let bounds = BUCKETS_MS.iter().map(|ms| seconds(*ms)).chain(["+Inf".to_owned()]);
            for (count, bound) in durations.counts.iter().zip(bounds) {
                below += count;
                let labels = format!("route=\"{route}\",le=\"{bound}\"");
                text.sample(&format!("{name}_bucket"), &labels, &below);
            }
            let labels = format!("route=\"{route}\"");
            text.sample(&format!("{name}_sum"), &labels, &seconds(durations.sum_ms));
            text.sample(&format!("{name}_count"), &labels, &below);
        }
    }
}

/// Converts milliseconds to seconds, without rounding.
fn seconds(ms: u64) -> String {
    let seconds = format!("{}.{:03}", ms / 1_000, ms % 1_000);
    seconds.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A text in the Prometheus format, as it is being written.
#[derive(Default)]
struct Text(String);

impl Text {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        self.0 += &format!("# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    /// Writes a counter that has no labels.
    fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.family(name, "counter", help);
        self.sample(name, "", &value);
    }

    fn sample(&mut self, name: &str, labels: &str, value: &dyn std::fmt::Display) {
        let labels = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
        // Writing to a `String` cannot fail.
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_cumulative_and_seconds_are_exact() {
        let mut metrics = Metrics::default();
        for ms in [0, 5, 6, 30_000] {
            metrics.durations.entry("collect").or_default().add(ms);
        }
        metrics.requests.insert(("collect", 204), 3);
        let text = metrics.text();
        for line in [
            "asklet_requests_total{route=\"collect\",status=\"204\"} 3",
            "asklet_request_duration_seconds_bucket{route=\"collect\",le=\"0.005\"} 2",
            "asklet_request_duration_seconds_bucket{route=\"collect\",le=\"0.01\"} 3",
            "asklet_request_duration_seconds_bucket{route=\"collect\",le=\"10\"} 3",
            "asklet_request_duration_seconds_bucket{route=\"collect\",le=\"+Inf\"} 4",
            "asklet_request_duration_seconds_sum{route=\"collect\"} 30.011",
            "asklet_request_duration_seconds_count{route=\"collect\"} 4",
            "asklet_displays_stored_total 0",
        ] {
            assert!(text.lines().any(|known| known == line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn the_objects_that_are_remembered_are_limited() {
        for number in 0..OBJECTS_LIMIT + 5 {
            measured("survey", format!("{number:06}"), 1, 1);
        }
        assert!(text().contains("asklet_stored_bytes{object=\"survey\"} 10000\n"));
        assert!(text().contains("asklet_outbox_messages 10000\n"));
    }
}
