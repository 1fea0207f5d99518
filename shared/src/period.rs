//! Periods: the part of time that a summary covers, and how a trend divides it.
//!
//! The caller provides time zones: it returns the offset at a time, so this module has no database of zones
//! that could become outdated. Offsets are multiples of a bucket, as they are everywhere on Earth since 1972; a
//! trend that would need another offset is refused.

use chrono::{
    DateTime, Datelike, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Weekday,
};
use serde::{Deserialize, Serialize};

use crate::problem::{Code, Problem};
use crate::settings::WeekStart;
use crate::time::{BUCKET_MS, DAY_MS, are_seconds};

/// Number of points that a trend can have at most.
pub const POINTS_LIMIT: usize = 1_000;

/// The year 10,000, in milliseconds since the epoch: RFC 3339 can write no time from there on.
const END_MS: u64 = 253_402_300_800_000;

/// The detail of the problem for a time that the calendar cannot represent, or for which the zone has no
/// offset.
const OUT_OF_RANGE: &str = "the period is out of range of the zone's calendar";

/// The length of a trend's points, by the zone's calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Interval {
    /// An hour.
    Hour,
    /// A day.
    Day,
    /// Seven days, from the day on which the site's weeks begin.
    Week,
    /// A month.
    Month,
    /// Three months from January.
    Quarter,
}

impl Interval {
    /// Returns the interval with a name.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "hour" => Self::Hour,
            "day" => Self::Day,
            "week" => Self::Week,
            "month" => Self::Month,
            "quarter" => Self::Quarter,
            _ => return None,
        })
    }

    /// Returns the start of the interval that holds a local time.
    fn floor(self, local: NaiveDateTime, week_starts: WeekStart) -> Option<NaiveDateTime> {
        let date = local.date();
        let day = match self {
            Self::Hour => {
                let hour = TimeDelta::hours(i64::from(chrono::Timelike::hour(&local)));
                return date.and_time(NaiveTime::MIN).checked_add_signed(hour);
            }
            Self::Day => Some(date),
            Self::Week => {
                let first = match week_starts {
                    WeekStart::Monday => Weekday::Mon,
                    WeekStart::Sunday => Weekday::Sun,
                    WeekStart::Saturday => Weekday::Sat,
                };
                Some(date.week(first).checked_first_day()?)
            }
            Self::Month => date.with_day(1),
            Self::Quarter => NaiveDate::from_ymd_opt(date.year(), (date.month0() / 3) * 3 + 1, 1),
        };
        Some(day?.and_time(NaiveTime::MIN))
    }

    /// Returns the start of the next interval, from the start of one.
    fn next(self, start: NaiveDateTime) -> Option<NaiveDateTime> {
        match self {
            Self::Hour => start.checked_add_signed(TimeDelta::hours(1)),
            Self::Day => start.checked_add_days(Days::new(1)),
            Self::Week => start.checked_add_days(Days::new(7)),
            Self::Month => start.checked_add_months(Months::new(1)),
            Self::Quarter => start.checked_add_months(Months::new(3)),
        }
    }
}

/// The offset of a zone: local time minus UTC, in milliseconds, at a time in UTC; `None` if the caller does not
/// know it.
pub type Offset<'a> = &'a dyn Fn(u64) -> Option<i64>;

/// Computes the edges of a trend's points, in milliseconds since the epoch: `from`, every start of an interval
/// in between, and `to`. The first and the last point may be shorter than the others.
pub fn edges(
    from_ms: u64,
    to_ms: u64,
    (interval, week_starts): (Interval, WeekStart),
    offset: Offset<'_>,
) -> Result<Vec<u64>, Problem> {
    let out_of_range = || Problem::new(Code::InvalidQuery, OUT_OF_RANGE).at("from");
    let mut edges = vec![from_ms];
    let mut start = local(from_ms, offset)
        .and_then(|local| interval.floor(local, week_starts))
        .ok_or_else(out_of_range)?;
    loop {
        start = interval.next(start).ok_or_else(out_of_range)?;
        let edge = utc(start, offset).ok_or_else(out_of_range)?;
        if edge >= to_ms {
            break;
        }
        if edge % BUCKET_MS != 0 {
            let detail = "the zone's offset from UTC was not a multiple of 15 minutes then";
            return Err(Problem::new(Code::InvalidQuery, detail).at("tz").limit(rfc3339(edge)));
        }
        // If clocks are set back over the start of an hour, the hour comes twice and counts once.
        if edges.last().is_some_and(|last| edge > *last) {
            edges.push(edge);
        }
        if edges.len() > POINTS_LIMIT {
            return Err(Problem::new(Code::InvalidQuery, "the trend has too many points")
                .at("interval")
                .limit(format!("{POINTS_LIMIT} points")));
        }
    }
    edges.push(to_ms);
    Ok(edges)
}

