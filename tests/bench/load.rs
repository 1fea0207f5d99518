//! A load: connections that are kept open, each sending one request after the other.

use std::fmt;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How long one measurement takes.
const DURATION: Duration = Duration::from_secs(3);

/// Numbers of bodies, each used once in a run of the program.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// What is sent, where, and how many at once.
pub struct Load<'a> {
    pub port: u16,
    pub path: &'a str,
    pub connections: usize,
    pub body: &'a (dyn Fn(u64) -> String + Sync),
}

/// What came of it. Times are in milliseconds.
#[derive(Clone)]
pub struct Measured {
    pub answered: u64,
    pub per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
}

impl Load<'_> {
    pub fn run(&self) -> Measured {
        let start = Instant::now();
        let mut times: Vec<Duration> = thread::scope(|scope| {
            let connections: Vec<_> =
                (0..self.connections).map(|_| scope.spawn(|| self.send(start))).collect();
            connections.into_iter().flat_map(|one| one.join().expect("a connection")).collect()
        });
        let elapsed = start.elapsed();
        times.sort();
        let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
        Measured {
            answered: times.len() as u64,
            per_second: times.len() as f64 / elapsed.as_secs_f64(),
            p50_ms: at(0.50).as_secs_f64() * 1000.0,
            p99_ms: at(0.99).as_secs_f64() * 1000.0,
        }
    }

    fn send(&self, start: Instant) -> Vec<Duration> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).expect("a server");
        stream.set_nodelay(true).expect("an open connection");
        let mut answers = BufReader::new(stream.try_clone().expect("an open connection"));
        let mut stream = stream;
        let mut times = Vec::new();
        while start.elapsed() < DURATION {
            let body = (self.body)(NEXT.fetch_add(1, Ordering::Relaxed));
            let request = format!(
                "POST {} HTTP/1.1\r\nhost: localhost\r\ncontent-type: text/plain\r\n\
                 content-length: {}\r\n\r\n{body}",
                self.path,
                body.len()
            );
            let sent = Instant::now();
            stream.write_all(request.as_bytes()).expect("an open connection");
            read_no_content(&mut answers);
            times.push(sent.elapsed());
        }
        times
    }
}

/// Reads an answer, which has no body.
fn read_no_content(answers: &mut impl BufRead) {
    let mut line = String::new();
    answers.read_line(&mut line).expect("an answer");
    assert!(line.starts_with("HTTP/1.1 204"), "{line}");
    while line != "\r\n" {
        line.clear();
        answers.read_line(&mut line).expect("an answer");
    }
}

impl Measured {
    /// The measurement in the middle, by its rate.
    pub fn median(mut measured: Vec<Self>) -> Self {
        let answered = measured.iter().map(|one| one.answered).sum();
        measured.sort_by(|a, b| a.per_second.total_cmp(&b.per_second));
        Self { answered, ..measured[measured.len() / 2].clone() }
    }

    pub fn json(&self) -> Value {
        json!({ "per_second": self.per_second, "p50_ms": self.p50_ms, "p99_ms": self.p99_ms })
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>8.0} {:>6.1} {:>6.1}", self.per_second, self.p50_ms, self.p99_ms)
    }
}
