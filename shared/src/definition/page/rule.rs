//! A rule about a page's address.

use serde::{Deserialize, Serialize};

/// A rule about a page's address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PageRule {
    /// The address is this text.
    Exact(String),
    /// The address begins with this text.
    Prefix(String),
    /// The address contains this text.
    Contains(String),
    /// The address matches a pattern in which `*` stands for anything but `/` and `**` for anything.
    Glob(String),
    /// The address matches a regular expression of a class that browsers match in linear time.
    Regex(String),
}

impl PageRule {
    /// Returns the text that the rule compares with.
    pub fn pattern(&self) -> &str {
        match self {
            Self::Exact(text)
            | Self::Prefix(text)
            | Self::Contains(text)
            | Self::Glob(text)
            | Self::Regex(text) => text,
        }
    }

    /// Whether an address without query and fragment matches. A regular expression matches nothing here: only
    /// browsers evaluate those.
    pub fn matches(&self, address: &str) -> bool {
        let pattern = spelled(self.pattern());
        let address = spelled(address);
        let subject = if pattern.starts_with('/') { path(&address) } else { &address };
        match self {
            Self::Exact(_) => subject == pattern,
            Self::Prefix(_) => subject.starts_with(&pattern),
            Self::Contains(_) => subject.contains(&pattern),
            Self::Glob(_) => glob(pattern.as_bytes(), subject.as_bytes()),
            Self::Regex(_) => false,
        }
    }
}

/// Spells a text as in an address: characters that an address cannot hold are percent-encoded, with digits in
/// capitals.
pub(crate) fn spelled(text: &str) -> String {
    let mut spelled = String::with_capacity(text.len());
    let mut digits = 0;
    for byte in text.bytes() {
        match byte {
            b'"' | b'<' | b'>' | b'`' => spelled.push_str(&format!("%{byte:02X}")),
            b'!'..=b'~' if digits > 0 && byte.is_ascii_hexdigit() => {
                spelled.push(char::from(byte.to_ascii_uppercase()));
            }
            b'!'..=b'~' => spelled.push(char::from(byte)),
            _ => spelled.push_str(&format!("%{byte:02X}")),
        }
        digits = if byte == b'%' { 2_u8 } else { digits.saturating_sub(1) };
    }
    spelled
}

/// Returns the path of a web address.
fn path(address: &str) -> &str {
    let host = address.split_once("://").map_or(address, |(_, rest)| rest);
    host.find('/').and_then(|at| host.get(at..)).unwrap_or("/")
}

/// Whether a text matches a pattern: `*` stands for anything but `/`, `**` for anything. Each star backtracks
/// only to itself, so the time is at most the product of the two lengths, for each of the two kinds of star.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    // The positions in the text that the pattern read so far can have reached.
    let mut reached = vec![false; text.len() + 1];
    if let Some(start) = reached.first_mut() {
        *start = true;
    }
    let mut rest = pattern;
    while let Some((&first, after)) = rest.split_first() {
        let mut next = vec![false; reached.len()];
        if first == b'*' {
            let crosses = after.first() == Some(&b'*');
            rest = if crosses { after.get(1..).unwrap_or_default() } else { after };
            let mut is_open = false;
            for (at, (was, now)) in reached.iter().zip(&mut next).enumerate() {
                let before = at.checked_sub(1).and_then(|before| text.get(before));
                is_open = *was || (is_open && (crosses || before != Some(&b'/')));
                *now = is_open;
            }
        } else {
            rest = after;
            let advanced = reached.iter().zip(text).zip(next.iter_mut().skip(1));
            for ((was, byte), now) in advanced {
                *now = *was && *byte == first;
            }
        }
        reached = next;
    }
    reached.last() == Some(&true)
}
