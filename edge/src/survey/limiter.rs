//! How much is taken at once, in memory: what is refused is refused before anything is read or
//! written.

use std::collections::HashMap;

use asklet_shared::problem::{Code, Problem};
use asklet_shared::settings::Limits;
use asklet_shared::time::DAY_MS;
use sha2::{Digest, Sha256};

use crate::seal;

/// How many addresses are remembered; when there are more, all are forgotten.
const ADDRESSES_LIMIT: usize = 20_000;

/// One shard's limiter.
#[derive(Default)]
pub struct Limiter {
    /// What addresses are hashed with, and the day that it is for. It never leaves the memory, so
    /// what is remembered of an address cannot be turned back into it, nor followed into the next day.
    salt: (u64, [u8; 16]),
    shard: Option<Bucket>,
    addresses: HashMap<u64, Bucket>,
}

/// What a request takes from a bucket. A rate of one a minute fills one unit in each millisecond.
const REQUEST: u64 = 60_000;

/// A token bucket.
#[derive(Clone, Copy)]
struct Bucket {
    tokens: u64,
    at_ms: u64,
}

impl Bucket {
    /// Takes a request's tokens, where `per_ms` grow in a millisecond, up to `most`.
    fn take(bucket: &mut Option<Self>, per_ms: u64, most: u64, now_ms: u64) -> bool {
        let Bucket { tokens, at_ms } = bucket.unwrap_or(Self { tokens: most, at_ms: now_ms });
        let grown = now_ms.saturating_sub(at_ms).saturating_mul(per_ms);
        let tokens = tokens.saturating_add(grown).min(most);
        let left = tokens.checked_sub(REQUEST);
        *bucket = Some(Self { tokens: left.unwrap_or(tokens), at_ms: now_ms });
        left.is_some()
    }
}

impl Limiter {
    /// Lets a request pass, or says what it has to wait for. `address` is the visitor's, where the
    /// operator has named the header that tells it.
    pub fn pass(
        &mut self,
        limits: Limits,
        address: Option<&str>,
        now_ms: u64,
    ) -> Result<(), Problem> {
        let refuse = |limit: String| {
            Problem::new(Code::RateLimited, "this is more than the site takes at once").limit(limit)
        };
        let per_minute = u64::from(limits.address_per_minute);
        let per_second = u64::from(limits.shard_per_second);
        if let Some(address) = address.filter(|address| !address.is_empty()) {
            let digest = self.digest(address, now_ms);
            if self.addresses.len() >= ADDRESSES_LIMIT {
                self.addresses.clear();
            }
            let mut bucket = self.addresses.get(&digest).copied();
            let most = per_minute * REQUEST;
            let passes = Bucket::take(&mut bucket, per_minute, most, now_ms);
            self.addresses.extend(bucket.map(|bucket| (digest, bucket)));
            if !passes {
                return Err(refuse(format!("{per_minute} requests a minute from one address")));
            }
        }
        if !Bucket::take(&mut self.shard, per_second * 60, per_second * REQUEST, now_ms) {
            return Err(refuse(format!("{per_second} requests a second")));
        }
        Ok(())
    }

    fn digest(&mut self, address: &str, now_ms: u64) -> u64 {
        let day = now_ms / DAY_MS;
        if self.salt.0 != day {
            // Without randomness the salt of the day before goes on; it is still nobody else's.
            let mut salt = self.salt.1;
            let _ = getrandom::fill(&mut salt);
            self.salt = (day, salt);
            self.addresses.clear();
        }
        let digest = Sha256::new_with_prefix(self.salt.1).chain_update(address).finalize();
        seal::leading_bits(&digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { address_per_minute: 2, shard_per_second: 3 };

    #[test]
    fn an_address_has_its_own_limit_and_the_shard_one_for_all() {
        let mut limiter = Limiter::default();
        let mut limit = |address: Option<&str>, now_ms| {
            limiter.pass(LIMITS, address, now_ms).map_err(|problem| problem.limit.unwrap())
        };
        let start = 5 * DAY_MS;
        assert_eq!(limit(Some("1.2.3.4"), start), Ok(()));
        assert_eq!(limit(Some("1.2.3.4"), start), Ok(()));
        let refused = Err("2 requests a minute from one address".to_owned());
        assert_eq!(limit(Some("1.2.3.4"), start), refused);
        // Others go on, as long as the shard has room; a refused request took none of it.
        assert_eq!(limit(Some("1.2.3.5"), start), Ok(()));
        assert_eq!(limit(None, start), Err("3 requests a second".to_owned()));
        // Half a minute later there is one more.
        assert_eq!(limit(Some("1.2.3.4"), start + 30_001), Ok(()));
        assert_eq!(limit(Some("1.2.3.4"), start + 30_001), refused);
        assert_eq!(limit(None, start + 30_001), Ok(()));
        // A clock that goes back takes nothing away and gives nothing.
        assert_eq!(limit(Some("1.2.3.4"), start), refused);
    }

    #[test]
    fn addresses_are_forgotten_with_the_day_and_when_there_are_too_many() {
        let mut limiter = Limiter::default();
        let limits = Limits { address_per_minute: 1, shard_per_second: 100_000 };
        limiter.pass(limits, Some("1.2.3.4"), DAY_MS).unwrap();
        assert!(limiter.pass(limits, Some("1.2.3.4"), DAY_MS).is_err());
        limiter.pass(limits, Some("1.2.3.4"), 2 * DAY_MS).unwrap();
        for number in 0..=ADDRESSES_LIMIT {
            limiter.pass(limits, Some(&number.to_string()), 2 * DAY_MS).unwrap();
        }
        assert!(limiter.addresses.len() <= ADDRESSES_LIMIT);
    }
}
