//! A request that is begun and never finished, as broken and hostile clients leave it.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::Deployment;

/// A request whose body does not come to its end.
pub struct Unfinished(TcpStream);

impl Unfinished {
    /// Begins a `POST` with these lines of headers, which say how long the body is.
    pub fn post(deployment: &Deployment, path: &str, headers: &[&str]) -> Self {
        Self::begin(deployment, "POST", path, headers)
    }

    /// The same with another method.
    pub fn begin(deployment: &Deployment, method: &str, path: &str, headers: &[&str]) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", deployment.port())).expect("a connection");
        // A server that hangs fails the test.
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a time limit");
        let mut this = Self(stream);
        let headers = headers.join("\r\n");
        this.send(&format!("{method} {path} HTTP/1.1\r\nhost: edge\r\n{headers}\r\n\r\n"));
        this
    }

    /// Sends a part of the body as it travels.
    pub fn send(&mut self, part: &str) {
        self.0.write_all(part.as_bytes()).expect("the server listens");
    }

    /// Whether the server has answered already.
    pub fn is_answered(&self) -> bool {
        self.0.set_nonblocking(true).expect("a mode");
        let peeked = self.0.peek(&mut [0]);
        self.0.set_nonblocking(false).expect("a mode");
        match peeked {
            Ok(bytes) => bytes > 0,
            Err(error) if error.kind() == ErrorKind::WouldBlock => false,
            Err(error) => panic!("the connection broke: {error}"),
        }
    }

    /// The status that it is answered with all the same.
    pub fn status(&mut self) -> u16 {
        let mut answer = [0; 12];
        self.0.read_exact(&mut answer).expect("an answer");
        let text = String::from_utf8_lossy(&answer);
        let status = text.strip_prefix("HTTP/1.1 ").and_then(|status| status.parse().ok());
        status.unwrap_or_else(|| panic!("no status: {text}"))
    }
}
