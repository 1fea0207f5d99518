//! Failed sign-ins: requests with a credential that is not valid. They are logged, and answered with 429 once
//! there are too many from one address. No secret is short enough to be guessed. The limit slows a client that
//! guesses all the same, and shows a program that continues to use a revoked key. It never refuses a valid
//! credential, whatever other requests came from the same address.

use std::cell::RefCell;

use asklet_protocol::failure::Failure;
use asklet_shared::problem::{Code, Problem};
use asklet_store::buckets::{Bucket, Buckets, REQUEST};
use worker::{Date, Headers};

use crate::http::address;
use crate::platform::trace::Context;
use crate::platform::{deployment, log};

/// Number of failures from one address that get the real refusal as their answer: each minute, and in one
/// burst.
const PER_MINUTE: u64 = 20;

/// Number of failures that are logged per minute, from all addresses together, so that nobody can fill a disk
/// with them.
const LOGGED_PER_MINUTE: u64 = 60;

thread_local! {
    static FAILED: RefCell<Failed> = RefCell::default();
}

/// The failures since the isolate began.
#[derive(Default)]
struct Failed {
    by_address: Buckets,
    logged: Option<Bucket>,
    /// Number of failures that were not logged since the last one that was.
    unlogged: u64,
}

impl Failed {
    /// Returns how many failures were not logged before this one, or `None` if this one is not to be logged
    /// either.
    fn log(&mut self, now_ms: u64) -> Option<u64> {
        let most = LOGGED_PER_MINUTE * REQUEST;
        if !Bucket::take(&mut self.logged, LOGGED_PER_MINUTE, most, now_ms) {
            self.unlogged += 1;
            return None;
        }
        Some(std::mem::take(&mut self.unlogged))
    }
}

/// Returns the problem that answers a refused sign-in: the refusal itself, or 429. `site` is the site that the
/// request's path names. A request without a credential is not a sign-in.
pub fn failed(
    refusal: Problem,
    headers: &Headers,
    env: &Context,
    site: Option<&str>,
) -> Result<Problem, Failure> {
    if headers.get("authorization")?.is_none() {
        return Ok(refusal);
    }
    let header = deployment::variable(env, address::HEADER);
    let address = header.map(|header| headers.get(&header)).transpose()?.flatten();
    let network = address::network(&address.unwrap_or_default());
    let now_ms = Date::now().as_millis();
    let (is_told, logged) = FAILED.with_borrow_mut(|failed| {
        let is_told = failed.by_address.take(&network, PER_MINUTE, now_ms)?;
        Ok::<_, Failure>((is_told, failed.log(now_ms)))
    })?;
    if let Some(unlogged) = logged {
        // The log names a site only if it is one of ours. Otherwise the client could put any text there.
        let site = match site {
            Some(site) => deployment::seal(env)?.site(site)?,
            None => None,
        };
        let of = site.map_or(String::new(), |site| format!(" of site {site}"));
        let detail = &refusal.detail;
        let cause = format!("a sign-in{of} failed: {detail} (unlogged before: {unlogged})");
        log::warn(&env.trace, &cause);
    }
    if !is_told {
        let detail = "too many invalid credentials came from this address";
        return Ok(Problem::new(Code::RateLimited, detail)
            .limit(format!("{PER_MINUTE} a minute from one address")));
    }
    Ok(refusal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_failures_are_logged_than_a_log_can_hold_and_the_others_are_counted() {
        let mut failed = Failed::default();
        let logged = (0..1_000).filter(|_| failed.log(1_000).is_some()).count();
        assert_eq!(logged, 60);
        assert_eq!(failed.log(2_001), Some(940));
        assert_eq!(failed.log(2_001), None);
    }
}
