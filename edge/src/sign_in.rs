//! Failed sign-ins: credentials that do not hold. They are logged, and answered with 429 once there are too
//! many from one address. No secret is short enough to be guessed: this slows whoever tries all the same, and
//! shows a program that goes on with a key that was revoked. A credential that holds is never refused by it,
//! whatever else came from its address.

use std::cell::RefCell;

use asklet_shared::problem::{Code, Problem};
use worker::{Date, Env, Headers};

use crate::address::{self, Buckets};
use crate::failure::Failure;
use crate::place;
use crate::respond;
use crate::route::{Access, Route};
use crate::seal::Seal;

/// How many from one address are told what is wrong, a minute and at once.
const PER_MINUTE: u64 = 20;

thread_local! {
    static FAILED: RefCell<Buckets> = RefCell::default();
}

/// What whoever sent these headers is told in the place of a refusal. A request without any credential is no
/// sign-in.
pub fn failed(
    refusal: Problem,
    headers: &Headers,
    env: &Env,
    route: &Route,
) -> Result<Problem, Failure> {
    if headers.get("authorization")?.is_none() {
        return Ok(refusal);
    }
    let header = place::variable(env, address::HEADER);
    let address = header.map(|header| headers.get(&header)).transpose()?.flatten();
    let network = address::network(&address.unwrap_or_default());
    let now_ms = Date::now().as_millis();
    if !FAILED.with_borrow_mut(|failed| failed.take(&network, PER_MINUTE, now_ms)) {
        let detail = "too many credentials that do not hold were shown from this address";
        return Ok(Problem::new(Code::RateLimited, detail)
            .limit(format!("{PER_MINUTE} a minute from one address")));
    }
    // Only a site of ours is named: anything else is a text of whoever asks.
    let site = match route.access() {
        Access::Team { site, .. } => Seal::of(env)?.site(site)?,
        Access::Operator | Access::Public => None,
    };
    let of = site.map_or(String::new(), |site| format!(" of site {site}"));
    respond::warn(route.name(), &format!("a sign-in{of} failed: {}", refusal.detail));
    Ok(refusal)
}
