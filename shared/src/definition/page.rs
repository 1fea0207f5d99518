//! Rules about pages, and groups of pages.

use serde::{Deserialize, Serialize};

/// Pages that are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PageGroup {
    /// Its name, which summaries show.
    pub name: String,
    /// Rules, one of which its pages match. The address without query is compared, and a rule that
    /// begins with a slash is compared with the path. Regular expressions are not taken here.
    pub pages: Vec<PageRule>,
}

/// A rule about a page's address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PageRule {
    /// It is this.
    Exact(String),
    /// It begins like this.
    Prefix(String),
    /// It has this somewhere.
    Contains(String),
    /// It matches a pattern in which `*` stands for anything but `/` and `**` for anything.
    Glob(String),
    /// It matches a regular expression, limited so that it cannot stall a page.
    Regex(String),
}

impl PageRule {
    /// What the rule compares with.
    pub fn pattern(&self) -> &str {
        match self {
            Self::Exact(text)
            | Self::Prefix(text)
            | Self::Contains(text)
            | Self::Glob(text)
            | Self::Regex(text) => text,
        }
    }

    /// Whether an address without query and fragment matches. A regular expression matches nothing:
    /// browsers act on those.
    pub fn matches(&self, address: &str) -> bool {
        let pattern = self.pattern();
        let subject = if pattern.starts_with('/') { path(address) } else { address };
        match self {
            Self::Exact(_) => subject == pattern,
            Self::Prefix(_) => subject.starts_with(pattern),
            Self::Contains(_) => subject.contains(pattern),
            Self::Glob(_) => glob(pattern.as_bytes(), subject.as_bytes()),
            Self::Regex(_) => false,
        }
    }
}

/// One regular expression, in the dialect of browsers, for all addresses that one of the rules to
/// include matches (all addresses, if there are none) and none of those to exclude; `None` where no
/// rule says anything.
///
/// It is matched with the whole address. A rule that begins with a slash says what comes after the
/// host, and any other says how the address begins, or what it is; the query and the fragment belong to
/// it only where the rule has a `?` or a `#`.
pub fn expression(include: &[PageRule], exclude: &[PageRule]) -> Option<String> {
    let one_of =
        |rules: &[PageRule]| rules.iter().map(PageRule::expression).collect::<Vec<_>>().join("|");
    match (include, exclude) {
        ([], []) => None,
        (_, []) => Some(format!("^(?:{})", one_of(include))),
        ([], _) => Some(format!("^(?!{})", one_of(exclude))),
        _ => Some(format!("^(?!{})(?:{})", one_of(exclude), one_of(include))),
    }
}

/// The scheme and the host of an address.
const HOST: &str = "[^/]*//[^/?#]*";

impl PageRule {
    /// The expression of one rule, to be matched from the address's beginning.
    fn expression(&self) -> String {
        let pattern = self.pattern();
        let is_path = match self {
            // However the slash is written, and be it in a group.
            Self::Regex(text) => text.strip_prefix('^').is_some_and(|rest| {
                rest.trim_start_matches(['(', '?', ':', '\\']).starts_with('/')
            }),
            _ => pattern.starts_with('/'),
        };
        let start = if is_path { HOST } else { "" };
        // Where the query is none of the rule's business.
        let (any, end) =
            if pattern.contains(['?', '#']) { (".*", "$") } else { ("[^?#]*", "(?:[?#]|$)") };
        match self {
            Self::Exact(text) => format!("{start}{}{end}", literally(text)),
            Self::Prefix(text) => format!("{start}{}", literally(text)),
            Self::Contains(text) => format!("{start}{any}{}", literally(text)),
            Self::Glob(text) => {
                let within = if any == ".*" { "[^/]*" } else { "[^/?#]*" };
                let parts = text
                    .split("**")
                    .map(|part| part.split('*').map(literally).collect::<Vec<_>>().join(within));
                format!("{start}{}{end}", parts.collect::<Vec<_>>().join(any))
            }
            Self::Regex(text) => match text.strip_prefix('^') {
                // What it was anchored to is matched already.
                Some(rest) => format!("{start}(?:{rest})"),
                None => format!("{start}.*?(?:{text})"),
            },
        }
    }
}

/// A text that stands for itself, spelt as it is in an address.
fn literally(text: &str) -> String {
    let mut spelt = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'\\' | b'^' | b'$' | b'.' | b'*' | b'+' | b'?' | b'(' | b')' | b'[' | b']' | b'{'
            | b'}' | b'|' => {
                spelt.push('\\');
                spelt.push(char::from(byte));
            }
            b'!'..=b'~' => spelt.push(char::from(byte)),
            _ => spelt.push_str(&format!("%{byte:02X}")),
        }
    }
    spelt
}

/// The path of an address of the web.
fn path(address: &str) -> &str {
    let host = address.split_once("://").map_or(address, |(_, rest)| rest);
    host.find('/').and_then(|at| host.get(at..)).unwrap_or("/")
}

/// Whether a text matches a pattern: `*` stands for anything but `/`, `**` for anything. Each star
/// goes back only to itself, so the time is at most the product of the lengths for each of the two.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    // Which ends of the text the pattern read so far can have reached.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_matches_the_path_or_the_whole_address() {
        let address = "https://shop.example/cart/42";
        let text = |text: &str| text.to_owned();
        for (rule, matches) in [
            (PageRule::Exact(text("/cart/42")), true),
            (PageRule::Exact(text("/cart")), false),
            (PageRule::Prefix(text("/cart")), true),
            (PageRule::Prefix(text("https://shop.")), true),
            (PageRule::Contains(text("cart")), true),
            (PageRule::Glob(text("/cart/*")), true),
            (PageRule::Glob(text("/*")), false),
            (PageRule::Glob(text("/**")), true),
            (PageRule::Glob(text("https://*.example/**/42")), true),
            (PageRule::Glob(text("/c*t/4*")), true),
            (PageRule::Glob(text("/c*t")), false),
            (PageRule::Regex(text(".*")), false),
        ] {
            assert_eq!(rule.matches(address), matches, "{rule:?}");
        }
        assert!(PageRule::Exact(text("/")).matches("https://shop.example"));
    }
}
