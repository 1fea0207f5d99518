//! Requests and answers on raw sockets, byte by byte, with a patience for everything.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::time::Duration;

use crate::history::{Framing, Template};

/// How long an answer may take. A server that is slower than this hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection that is kept open for as long as both sides want.
pub struct Connection {
    port: u16,
    stream: Option<TcpStream>,
    /// How many were opened.
    pub opened: u64,
}

/// What came back for a request.
#[derive(Debug)]
pub enum Outcome {
    /// An answer.
    Answered(Answer),
    /// The server closed the connection and said nothing.
    Closed,
    /// The client was gone before it could hear anything.
    Gone,
    /// Nothing in all the time there was.
    Hung,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its content type, or nothing.
    pub content_type: String,
    /// Its body.
    pub body: Vec<u8>,
    /// Whether the server closes the connection after it.
    closes: bool,
}

impl Connection {
    /// One to a port of this machine; it opens when it is first needed.
    pub fn new(port: u16) -> Self {
        Self { port, stream: None, opened: 0 }
    }

    /// Sends a request and waits for what comes back. A connection that was kept open may be closed
    /// by the time, as it is after an answer to a body that the server did not read; then the request
    /// goes out once more, as browsers do it.
    pub fn exchange(&mut self, request: &Template) -> std::io::Result<Outcome> {
        let was_open = self.stream.is_some();
        match self.send(request)? {
            Outcome::Closed if was_open => self.send(request),
            outcome => Ok(outcome),
        }
    }

    fn send(&mut self, request: &Template) -> std::io::Result<Outcome> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => {
                self.opened += 1;
                let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(PATIENCE))?;
                stream.set_write_timeout(Some(PATIENCE))?;
                stream
            }
        };
        let (bytes, end) = bytes(request);
        // A server may answer and close before it has read everything.
        if let Err(error) = stream.write_all(&bytes)
            && matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
        {
            return Ok(Outcome::Hung);
        }
        match end {
            End::Gone => return Ok(Outcome::Gone),
            End::Listen => drop(stream.shutdown(Shutdown::Write)),
            End::KeepOpen => {}
        }
        let outcome = read_answer(&mut stream, request.method == "HEAD")?;
        if let (End::KeepOpen, Outcome::Answered(answer)) = (end, &outcome)
            && !answer.closes
        {
            self.stream = Some(stream);
        }
        Ok(outcome)
    }
}

/// What the client does once a request is sent.
#[derive(Debug, Clone, Copy)]
enum End {
    KeepOpen,
    Listen,
    Gone,
}

/// The bytes of a request.
fn bytes(request: &Template) -> (Vec<u8>, End) {
    let Template { method, path, headers, framing, body } = request;
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n");
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    let chunked = |size: usize| {
        let mut chunks = Vec::new();
        for chunk in body.chunks(size.max(1)) {
            chunks.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            chunks.extend_from_slice(chunk);
            chunks.extend_from_slice(b"\r\n");
        }
        chunks.extend_from_slice(b"0\r\n\r\n");
        chunks
    };
    let (header, sent) = match framing {
        Framing::Chunked(size) => ("transfer-encoding: chunked\r\n".to_owned(), chunked(*size)),
        Framing::AbortChunked(_) => ("transfer-encoding: chunked\r\n".to_owned(), chunked(64)),
        Framing::Raw => (String::new(), body.clone()),
        Framing::Length | Framing::Abort(_) | Framing::Half(_) => {
            (format!("content-length: {}\r\n", body.len()), body.clone())
        }
    };
    let mut bytes = [head.as_bytes(), header.as_bytes(), b"\r\n", &sent].concat();
    // Never all of it, and of chunks not the last, which is empty: what is whole may be stored, and
    // nobody would hear of it.
    let last = if matches!(framing, Framing::AbortChunked(_)) { 6 } else { 1 };
    let mut cut = |to: usize| bytes.truncate(to.min(bytes.len() - last));
    let end = match framing {
        Framing::Length | Framing::Chunked(_) => End::KeepOpen,
        Framing::Raw => End::Listen,
        Framing::Half(to) => {
            cut(*to);
            End::Listen
        }
        Framing::Abort(to) | Framing::AbortChunked(to) => {
            cut(*to);
            End::Gone
        }
    };
    (bytes, end)
}

fn read_answer(stream: &mut TcpStream, is_head: bool) -> std::io::Result<Outcome> {
    let mut bytes = Vec::new();
    loop {
        if let Some(answer) = answer(&bytes, is_head)? {
            // Whoever announces to go on has not answered yet.
            if answer.0.status != 100 {
                return Ok(Outcome::Answered(answer.0));
            }
            bytes.drain(..answer.1);
            continue;
        }
        let mut part = [0; 16 * 1024];
        match stream.read(&mut part) {
            Ok(0) => return Ok(Outcome::Closed),
            Ok(read) => bytes.extend_from_slice(&part[..read]),
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::TimedOut => return Ok(Outcome::Hung),
                ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => return Ok(Outcome::Closed),
                _ => return Err(error),
            },
        }
    }
}

/// The answer that these bytes begin with and its length, once it is whole.
fn answer(bytes: &[u8], is_head: bool) -> std::io::Result<Option<(Answer, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut head = httparse::Response::new(&mut headers);
    let parsed = head.parse(bytes).map_err(std::io::Error::other)?;
    let httparse::Status::Complete(start) = parsed else { return Ok(None) };
    let status = head.code.unwrap_or_default();
    let header = |wanted: &str| {
        let found = head.headers.iter().find(|header| header.name.eq_ignore_ascii_case(wanted));
        found.map(|header| String::from_utf8_lossy(header.value).into_owned()).unwrap_or_default()
    };
    let rest = &bytes[start..];
    let has_body = !is_head && status >= 200 && status != 204 && status != 304;
    let body = if !has_body {
        Some((Vec::new(), 0))
    } else if header("transfer-encoding").eq_ignore_ascii_case("chunked") {
        chunks(rest)?
    } else {
        let length: usize = header("content-length").parse().map_err(std::io::Error::other)?;
        rest.get(..length).map(|body| (body.to_vec(), length))
    };
    let closes = header("connection").eq_ignore_ascii_case("close");
    let content_type = header("content-type");
    Ok(body.map(|(body, length)| (Answer { status, content_type, body, closes }, start + length)))
}

/// A body in chunks with the length that it took, once it is whole.
pub fn chunks(bytes: &[u8]) -> std::io::Result<Option<(Vec<u8>, usize)>> {
    let (mut body, mut at) = (Vec::new(), 0);
    loop {
        let parsed = httparse::parse_chunk_size(&bytes[at..]);
        let parsed = parsed.map_err(|_| std::io::Error::other("a chunk without a size"))?;
        let httparse::Status::Complete((head, size)) = parsed else { return Ok(None) };
        let size = usize::try_from(size).map_err(std::io::Error::other)?;
        let Some(chunk) = bytes.get(at + head..at + head + size + 2) else { return Ok(None) };
        body.extend_from_slice(&chunk[..size]);
        at += head + size + 2;
        if size == 0 {
            return Ok(Some((body, at)));
        }
    }
}
