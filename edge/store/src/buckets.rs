//! Addresses of visitors and callers, as limits count them: how much came from each of the latest ones, in
//! memory and by digests, so that what is remembered of an address cannot be turned back into it.

use std::collections::{BTreeMap, HashMap};

use asklet_protocol::failure::Failure;
use asklet_protocol::seal;
use asklet_shared::time::DAY_MS;
use sha2::{Digest, Sha256};

/// How many addresses are remembered.
const LIMIT: usize = 20_000;

/// What a request takes from a bucket. A rate of one a minute fills one unit in each millisecond.
pub const REQUEST: u64 = 60_000;

/// A token bucket.
#[derive(Clone, Copy)]
pub struct Bucket {
    tokens: u64,
    at_ms: u64,
}

impl Bucket {
    /// Takes a request's tokens, where `per_ms` grow in a millisecond, up to `most`.
    pub fn take(bucket: &mut Option<Self>, per_ms: u64, most: u64, now_ms: u64) -> bool {
        let Bucket { tokens, at_ms } = bucket.unwrap_or(Self { tokens: most, at_ms: now_ms });
        let grown = now_ms.saturating_sub(at_ms).saturating_mul(per_ms);
        let tokens = tokens.saturating_add(grown).min(most);
        let left = tokens.checked_sub(REQUEST);
        *bucket = Some(Self { tokens: left.unwrap_or(tokens), at_ms: now_ms });
        left.is_some()
    }
}

/// A bucket for each of the addresses that came last.
#[derive(Default)]
pub struct Buckets {
    /// What addresses are hashed with, and the day that it is for. It never leaves the memory, so nobody
    /// can be followed into the next day.
    salt: (u64, [u8; 16]),
    /// By the address's digest, with the number of its last request.
    buckets: HashMap<u64, (Bucket, u64)>,
    /// The digests by those numbers: the address that was not seen for longest comes first.
    order: BTreeMap<u64, u64>,
    /// The number of the last request.
    last: u64,
}

impl Buckets {
    /// Whether an address may send one request more, of so many a minute. Where there are too many
    /// addresses, the one is forgotten that was not seen for longest.
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
            // Whoever goes on sending is refused, however many others come.
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