fn local(utc_ms: u64, offset: Offset<'_>) -> Option<NaiveDateTime> {
    let local_ms = i64::try_from(utc_ms).ok()?.checked_add(offset(utc_ms)?)?;
    Some(DateTime::from_timestamp_millis(local_ms)?.naive_utc())
}

/// Returns the first instant at which a zone's clocks show a local time. If the clocks skip that time, it
/// returns the instant at which they do.
fn utc(local: NaiveDateTime, offset: Offset<'_>) -> Option<u64> {
    const DAY_MS: i64 = 24 * 60 * 60 * 1000;
    let local_ms = local.and_utc().timestamp_millis();
    // Before the epoch, the offset at the epoch is the nearest one.
    let offset_near = |ms: i64| offset(u64::try_from(ms.max(0)).ok()?);
    let before = offset_near(local_ms - DAY_MS)?;
    let after = offset_near(local_ms + DAY_MS)?;
    // The instant by the offset of the day before, and the one by the offset of the day after: the earlier one
    // that is valid.
    let instants = [local_ms - before.max(after), local_ms - before.min(after)];
    let holds =
        |instant: &i64| offset_near(*instant).is_some_and(|offset| instant + offset == local_ms);
    let instant = instants.into_iter().find(holds).unwrap_or(local_ms - before);
    u64::try_from(instant).ok()
}

/// A moment as a query writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// In milliseconds since the epoch.
    At(u64),
    /// The beginning of a day, by the calendar of a zone.
    Day(NaiveDate),
}

impl Moment {
    /// Reads a time in RFC 3339, a date, or milliseconds since the epoch. Seconds are refused, because they
    /// would be a time in January 1970.
    pub fn parse(field: &str, text: &str) -> Result<Self, Problem> {
        let parsed = parse_instant(field, text);
        if let (Err(_), Ok(date)) = (&parsed, text.parse::<NaiveDate>()) {
            // Only in the form of ISO 8601, with four digits for the year.
            if date.format("%Y-%m-%d").to_string() == text && 1970 <= date.year() {
                return Ok(Self::Day(date));
            }
        }
        parsed.map(Self::At)
    }

    /// Returns the moment in milliseconds since the epoch.
    pub fn ms(self, field: &str, offset: Offset<'_>) -> Result<u64, Problem> {
        match self {
            Self::At(ms) => Ok(ms),
            Self::Day(date) => utc(date.and_time(NaiveTime::MIN), offset)
                .ok_or_else(|| Problem::new(Code::InvalidQuery, OUT_OF_RANGE).at(field)),
        }
    }
}

/// Returns the start of the bucket that holds a time.
pub fn floor(ms: u64) -> u64 {
    ms - ms % BUCKET_MS
}

/// Returns the time itself if it is the start of a bucket, or otherwise the end of the bucket that holds it,
/// except for the last bucket that can be written.
pub fn ceil(ms: u64) -> u64 {
    floor(ms.saturating_add(BUCKET_MS - 1)).min(END_MS - BUCKET_MS)
}

/// Reads a time in RFC 3339 or in milliseconds since the epoch.
pub fn parse_instant(field: &str, text: &str) -> Result<u64, Problem> {
    let unreadable = |detail: &'static str| {
        Problem::new(Code::InvalidQuery, detail)
            .at(field)
            .limit("RFC 3339, such as 2026-11-01T00:00:00Z, or milliseconds since the epoch")
    };
    let ms = text.parse::<u64>().ok();
    if ms.is_some_and(are_seconds) {
        return Err(unreadable("the time is in seconds: multiply it by 1000"));
    }
    let ms = ms.or_else(|| {
        // A plus sign in an address means a space.
        let time = DateTime::parse_from_rfc3339(&text.replace(' ', "+")).ok()?;
        u64::try_from(time.timestamp_millis()).ok()
    });
    ms.filter(|ms| *ms < END_MS).ok_or_else(|| unreadable("the time cannot be read"))
}

