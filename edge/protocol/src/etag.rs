//! Entity tags (RFC 9110, sections 8.8.3 and 13.1.1): a change is made only if what it changes is still as the caller
//! read it.

use asklet_shared::problem::{Code, Problem};
use serde::{Deserialize, Serialize};

use crate::seal;

/// Number of hexadecimal digits of a tag: enough that two states never have the same by chance.
const DIGITS: usize = 32;

/// Returns the tag of a state, which is given as it is sent.
pub fn etag(json: &str) -> String {
    let mut digest = seal::digest(json.as_bytes());
    digest.truncate(DIGITS);
    format!("\"{digest}\"")
}

/// The condition of an `If-Match` header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IfMatch(String);

impl IfMatch {
    /// Reads the header.
    pub fn parse(header: &str) -> Result<Self, Problem> {
        let is_tag = |tag: &str| {
            let opaque = tag.strip_prefix("W/").unwrap_or(tag);
            tag == "*" || (opaque.len() > 1 && opaque.starts_with('"') && opaque.ends_with('"'))
        };
        if header.split(',').all(|tag| is_tag(tag.trim())) {
            return Ok(Self(header.to_owned()));
        }
        Err(Problem::new(Code::InvalidHeader, "If-Match is not a list of entity tags")
            .at("If-Match")
            .limit("the ETag of an earlier answer, or *"))
    }

    /// Whether the condition holds for a state with this tag. A weak tag counts like a strong one: networks that
    /// compress an answer make its tag weak, and the tag still names one state.
    pub fn holds(&self, etag: &str) -> bool {
        let mut tags = self.0.split(',').map(str::trim);
        tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_holds_for_the_state_whose_tag_it_names() {
        let (one, other) = (etag("{\"a\":1}"), etag("{\"a\":2}"));
        assert_ne!(one, other);
        for (header, holds) in [
            (one.clone(), true),
            (format!("W/{one}"), true),
            (format!("{other}, {one}"), true),
            ("*".to_owned(), true),
            (other, false),
            ("\"\"".to_owned(), false),
        ] {
            assert_eq!(IfMatch::parse(&header).unwrap().holds(&one), holds, "{header}");
        }
    }

    #[test]
    fn what_is_no_list_of_tags_is_refused() {
        for header in ["", "abc", "\"", "\"a\" \"b", "\"a\",", "W/", "'a'"] {
            let problem = IfMatch::parse(header).unwrap_err();
            assert_eq!(
                (problem.code, problem.field.as_deref()),
                (Code::InvalidHeader, Some("If-Match"))
            );
        }
    }
}
