//! Rate limits, in memory: a request over the limit is refused before anything is read or written.

use asklet_protocol::failure::Failure;
use asklet_shared::problem::{Code, Problem};
use asklet_shared::settings::Limits;

use crate::buckets::{Bucket, Buckets, REQUEST};

/// The limiter of one shard.
#[derive(Default)]
pub struct Limiter {
    shard: Option<Bucket>,
    survey: Option<Bucket>,
    addresses: Buckets,
}

impl Limiter {
    /// Lets a request pass, or refuses it with the limit that it exceeds. `address` is the visitor's address,
    /// as the Worker reads it, if the operator has named the header that
    /// contains it.
    pub fn pass(
        &mut self,
        limits: Limits,
        address: Option<&str>,
        now_ms: u64,
    ) -> Result<(), Failure> {
        let refuse = |limit: String| {
            Problem::new(Code::RateLimited, "there are more requests than the site accepts")
                .limit(limit)
        };
        let per_minute = u64::from(limits.address_per_minute);
        let per_second = u64::from(limits.shard_per_second);
        let of_survey = u64::from(limits.survey_per_minute);
        if let Some(address) = address
            && !self.addresses.take(address, per_minute, now_ms)?
        {
            return Err(refuse(format!("{per_minute} requests a minute from one address")).into());
        }
        if !Bucket::take(&mut self.shard, per_second * 60, per_second * REQUEST, now_ms) {
            return Err(refuse(format!("{per_second} requests a second")).into());
        }
        if !Bucket::take(&mut self.survey, of_survey, of_survey * REQUEST, now_ms) {
            let limit = format!("{of_survey} requests a minute to one shard of the survey");
            return Err(refuse(limit).into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use asklet_shared::time::DAY_MS;

    use super::*;

    fn limits(address_per_minute: u32, shard_per_second: u32, survey_per_minute: u32) -> Limits {
        Limits { address_per_minute, shard_per_second, survey_per_minute, ..Limits::default() }
    }

    #[test]
    fn an_address_has_its_own_limit_and_the_shard_one_for_all() {
        let mut limiter = Limiter::default();
        let mut limit = |address: Option<&str>, now_ms| {
            limiter
                .pass(limits(2, 3, 1_000), address, now_ms)
                .map_err(|failure| failure.into_problem().limit.unwrap())
        };
        let start = 5 * DAY_MS;
        assert_eq!(limit(Some("1.2.3.4"), start), Ok(()));
        assert_eq!(limit(Some("1.2.3.4"), start), Ok(()));
        let refused = Err("2 requests a minute from one address".to_owned());
        assert_eq!(limit(Some("1.2.3.4"), start), refused);
        // Other addresses still pass, as long as the shard has capacity; a refused request used none of it.
        assert_eq!(limit(Some("1.2.3.5"), start), Ok(()));
        assert_eq!(limit(None, start), Err("3 requests a second".to_owned()));
        // Half a minute later, one more request passes.
        assert_eq!(limit(Some("1.2.3.4"), start + 30_001), Ok(()));
        assert_eq!(limit(Some("1.2.3.4"), start + 30_001), refused);
        assert_eq!(limit(None, start + 30_001), Ok(()));
        // A clock that goes back neither removes nor adds tokens.
        assert_eq!(limit(Some("1.2.3.4"), start), refused);
    }

    #[test]
    fn a_survey_takes_so_many_a_minute_from_everywhere() {
        let mut limiter = Limiter::default();
        let limits = limits(100, 100, 20).share(4);
        let mut passes = |now_ms| limiter.pass(limits, None, now_ms).is_ok();
        let start = 5 * DAY_MS;
        assert_eq!((0..10).filter(|_| passes(start)).count(), 5, "this shard's part");
        assert!(!passes(start + 11_000) && passes(start + 12_001) && !passes(start + 12_001));
    }
}
