//! Histories: requests that one client sends one after the other, as kept in files and as changed.
//!
//! ```text
//! POST /v1/collect/{site}/{survey}/0
//! content-type: text/plain
//! :chunked 7
//!
//! {"id":"{id:1}", …}
//! ===
//! …
//! ```
//!
//! What stands in braces is filled in when it is sent: the ids of the deployment's sites and surveys,
//! `{id:N}` for a display of this history, `{times 5000 [}` for a long text. A line that begins with
//! a colon says how the request is framed. Everything else is sent as it stands.

use std::collections::BTreeMap;

use asklet_fuzz::mutate::Mutator;

/// Divides the requests of a history.
const DIVIDER: &str = "\n===\n";

/// Methods that HTTP servers know, and some that they do not.
const METHODS: [&str; 14] = [
    "POST", "GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND", "PURGE",
    "QUERY", "post", "BREW", "CONNECT",
];

/// Headers that may matter to a server.
const HEADERS: [(&str, &str); 29] = [
    ("content-type", "text/plain"),
    ("content-type", "text/plain;charset=UTF-8"),
    ("content-type", "application/json"),
    ("Content-Type", "TEXT/PLAIN ; x=y"),
    ("content-type", "application/x-www-form-urlencoded"),
    ("content-type", "multipart/form-data"),
    ("content-type", ""),
    ("content-type", ";"),
    ("content-type", "text/plain, application/json"),
    ("content-type", "text/plain\u{e9}"),
    ("origin", "https://shop.example"),
    ("origin", "https://evil.example"),
    ("origin", "null"),
    ("origin", ""),
    ("origin", "*"),
    ("origin", "https://shop.example:443"),
    ("origin", "HTTPS://SHOP.EXAMPLE"),
    ("content-encoding", "gzip"),
    ("content-length", "0"),
    ("content-length", "1"),
    ("content-length", "100"),
    ("content-length", "16385"),
    ("transfer-encoding", "chunked"),
    ("expect", "100-continue"),
    ("upgrade", "websocket"),
    ("cookie", "a=b"),
    ("authorization", "Bearer ak_x_y"),
    ("if-none-match", "*"),
    ("range", "bytes=0-1"),
];

/// Headers that say where a body ends. A request that has one is framed by it alone.
const FRAMES: [&str; 2] = ["content-length", "transfer-encoding"];

/// Parts of paths that are not what they seem.
const PARTS: [&str; 22] = [
    "",
    ".",
    "..",
    "%2e%2e",
    "%2F",
    "%00",
    "%zz",
    "%",
    "é",
    "\\",
    "?",
    "0",
    "00",
    "1",
    "2",
    "7",
    "8",
    "-1",
    "65536",
    "any-000000000000000000",
    "{other_survey}",
    "{shard_1}",
];

/// How the body of a request is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Framing {
    /// With its length.
    Length,
    /// In chunks of so many bytes.
    Chunked(usize),
    /// As the headers say, whatever they say; nothing is sent after it.
    Raw,
    /// With its length, and only so much of all; then the client is gone.
    Abort(usize),
    /// In chunks, and only so much of all; then the client is gone.
    AbortChunked(usize),
    /// With its length, and only so much of all; then the client listens.
    Half(usize),
}

/// One request, before its places are filled in.
#[derive(Debug, Clone)]
pub struct Template {
    /// The method.
    pub method: String,
    /// The path, with a query maybe.
    pub path: String,
    /// The headers, without those of the framing.
    pub headers: Vec<(String, String)>,
    /// How the body is sent.
    pub framing: Framing,
    /// The body.
    pub body: Vec<u8>,
}

/// Requests in their order.
#[derive(Debug, Clone)]
pub struct History(pub Vec<Template>);

impl History {
    /// Reads a kept history; `name` is for whoever has to mend the file.
    pub fn parse(bytes: &[u8], name: &str) -> Self {
        let mut rest = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let mut templates = Vec::new();
        loop {
            let divider = DIVIDER.as_bytes();
            let end = rest.windows(divider.len()).position(|window| window == divider);
            let one = &rest[..end.unwrap_or(rest.len())];
            templates.push(Template::parse(one).unwrap_or_else(|| panic!("{name}: no request")));
            match end {
                Some(end) => rest = &rest[end + divider.len()..],
                None => return Self(templates),
            }
        }
    }

