//! Time as Asklet counts it: milliseconds since the Unix epoch, in UTC.

/// The length of a bucket, the finest period that a summary distinguishes. 15 minutes of UTC are exact in every
/// time zone on Earth.
pub const BUCKET_MS: u64 = 15 * 60 * 1000;

/// The length of a UTC day.
pub const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// A time later than any display: the largest integer that JavaScript keeps exactly.
pub const END_OF_TIME_MS: u64 = (1 << 53) - 1;

/// Times below this one, in March 1973, are assumed to be in seconds: times of this century have ten digits in
/// seconds, and thirteen in milliseconds.
pub const SECONDS_END_MS: u64 = 100_000_000_000;

/// Whether a time that should be in milliseconds is probably in seconds.
pub fn are_seconds(ms: u64) -> bool {
    0 < ms && ms < SECONDS_END_MS
}

/// Returns the UTC day that holds `ms`, counted from the epoch.
pub fn day_of(ms: u64) -> u64 {
    ms / DAY_MS
}

/// Returns the slot of `ms` within its UTC day: 0 to 95, one for each bucket.
pub fn slot_of(ms: u64) -> u8 {
    u8::try_from(ms % DAY_MS / BUCKET_MS).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_96_slots() {
        assert_eq!(slot_of(0), 0);
        assert_eq!(slot_of(BUCKET_MS - 1), 0);
        assert_eq!(slot_of(DAY_MS - 1), 95);
        assert_eq!((day_of(DAY_MS), slot_of(DAY_MS)), (1, 0));
    }
}
