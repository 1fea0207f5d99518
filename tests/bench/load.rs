//! A load: connections that are kept open, each sending one request after the other.

use std::fmt;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How long one measurement takes.
const DURATION: Duration = Duration::from_secs(3);

/// Numbers of bodies, each used once in a run of the program.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// What is sent, where, and how many at once.
#[derive(Clone, Copy)]
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
    /// How many were refused, with 429.
    pub refused: u64,
    pub per_second: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub longest_ms: f64,
}

/// How a load differs from the usual one.
#[derive(Default)]
pub struct Pace<'a> {
    /// One header more, with its line's end.
    pub header: &'a str,
    /// Until when it goes on, instead of the usual time.
    pub is_over: Option<&'a AtomicBool>,
}

impl Load<'_> {
    /// Posts bodies.
    pub fn run(&self) -> Measured {
        self.at(&Pace::default())
    }

    /// Posts bodies at another pace.
    pub fn at(&self, pace: &Pace<'_>) -> Measured {
        self.measure(pace.is_over, &|number| {
            let body = (self.body)(number);
            format!(
                "POST {} HTTP/1.1\r\nhost: localhost\r\ncontent-type: text/plain\r\n{}\
                 content-length: {}\r\n\r\n{body}",
                self.path,
                pace.header,
                body.len()
            )
        })
    }

    /// Gets the path, again and again.
    pub fn get(&self) -> Measured {
        self.measure(None, &|_| format!("GET {} HTTP/1.1\r\nhost: localhost\r\n\r\n", self.path))
    }

    fn measure(
        &self,
        is_over: Option<&AtomicBool>,
        request: &(dyn Fn(u64) -> String + Sync),
    ) -> Measured {
        let start = Instant::now();
        let goes_on = || match is_over {
            Some(is_over) => !is_over.load(Ordering::Relaxed),
            None => start.elapsed() < DURATION,
        };
        let answers: Vec<(Duration, u16)> = thread::scope(|scope| {
            let connections: Vec<_> = (0..self.connections)
                .map(|_| scope.spawn(|| send(self.port, &goes_on, request)))
                .collect();
            connections.into_iter().flat_map(|one| one.join().expect("a connection")).collect()
        });
        let elapsed = start.elapsed();
        let refused = answers.iter().filter(|(_, status)| *status == 429).count();
        let mut times: Vec<_> = answers.into_iter().map(|(time, _)| time).collect();
        times.sort();
        let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
        Measured {
            answered: (times.len() - refused) as u64,
            refused: refused as u64,
            per_second: times.len() as f64 / elapsed.as_secs_f64(),
            p50_ms: at(0.50).as_secs_f64() * 1000.0,
            p99_ms: at(0.99).as_secs_f64() * 1000.0,
            longest_ms: at(1.0).as_secs_f64() * 1000.0,
        }
    }
}

/// Sends one request after the other on one connection.
fn send(
    port: u16,
    goes_on: &(dyn Fn() -> bool + Sync),
    request: &(dyn Fn(u64) -> String + Sync),
) -> Vec<(Duration, u16)> {
    let (mut stream, mut answers) = connect(port);
    let mut found = Vec::new();
    while goes_on() {
        let request = request(NEXT.fetch_add(1, Ordering::Relaxed));
        let sent = Instant::now();
        stream.write_all(request.as_bytes()).expect("an open connection");
        let status = read_answer(&mut answers);
        found.push((sent.elapsed(), status));
        if status == 429 {
            // Its body was not read, so the server closes the connection.
            (stream, answers) = connect(port);
        }
    }
    found
}

fn connect(port: u16) -> (TcpStream, BufReader<TcpStream>) {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("a server");
    stream.set_nodelay(true).expect("an open connection");
    let answers = BufReader::new(stream.try_clone().expect("an open connection"));
    (stream, answers)
}

/// Reads an answer with its body, if it has one. Returns its status.
fn read_answer(answers: &mut impl BufRead) -> u16 {
    let mut line = String::new();
    answers.read_line(&mut line).expect("an answer");
    let status: u16 = line.get(9..12).and_then(|code| code.parse().ok()).expect("a status");
    assert!(matches!(status, 200 | 204 | 429), "{line}");
    let mut length = 0;
    while line != "\r\n" {
        line.clear();
        answers.read_line(&mut line).expect("an answer");
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
    }
    let mut body = vec![0; length];
    answers.read_exact(&mut body).expect("a body");
    status
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
