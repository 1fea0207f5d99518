//! Rate limits by the addresses of visitors and callers: how many requests came from each of the latest
//! addresses. The counts are kept in memory by digests, so that nobody can turn a remembered digest back into
//! an address.

use std::collections::{BTreeMap, HashMap};

use asklet_protocol::failure::Failure;
use asklet_protocol::seal;
use asklet_shared::time::DAY_MS;
use sha2::{Digest, Sha256};

/// Number of addresses that are remembered.
const LIMIT: usize = 20_000;

/// The tokens that a request takes from a bucket. A rate of one request per minute adds one token per
/// millisecond.
pub const REQUEST: u64 = 60_000;

/// A token bucket.
#[derive(Clone, Copy)]
pub struct Bucket {
    tokens: u64,
    at_ms: u64,
}

impl Bucket {
    /// Takes the tokens of a request, if there are enough. The bucket gains `per_ms` tokens per millisecond, up
    /// to `most`.
    pub fn take(bucket: &mut Option<Self>, per_ms: u64, most: u64, now_ms: u64) -> bool {
        let Bucket { tokens, at_ms } = bucket.unwrap_or(Self { tokens: most, at_ms: now_ms });
        let grown = now_ms.saturating_sub(at_ms).saturating_mul(per_ms);
        let tokens = tokens.saturating_add(grown).min(most);
        let left = tokens.checked_sub(REQUEST);
        *bucket = Some(Self { tokens: left.unwrap_or(tokens), at_ms: now_ms });
        left.is_some()
    }
}

/// A bucket for each of the latest addresses.
#[derive(Default)]
pub struct Buckets {
    /// The salt with which addresses are hashed, and the day for which it is used. It never leaves the memory,
    /// so that nobody can be tracked into the next day.
    salt: (u64, [u8; 16]),
    /// Bucket and number of the last request, by the address's digest.
    buckets: HashMap<u64, (Bucket, u64)>,
    /// The digests by those numbers. The address that was not seen for the longest time comes first.
    order: BTreeMap<u64, u64>,
    /// The number of the last request.
    last: u64,
}

impl Buckets {
    /// Whether an address may send another request at a limit of `per_minute`. If there are too many addresses,
    /// the address that was not seen for the longest time is forgotten.
    pub fn take(&mut self, network: &str, per_minute: u64, now_ms: u64) -> Result<bool, Failure> {
        let digest = self.digest(network, now_ms)?;
        let known = self.buckets.get(&digest).copied();
        let mut bucket = known.map(|(bucket, _)| bucket);
        let passes = Bucket::take(&mut bucket, per_minute, per_minute * REQUEST, now_ms);
        if let Some((_, number)) = known {
            self.order.remove(&number);
        }
        self.last += 1;
        self.order.insert(self.last, digest);
        self.buckets.extend(bucket.map(|bucket| (digest, (bucket, self.last))));
        if self.buckets.len() > LIMIT
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.buckets.remove(&oldest);
        }
        Ok(passes)
    }

    fn digest(&mut self, network: &str, now_ms: u64) -> Result<u64, Failure> {
        let day = now_ms / DAY_MS;
        if self.salt.0 != day {
            let mut salt = [0; 16];
            getrandom::fill(&mut salt)?;
            *self = Self { salt: (day, salt), ..Self::default() };
        }
        let digest = Sha256::new_with_prefix(self.salt.1).chain_update(network).finalize();
        Ok(seal::leading_bits(&digest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_too_many_addresses_the_one_goes_that_was_not_seen_for_longest() {
        let mut buckets = Buckets::default();
        assert!(buckets.take("idle", 1, DAY_MS).unwrap());
        assert!(buckets.take("busy", 1, DAY_MS).unwrap());
        for number in 0..LIMIT {
            assert!(buckets.take(&number.to_string(), 1, DAY_MS).unwrap());
            // An address that keeps sending is refused, however many others come.
            assert!(!buckets.take("busy", 1, DAY_MS).unwrap(), "{number}");
        }
        assert_eq!((buckets.buckets.len(), buckets.order.len()), (LIMIT, LIMIT));
        assert!(buckets.take("idle", 1, DAY_MS).unwrap(), "it was forgotten");
        assert!(!buckets.take(&(LIMIT - 1).to_string(), 1, DAY_MS).unwrap());
    }

    #[test]
    fn addresses_are_forgotten_with_the_day() {
        let mut buckets = Buckets::default();
        assert!(buckets.take("203.0.113.7", 1, DAY_MS).unwrap());
        assert!(!buckets.take("203.0.113.7", 1, DAY_MS).unwrap());
        assert!(buckets.take("203.0.113.7", 1, 2 * DAY_MS).unwrap());
    }
}
