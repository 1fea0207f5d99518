//! Refused keys, for the audit log. A client that repeats a refused key must not fill the log, so each key gets
//! at most one entry a minute. The entry says how often the key was refused since the previous entry.

use std::collections::HashMap;

use asklet_protocol::audit::{Action, AuditEvent};
use asklet_shared::problem::Code;

/// The name in the log for a key that does not belong to the site. No key's id has this spelling.
pub const UNKNOWN: &str = "unknown";

/// Number of keys that are remembered, more than a site can have. Above it, keys whose last entry is a minute
/// old are forgotten, because they would get a new entry anyway.
const KEYS_LIMIT: usize = 100;

const MINUTE_MS: u64 = 60_000;

/// The time of each key's last entry, and the number of refusals since then.
#[derive(Default)]
pub struct RefusedKeys(HashMap<String, (u64, u64)>);

impl RefusedKeys {
    /// Returns the entry to write for a refusal of a key, which is given by its id or as [`UNKNOWN`]; `None` if
    /// no entry is due.
    pub fn note(&mut self, who: &str, why: Code, now_ms: u64) -> Option<AuditEvent> {
        if self.0.len() >= KEYS_LIMIT {
            self.0.retain(|_, (at_ms, _)| now_ms.saturating_sub(*at_ms) < MINUTE_MS);
        }
        let since = match self.0.get_mut(who) {
            Some((at_ms, since)) if now_ms.saturating_sub(*at_ms) < MINUTE_MS => {
                *since += 1;
                return None;
            }
            Some((_, since)) => *since,
            None => 0,
        };
        self.0.insert(who.to_owned(), (now_ms, 0));
        let detail = match since {
            0 => why.name().to_owned(),
            since => format!("{}, and {since} refusals since the entry before", why.name()),
        };
        Some(AuditEvent::new(Action::RefuseKey).detail(detail))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_refused_again_and_again_gets_an_entry_a_minute() {
        let mut refused = RefusedKeys::default();
        let mut note = |who: &str, at_ms| {
            refused.note(who, Code::ScopeTooSmall, at_ms).map(|change| change.detail.unwrap())
        };
        assert_eq!(note("k1", 1_000).as_deref(), Some("scope_too_small"));
        assert_eq!(note("k2", 1_000).as_deref(), Some("scope_too_small"));
        assert_eq!((note("k1", 2_000), note("k1", 60_999)), (None, None));
        let again = "scope_too_small, and 2 refusals since the entry before";
        assert_eq!(note("k1", 61_000).as_deref(), Some(again));
        assert_eq!(note("k2", 62_000).as_deref(), Some("scope_too_small"));
        for number in 0..1_000 {
            note(&number.to_string(), 62_000 + number * MINUTE_MS);
        }
        assert!(refused.0.len() <= KEYS_LIMIT);
    }
}
