//! How inputs are changed: JSON by its values and members, anything by its bytes. The text of the
//! JSON is changed, not a tree read from it, so that what no writer would write comes up as well.
//! What values and keys there are, the kept inputs say.

use fastrand::Rng;

/// What has broken decoders before, as it stands in JSON.
const TOKENS: [&str; 44] = [
    "null",
    "true",
    "false",
    "{}",
    "[]",
    "\"\"",
    "\" \"",
    "0",
    "-0",
    "1",
    "-1",
    "2",
    "5",
    "7",
    "10",
    "11",
    "127",
    "255",
    "256",
    "65535",
    "65536",
    "4294967295",
    "4294967296",
    "9007199254740993",
    "18446744073709551615",
    "18446744073709551616",
    "0.5",
    "9.0",
    "1e1",
    "1e999",
    "-1e999",
    "1e-999",
    "NaN",
    "Infinity",
    "01",
    "+1",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "\"\\udc00\\ud800\"",
    "\"\\u00e9\"",
    "\"😀\"",
    "\"\u{feff}\"",
    "{\"a\":1,\"a\":2}",
    "[1,]",
];

/// A part of a text in JSON, by its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    start: usize,
    end: usize,
    /// A key with its value, and not only a value.
    is_member: bool,
}

/// Changes inputs.
pub struct Mutator {
    rng: Rng,
    /// Values and members of the kept inputs, as text.
    pool: Vec<(bool, Vec<u8>)>,
}

impl Mutator {
    /// One with a seed, which takes values from these inputs.
    pub fn new<'a>(seed: u64, kept: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut pool = Vec::new();
        for input in kept {
            for span in spans(input) {
                let part = (span.is_member, input[span.start..span.end].to_vec());
                if part.1.len() <= 400 && !pool.contains(&part) {
                    pool.push(part);
                }
            }
        }
        Self { rng: Rng::with_seed(seed), pool }
    }

    /// The generator, for choices of the caller's.
    pub fn rng(&mut self) -> &mut Rng {
        &mut self.rng
    }

    /// Starts again from a seed.
    pub fn reseed(&mut self, seed: u64) {
        self.rng.seed(seed);
    }

    /// Changes a text in JSON, once.
    pub fn json(&mut self, text: &mut Vec<u8>) {
        let found = spans(text);
        let Some(span) = self.rng.choice(&found).copied() else { return self.bytes(text) };
        let Span { start, end, is_member } = span;
        let old = text[start..end].to_vec();
        let is_number = old.iter().all(u8::is_ascii_digit);
        let new = match self.rng.u8(0..16) {
            // A number in the place of a number, mostly: that gets past the types to the rules.
            0..8 if is_number && self.rng.u8(0..4) != 0 => self.number(),
            0..5 => self.pooled(is_member),
            5..8 if !is_member => self.token(),
            8 => {
                // Away with it, and with a comma beside it.
                let end = if text.get(end) == Some(&b',') { end + 1 } else { end };
                text.drain(start..end);
                return;
            }
            9 => [&old[..], b",", &old].concat(),
            10 => {
                let other = found[self.rng.usize(..found.len())];
                text[other.start..other.end].to_vec()
            }
            11 if !is_member => {
                let depth = *self.rng.choice(&[1, 2, 126, 127, 128, 2_000]).unwrap_or(&1);
                [&b"[".repeat(depth), &old[..], &b"]".repeat(depth)].concat()
            }
            12..14 => self.neighbour(&old),
            14 => [&old[..], b",", &self.pooled(is_member)].concat(),
            _ => return self.bytes(text),
        };
        text.splice(start..end, new);
    }

    /// Changes bytes of any kind, once.
    pub fn bytes(&mut self, bytes: &mut Vec<u8>) {
        let at = self.rng.usize(..=bytes.len());
        let end = bytes.len().min(at + self.rng.usize(1..=8));
        match self.rng.u8(0..6) {
            0 if at < bytes.len() => bytes[at] ^= 1 << self.rng.u8(0..8),
            1 => drop(bytes.drain(at..end)),
            2 => bytes.truncate(at),
            3 => drop(bytes.splice(at..at, bytes[at..end].repeat(2))),
            4 => {
                let token = self.token();
                drop(bytes.splice(at..end, token));
            }
            _ => bytes.insert(at, self.rng.u8(..)),
        }
    }

    /// A value that is close to another: a number one off, a text with something in it.
    fn neighbour(&mut self, old: &[u8]) -> Vec<u8> {
        let number = std::str::from_utf8(old).ok().and_then(|text| text.parse::<i64>().ok());
        if let Some(number) = number {
            let step = if self.rng.bool() { 1 } else { -1 };
            return number.wrapping_add(step).to_string().into_bytes();
        }
        let mut new = old.to_vec();
        let at = new.len() - new.len().min(1);
        let token = self.token();
        let inside = token.strip_prefix(b"\"").and_then(|token| token.strip_suffix(b"\""));
        let inside = inside.map_or_else(|| b"x".repeat(self.rng.usize(1..3_000)), <[u8]>::to_vec);
        new.splice(at..at, inside);
        new
    }

    fn pooled(&mut self, is_member: bool) -> Vec<u8> {
        for _ in 0..20 {
            if let Some((kind, part)) = self.rng.choice(&self.pool)
                && *kind == is_member
            {
                return part.clone();
            }
        }
        self.token()
    }

    fn number(&mut self) -> Vec<u8> {
        let number = match self.rng.u8(0..3) {
            0 => self.rng.u64(0..16),
            1 => self.rng.u64(0..1 << 8),
            _ => self.rng.u64(..) >> self.rng.u8(0..64),
        };
        number.to_string().into_bytes()
    }

    fn token(&mut self) -> Vec<u8> {
        self.rng.choice(TOKENS).unwrap_or("0").as_bytes().to_vec()
    }
}

/// The values and members in a text that is more or less JSON.
pub fn spans(text: &[u8]) -> Vec<Span> {
    let mut found = Vec::new();
    // Where each open object or array starts, and its last key.
    let mut open: Vec<(usize, Option<usize>)> = vec![(0, None)];
    let mut at = 0;
    while at < text.len() {
        let start = at;
        at += 1;
        match text[start] {
            b'{' | b'[' => {
                open.push((start, None));
                continue;
            }
            b'}' | b']' => {
                let Some((opened, _)) = (open.len() > 1).then(|| open.pop()).flatten() else {
                    continue;
                };
                value(opened, at, &mut open, &mut found);
                continue;
            }
            b'"' => {
                while at < text.len() && text[at] != b'"' {
                    at += if text[at] == b'\\' { 2 } else { 1 };
                }
                at = text.len().min(at + 1);
                let after = text[at..].iter().position(|byte| !byte.is_ascii_whitespace());
                if after.is_some_and(|after| text[at + after] == b':') {
                    open.last_mut().expect("the text itself").1 = Some(start);
                    continue;
                }
            }
            byte if byte.is_ascii_alphanumeric() || byte == b'-' => {
                let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
                at += text[at..].iter().take_while(|byte| is_part(byte)).count();
            }
            _ => continue,
        }
        value(start, at, &mut open, &mut found);
    }
    found
}

fn value(start: usize, end: usize, open: &mut [(usize, Option<usize>)], found: &mut Vec<Span>) {
    found.push(Span { start, end, is_member: false });
    if let Some(key) = open.last_mut().and_then(|(_, key)| key.take()) {
        found.push(Span { start: key, end, is_member: true });
    }
}