    /// As it would be kept.
    pub fn write(&self) -> Vec<u8> {
        let written: Vec<_> = self.0.iter().map(Template::write).collect();
        [written.join(DIVIDER.as_bytes()), b"\n".to_vec()].concat()
    }

    /// Changes some of it.
    pub fn change(&mut self, mutator: &mut Mutator) {
        if mutator.rng().u8(0..8) == 0 && self.0.len() > 1 {
            let (one, other) =
                (mutator.rng().usize(..self.0.len()), mutator.rng().usize(..self.0.len()));
            self.0.swap(one, other);
        }
        for template in &mut self.0 {
            // Half of them as they are, so that there is something to count.
            let changes = if mutator.rng().bool() { mutator.rng().u8(1..4) } else { 0 };
            for _ in 0..changes {
                template.change(mutator);
            }
        }
    }

    /// Whether one of the requests is no HTTP, so that it never reaches the product. workerd logs a
    /// stack for each, so these are sent as they are kept and not by the thousand.
    pub fn is_unsound(&self) -> bool {
        let is_unsound = |(name, value): &(String, String)| match name.as_str() {
            "content-length" => value.parse::<u32>().is_err(),
            "transfer-encoding" => value != "chunked",
            _ => false,
        };
        self.0.iter().any(|template| template.headers.iter().any(is_unsound))
    }
}

impl Template {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let blank = bytes.windows(2).position(|window| window == b"\n\n");
        let (head, body) = bytes.split_at(blank.unwrap_or(bytes.len()));
        let head = std::str::from_utf8(head).ok()?;
        let mut lines = head.lines();
        let (method, path) = lines.next()?.split_once(' ')?;
        let (mut headers, mut framing) = (Vec::new(), Framing::Length);
        for line in lines {
            if let Some(framed) = line.strip_prefix(':') {
                let (kind, number) = framed.split_once(' ').unwrap_or((framed, "0"));
                let number = number.parse().ok()?;
                framing = match kind {
                    "chunked" => Framing::Chunked(number),
                    "raw" => Framing::Raw,
                    "abort" => Framing::Abort(number),
                    "abort-chunked" => Framing::AbortChunked(number),
                    "half" => Framing::Half(number),
                    _ => return None,
                };
            } else {
                let (name, value) = line.split_once(':')?;
                headers.push((name.to_owned(), value.trim_start_matches(' ').to_owned()));
            }
        }
        let body = body.get(2..).unwrap_or_default().to_vec();
        Some(Self { method: method.to_owned(), path: path.to_owned(), headers, framing, body })
    }

    fn write(&self) -> Vec<u8> {
        let mut text = format!("{} {}\n", self.method, self.path);
        for (name, value) in &self.headers {
            text += &format!("{name}: {value}\n");
        }
        text += &match self.framing {
            Framing::Length => String::new(),
            Framing::Chunked(size) => format!(":chunked {size}\n"),
            Framing::Raw => ":raw\n".to_owned(),
            Framing::Abort(bytes) => format!(":abort {bytes}\n"),
            Framing::AbortChunked(bytes) => format!(":abort-chunked {bytes}\n"),
            Framing::Half(bytes) => format!(":half {bytes}\n"),
        };
        [text.as_bytes(), b"\n", &self.body].concat()
    }

    fn change(&mut self, mutator: &mut Mutator) {
        // With a key a changed path could do damage that is no finding.
        let is_teams = self.headers.iter().any(|(name, _)| name == "authorization");
        match mutator.rng().u8(0..20) {
            0 if !is_teams => {
                self.method = (*mutator.rng().choice(&METHODS).unwrap_or(&"POST")).to_owned();
            }
            1..4 => self.change_path(mutator, is_teams),
            4..7 => self.change_headers(mutator),
            7..9 => {
                let number = mutator.rng().usize(1..400);
                self.headers.retain(|(name, _)| !FRAMES.contains(&name.as_str()));
                self.framing = match mutator.rng().u8(0..8) {
                    0..4 => Framing::Chunked(number),
                    4 => Framing::Abort(number),
                    5 => Framing::AbortChunked(number),
                    6 => Framing::Half(number),
                    _ => Framing::Length,
                };
            }
            9 if !self.body.is_empty() => mutator.bytes(&mut self.body),
            _ if self.path.contains('?') => self.change_path(mutator, is_teams),
            _ if !self.body.is_empty() => mutator.json(&mut self.body),
            _ => {}
        }
    }

    fn change_path(&mut self, mutator: &mut Mutator, only_query: bool) {
        let rng = mutator.rng();
        let (path, query) = self.path.split_once('?').unwrap_or((&self.path, ""));
        if !query.is_empty() && (only_query || rng.bool()) {
            let mut changed = query.to_owned().into_bytes();
            mutator.bytes(&mut changed);
            let query = String::from_utf8_lossy(&changed).into_owned();
            // An address with a space or a line's end in it is another request.
            let is_sound = |c: char| !c.is_whitespace() && !c.is_control();
            self.path =
                format!("{path}?{}", query.chars().filter(|c| is_sound(*c)).collect::<String>());
            return;
        }
        if only_query {
            return;
        }
        let mut parts: Vec<String> = path.split('/').map(str::to_owned).collect();
        let at = rng.usize(1..parts.len().max(2));
        let part = (*rng.choice(&PARTS).unwrap_or(&"")).to_owned();
        let Some(old) = parts.get_mut(at) else { return };
        match rng.u8(0..7) {
            0 => *old = part,
            1 => *old += &part,
            2 => drop(old.pop()),
            3 => drop(parts.remove(at)),
            4 => parts.insert(at, part),
            // The same in other letters: encoded, or in upper case.
            5 => {
                let encode = |c: char| if c == 'o' { "%6f".to_owned() } else { c.to_string() };
                *old = old.chars().map(encode).collect();
            }
            _ => self.path += "?x=1",
        }
        self.path = parts.join("/");
        if !self.path.starts_with('/') {
            self.path.insert(0, '/');
        }
    }

    fn change_headers(&mut self, mutator: &mut Mutator) {
        let rng = mutator.rng();
        let (name, value) = *rng.choice(&HEADERS).unwrap_or(&HEADERS[0]);
        if rng.u8(0..6) == 0 && !self.headers.is_empty() {
            self.headers.remove(rng.usize(..self.headers.len()));
        } else if FRAMES.contains(&name) {
            self.framing = Framing::Raw;
            self.headers.push((name.to_owned(), value.to_owned()));
        } else {
            if rng.bool() {
                self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
            }
            self.headers.push((name.to_owned(), value.to_owned()));
        }
    }

    /// Fills in what stands in braces: by name, or by what `id` says for `{id:N}`.
    pub fn filled(&self, names: &BTreeMap<&str, String>, id: &dyn Fn(u8) -> String) -> Self {
        let fill = |bytes: &[u8]| fill(bytes, names, id);
        let fill_text = |text: &str| String::from_utf8_lossy(&fill(text.as_bytes())).into_owned();
        let headers = self.headers.iter().map(|(name, value)| (name.clone(), fill_text(value)));
        Self {
            method: self.method.clone(),
            path: fill_text(&self.path),
            headers: headers.collect(),
            framing: self.framing.clone(),
            body: fill(&self.body),
        }
    }
}

