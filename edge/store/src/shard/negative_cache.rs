//! The negative cache: what the site refused a moment ago is refused here without another call to the site.

use std::collections::HashMap;

use asklet_shared::problem::{Code, Problem};

/// Milliseconds for which a refusal is remembered, and number of refusals that are remembered.
const KEEP_MS: u64 = 60_000;
const LIMIT: usize = 64;

/// Versions that the site refused (`None` is the latest version), with the time until which each is remembered
/// and the reason.
#[derive(Default)]
pub struct NegativeCache(HashMap<Option<u32>, (u64, Problem)>);

impl NegativeCache {
    /// Lets a request for a version pass, unless the site refused that version a moment ago. If no more
    /// refusals can be remembered, no request passes, because clients invent versions faster than the site can
    /// refuse them.
    pub fn pass(&mut self, version: Option<u32>, now_ms: u64) -> Result<(), Problem> {
        self.0.retain(|_, (until_ms, _)| now_ms < *until_ms);
        match self.0.get(&version) {
            Some((_, problem)) => Err(problem.clone()),
            None if self.0.len() >= LIMIT => {
                Err(Problem::new(Code::Busy, "too many requests named versions that do not exist"))
            }
            None => Ok(()),
        }
    }

    /// Remembers why a version was refused.
    pub fn add(&mut self, version: Option<u32>, problem: Problem, now_ms: u64) {
        self.0.insert(version, (now_ms + KEEP_MS, problem));
    }

    /// Forgets all refusals, because the site has sent something new.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn once_no_more_can_be_remembered_nothing_unknown_reaches_the_site() {
        let mut negative_cache = NegativeCache::default();
        let unknown = Problem::new(Code::UnknownVersion, "no such version");
        for version in 0..u32::try_from(LIMIT).unwrap() {
            negative_cache.pass(Some(version), 1).unwrap();
            negative_cache.add(Some(version), unknown.clone(), 1);
        }
        assert_eq!(negative_cache.pass(Some(3), 2), Err(unknown));
        let code = |refused: Result<(), Problem>| refused.unwrap_err().code;
        assert_eq!(code(negative_cache.pass(Some(1_000), 2)), Code::Busy);
        assert_eq!(code(negative_cache.pass(None, 2)), Code::Busy);
        negative_cache.pass(Some(1_000), KEEP_MS + 1).unwrap();
        negative_cache.add(None, Problem::new(Code::UnknownBody, "no such body"), KEEP_MS + 1);
        negative_cache.clear();
        negative_cache.pass(None, KEEP_MS + 1).unwrap();
    }
}
