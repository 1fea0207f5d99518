//! Failed sign-ins: credentials that do not hold. They are logged, and answered with 429 once there are too
//! many from one address. No secret is short enough to be guessed: this slows whoever tries all the same, and
//! shows a program that goes on with a key that was revoked. A credential that holds is never refused by it,
//! whatever else came from its address.

use std::cell::RefCell;

use asklet_protocol::failure::Failure;
use asklet_shared::problem::{Code, Problem};
use asklet_store::buckets::{Bucket, Buckets, REQUEST};
use worker::{Date, Headers};

use crate::http::address;
use crate::platform::trace::Context;
use crate::platform::{deployment, log};

/// How many from one address are told what is wrong, a minute and at once.
const PER_MINUTE: u64 = 20;

/// How many are logged a minute, wherever they come from: nobody can fill a disk with them.
const LOGGED_PER_MINUTE: u64 = 60;

thread_local! {
    static FAILED: RefCell<Failed> = RefCell::default();
}

/// What failed since the isolate began.
#[derive(Default)]
struct Failed {
    by_address: Buckets,
    logged: Option<Bucket>,
    /// How many were not logged since one was.
    unlogged: u64,
}

impl Failed {
    /// Whether a failure is logged, and how many were not before it.
    fn log(&mut self, now_ms: u64) -> Option<u64> {
        let most = LOGGED_PER_MINUTE * REQUEST;
        if !Bucket::take(&mut self.logged, LOGGED_PER_MINUTE, most, now_ms) {
            self.unlogged += 1;
            return None;
        }
        Some(std::mem::take(&mut self.unlogged))
    }
}

/// What the sender of these headers is answered in the place of a refusal, with the site that the address names. A request without any credential is no sign-in.
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
        // Only a site of ours is named: anything else is a text of whoever asks.
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
        let detail = "too many credentials that do not hold were shown from this address";
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