fn fill(bytes: &[u8], names: &BTreeMap<&str, String>, id: &dyn Fn(u8) -> String) -> Vec<u8> {
    let mut filled = Vec::new();
    let mut rest = bytes;
    while let Some(start) = rest.iter().position(|byte| *byte == b'{') {
        let (before, from_brace) = rest.split_at(start);
        filled.extend_from_slice(before);
        // Places are short; a brace of JSON is none.
        let end = from_brace.iter().take(80).position(|byte| *byte == b'}');
        let inside = end.and_then(|end| std::str::from_utf8(&from_brace[1..end]).ok());
        match inside.and_then(|inside| place(inside, names, id)) {
            Some(value) => {
                filled.extend_from_slice(&value);
                rest = &from_brace[end.unwrap_or(0) + 1..];
            }
            None => {
                filled.push(b'{');
                rest = &from_brace[1..];
            }
        }
    }
    filled.extend_from_slice(rest);
    filled
}

fn place(
    inside: &str,
    names: &BTreeMap<&str, String>,
    id: &dyn Fn(u8) -> String,
) -> Option<Vec<u8>> {
    if let Some(number) = inside.strip_prefix("id:") {
        return Some(id(number.parse().ok()?).into_bytes());
    }
    if let Some(repeated) = inside.strip_prefix("times ") {
        let (count, text) = repeated.split_once(' ')?;
        return Some(text.repeat(count.parse::<u16>().ok()?.into()).into_bytes());
    }
    names.get(inside).map(|value| value.clone().into_bytes())
}