/// Writes a time as RFC 3339, in UTC.
pub fn rfc3339(ms: u64) -> String {
    let time = i64::try_from(ms).ok().and_then(DateTime::from_timestamp_millis);
    time.map(|time| time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)).unwrap_or_default()
}

/// Writes a UTC day, counted from the epoch, as in ISO 8601.
pub fn day(day: u64) -> String {
    let mut text = rfc3339(day.saturating_mul(DAY_MS));
    text.truncate("2026-11-22".len());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: i64 = 60 * 60 * 1000;

    #[track_caller]
    fn at(text: &str) -> u64 {
        parse_instant("from", text).unwrap()
    }

    /// Berlin in 2026: clocks go forward on 29 March at 01:00 UTC and back on 25 October at 01:00.
    fn berlin(utc_ms: u64) -> Option<i64> {
        let is_summer = (at("2026-03-29T01:00:00Z")..at("2026-10-25T01:00:00Z")).contains(&utc_ms);
        Some(if is_summer { 2 * HOUR_MS } else { HOUR_MS })
    }

    fn edge_times(from: &str, to: &str, interval: Interval, offset: Offset<'_>) -> Vec<String> {
        edges(at(from), at(to), (interval, WeekStart::Monday), offset)
            .unwrap()
            .into_iter()
            .map(rfc3339)
            .collect()
    }

    #[test]
    fn days_on_which_clocks_change_are_23_and_25_hours_long() {
        let spring =
            edge_times("2026-03-27T23:00:00Z", "2026-03-30T22:00:00Z", Interval::Day, &berlin);
        assert_eq!(
            spring,
            [
                "2026-03-27T23:00:00Z",
                "2026-03-28T23:00:00Z",
                "2026-03-29T22:00:00Z",
                "2026-03-30T22:00:00Z",
            ]
        );
        let autumn =
            edge_times("2026-10-24T22:00:00Z", "2026-10-26T23:00:00Z", Interval::Day, &berlin);
        assert_eq!(
            autumn,
            ["2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", "2026-10-26T23:00:00Z"]
        );
    }

    #[test]
    fn a_midnight_that_clocks_skip_is_the_instant_at_which_they_do() {
        // Beirut, 29 March 2026: at midnight, 22:00 UTC, clocks moved to one o'clock.
        let skip = at("2026-03-28T22:00:00Z");
        let beirut = |utc_ms| Some(if utc_ms < skip { 2 * HOUR_MS } else { 3 * HOUR_MS });
        let days =
            edge_times("2026-03-27T22:00:00Z", "2026-03-30T21:00:00Z", Interval::Day, &beirut);
        assert_eq!(
            days,
            [
                "2026-03-27T22:00:00Z",
                "2026-03-28T22:00:00Z",
                "2026-03-29T21:00:00Z",
                "2026-03-30T21:00:00Z",
            ]
        );
    }

    #[test]
    fn zones_of_half_and_three_quarters_of_an_hour_are_exact() {
        let kathmandu = |_| Some(5 * HOUR_MS + 45 * 60 * 1000);
        let days =
            edge_times("2026-01-01T18:15:00Z", "2026-01-03T18:15:00Z", Interval::Day, &kathmandu);
        assert_eq!(days, ["2026-01-01T18:15:00Z", "2026-01-02T18:15:00Z", "2026-01-03T18:15:00Z"]);
        let hours =
            edge_times("2026-01-01T00:00:00Z", "2026-01-01T01:30:00Z", Interval::Hour, &kathmandu);
        assert_eq!(
            hours,
            [
                "2026-01-01T00:00:00Z",
                "2026-01-01T00:15:00Z",
                "2026-01-01T01:15:00Z",
                "2026-01-01T01:30:00Z"
            ]
        );
    }

    #[test]
    fn an_edge_off_the_quarters_of_an_hour_is_refused() {
        // Monrovia until 1972.
        let monrovia = |_| Some(-(44 * 60 + 30) * 1000);
        let (from, to) = (at("1970-06-01T00:00:00Z"), at("1970-06-03T00:00:00Z"));
        let problem = edges(from, to, (Interval::Day, WeekStart::Monday), &monrovia).unwrap_err();
        assert_eq!((problem.code, problem.field.as_deref()), (Code::InvalidQuery, Some("tz")));
        assert_eq!(problem.limit.as_deref(), Some("1970-06-01T00:44:30Z"));
    }

    #[test]
    fn weeks_months_and_quarters_start_where_the_calendar_says() {
        let utc = |_| Some(0);
        let of =
            |interval| edge_times("2026-01-15T00:00:00Z", "2026-05-01T00:00:00Z", interval, &utc);
        assert_eq!(of(Interval::Week)[1], "2026-01-19T00:00:00Z");
        for (starts, day) in [(WeekStart::Sunday, 18), (WeekStart::Saturday, 17)] {
            let week = (Interval::Week, starts);
            let first = edges(at("2026-01-15T00:00:00Z"), at("2026-05-01T00:00:00Z"), week, &utc);
            assert_eq!(rfc3339(first.unwrap()[1]), format!("2026-01-{day}T00:00:00Z"));
        }
        assert_eq!(of(Interval::Month)[1..3], ["2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"]);
        assert_eq!(
            of(Interval::Quarter),
            ["2026-01-15T00:00:00Z", "2026-04-01T00:00:00Z", "2026-05-01T00:00:00Z"]
        );
    }

    #[test]
    fn edges_rise_and_a_trend_has_an_end() {
        for interval in ["hour", "day", "week", "month", "quarter"] {
            let interval = Interval::named(interval).unwrap();
            let from = at("2026-10-20T00:00:00Z");
            let found =
                edges(from, from + 30 * DAY_MS, (interval, WeekStart::Monday), &berlin).unwrap();
            assert!(found.is_sorted_by(|a, b| a < b), "{found:?}");
        }
        let from = at("2026-01-01T00:00:00Z");
        let problem =
            edges(from, from + 365 * DAY_MS, (Interval::Hour, WeekStart::Monday), &berlin)
                .unwrap_err();
        assert_eq!(problem.limit.as_deref(), Some("1000 points"));
    }

    #[test]
    fn a_moment_is_a_time_a_date_or_milliseconds_and_never_seconds() {
        assert_eq!(at("2026-11-01T02:00:00 02:00"), at("2026-11-01T00:00:00Z"));
        assert_eq!(at("0"), 0);
        assert_eq!(at("1793491200000"), at("2026-11-01T00:00:00Z"));
        for text in ["", "yesterday", "-1", "1969-12-31T00:00:00Z", "253402300800000", "1969-12-31"]
        {
            assert_eq!(Moment::parse("to", text).unwrap_err().code, Code::InvalidQuery, "{text}");
        }
        let seconds = Moment::parse("to", "1793491200").unwrap_err();
        assert_eq!(seconds.detail, "the time is in seconds: multiply it by 1000");
        assert_eq!(seconds.field.as_deref(), Some("to"));
    }

    #[test]
    fn a_date_is_the_beginning_of_its_day_in_the_zone() {
        let ms = |text, offset| Moment::parse("from", text).unwrap().ms("from", offset).unwrap();
        assert_eq!(ms("2026-11-01", &|_| Some(0)), at("2026-11-01T00:00:00Z"));
        assert_eq!(ms("2026-07-01", &berlin), at("2026-06-30T22:00:00Z"));
        assert_eq!(ms("1970-01-01", &|_| Some(-HOUR_MS)), 3_600_000);
        for text in ["2026-11-1", "2026-11-31", "+2026-11-01", "20261101"] {
            assert!(!matches!(Moment::parse("from", text), Ok(Moment::Day(_))), "{text}");
        }
        let unknown = Moment::parse("from", "2026-11-01").unwrap().ms("from", &|_| None);
        assert_eq!(unknown.unwrap_err().field.as_deref(), Some("from"));
    }

    #[test]
    fn a_trend_of_a_zone_that_tells_no_offset_is_refused_and_not_that_of_utc() {
        let week = (Interval::Day, WeekStart::Monday);
        let refused =
            edges(at("2026-11-01T00:00:00Z"), at("2026-11-08T00:00:00Z"), week, &|_| None);
        assert_eq!(refused.unwrap_err().code, Code::InvalidQuery);
    }

    #[test]
    fn a_time_is_rounded_to_the_bucket_before_or_after_it() {
        let time = at("2026-11-01T00:15:00Z");
        assert_eq!((floor(time), ceil(time)), (time, time));
        assert_eq!((floor(time + 1), ceil(time + 1)), (time, time + BUCKET_MS));
        assert_eq!(floor(time - 1), time - BUCKET_MS);
        assert_eq!(rfc3339(ceil(at("9999-12-31T23:59:59Z"))), "9999-12-31T23:45:00Z");
    }
}
