//! Keys that were refused, for the log. Whoever goes on showing one must not fill the log with it, so each key
//! gets an entry a minute, which says how often it was refused since the one before.

use std::collections::HashMap;

use asklet_protocol::audit::{Action, AuditEvent};
use asklet_shared::problem::Code;

/// Who showed a key that is none of the site's. No key's id is spelled so.
pub const UNKNOWN: &str = "unknown";

/// How many keys are remembered, more than a site can have; where there are more, those are forgotten that
/// could get an entry anyway.
const KEYS_LIMIT: usize = 100;

const MINUTE_MS: u64 = 60_000;

/// When each key got its last entry, and how often it was refused since.
#[derive(Default)]
pub struct RefusedKeys(HashMap<String, (u64, u64)>);

impl RefusedKeys {
    /// What to write of a refusal, by the key's id or [`UNKNOWN`].
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
