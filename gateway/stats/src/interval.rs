//! The intervals of candles, and where in UTC each begins.

use market::Nanos;
use std::{fmt, str::FromStr};

pub(crate) const SECOND: u64 = 1_000_000_000;
pub(crate) const MINUTE: u64 = 60 * SECOND;
pub(crate) const HOUR: u64 = 60 * MINUTE;
pub(crate) const DAY: u64 = 24 * HOUR;

/// From the Monday of the week of 1970-01-01, a Thursday, to that day.
const MONDAY_TO_EPOCH: u64 = 3 * DAY;

/// How long a candle lasts. All are aligned in UTC: up to a day to midnight, three days to 1970-01-01, a week to Monday, a
/// month to the first. The order is that of their lengths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Interval {
    /// `1s`
    OneSecond = 0,
    /// `1m`
    OneMinute = 1,
    /// `3m`
    ThreeMinutes = 2,
    /// `5m`
    FiveMinutes = 3,
    /// `15m`
    FifteenMinutes = 4,
    /// `30m`
    ThirtyMinutes = 5,
    /// `1h`
    OneHour = 6,
    /// `2h`
    TwoHours = 7,
    /// `4h`
    FourHours = 8,
    /// `6h`
    SixHours = 9,
    /// `8h`
    EightHours = 10,
    /// `12h`
    TwelveHours = 11,
    /// `1d`
    OneDay = 12,
    /// `3d`
    ThreeDays = 13,
    /// `1w`
    OneWeek = 14,
    /// `1M`
    OneMonth = 15,
}

impl Interval {
    /// All of them, the shortest first.
    pub const ALL: [Interval; 16] = [
        Interval::OneSecond,
        Interval::OneMinute,
        Interval::ThreeMinutes,
        Interval::FiveMinutes,
        Interval::FifteenMinutes,
        Interval::ThirtyMinutes,
        Interval::OneHour,
        Interval::TwoHours,
        Interval::FourHours,
        Interval::SixHours,
        Interval::EightHours,
        Interval::TwelveHours,
        Interval::OneDay,
        Interval::ThreeDays,
        Interval::OneWeek,
        Interval::OneMonth,
    ];

    /// The name that Binance gave it: `1s`, `1m`, …, `1w`, `1M`.
    pub fn as_str(self) -> &'static str {
        const NAMES: [&str; Interval::ALL.len()] = [
            "1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M",
        ];
        NAMES[self as usize]
    }

    /// The beginning of the interval that holds a moment. (Of the first week of 1970, that year's beginning.)
    pub fn start_of(self, at: Nanos) -> Nanos {
        match self.length() {
            None => at.month_start(),
            Some((length, offset)) => Nanos(Nanos(at.0 + offset).floor(length).0.saturating_sub(offset)),
        }
    }

    /// The end of the interval that holds a moment: the beginning of the next one.
    pub fn end_of(self, at: Nanos) -> Nanos {
        match self.length() {
            None => at.next_month(),
            Some((length, offset)) => Nanos(Nanos(at.0 + offset).floor(length).0 + length - offset),
        }
    }

    /// The first moment from `at` on at which such an interval begins.
    pub(crate) fn next_start(self, at: Nanos) -> Nanos {
        let start = self.start_of(at);
        if start == at { at } else { self.end_of(at) }
    }

    /// How long it is, and how long before 1970 the first one began; `None` if that differs from one to the next.
    fn length(self) -> Option<(u64, u64)> {
        let length = match self {
            Interval::OneSecond => SECOND,
            Interval::OneMinute => MINUTE,
            Interval::ThreeMinutes => 3 * MINUTE,
            Interval::FiveMinutes => 5 * MINUTE,
            Interval::FifteenMinutes => 15 * MINUTE,
            Interval::ThirtyMinutes => 30 * MINUTE,
            Interval::OneHour => HOUR,
            Interval::TwoHours => 2 * HOUR,
            Interval::FourHours => 4 * HOUR,
            Interval::SixHours => 6 * HOUR,
            Interval::EightHours => 8 * HOUR,
            Interval::TwelveHours => 12 * HOUR,
            Interval::OneDay => DAY,
            Interval::ThreeDays => 3 * DAY,
            Interval::OneWeek => return Some((7 * DAY, MONDAY_TO_EPOCH)),
            Interval::OneMonth => return None,
        };
        Some((length, 0))
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A text that names no interval.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an interval is one of 1s 1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 3d 1w 1M")]
pub struct IntervalError;

impl FromStr for Interval {
    type Err = IntervalError;

    fn from_str(text: &str) -> Result<Interval, IntervalError> {
        Interval::ALL.into_iter().find(|interval| interval.as_str() == text).ok_or(IntervalError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> Nanos {
        text.parse().unwrap()
    }

    #[test]
    fn each_begins_where_the_calendar_says() {
        let check = |interval: &str, at: &str, start: &str, end: &str| {
            let (interval, at): (Interval, Nanos) = (interval.parse().unwrap(), moment(at));
            assert_eq!(
                (interval.start_of(at), interval.end_of(at)),
                (moment(start), moment(end)),
                "{interval} {at}"
            );
        };
        check("1s", "2024-08-08T23:54:15.9Z", "2024-08-08T23:54:15Z", "2024-08-08T23:54:16Z");
        check("3m", "2024-08-08T23:59:59Z", "2024-08-08T23:57:00Z", "2024-08-09T00:00:00Z");
        check("8h", "2024-08-08T08:00:00Z", "2024-08-08T08:00:00Z", "2024-08-08T16:00:00Z");
        check("12h", "2024-08-08T11:59:59Z", "2024-08-08T00:00:00Z", "2024-08-08T12:00:00Z");
        check("3d", "1970-01-06T01:00:00Z", "1970-01-04T00:00:00Z", "1970-01-07T00:00:00Z");
        check("1w", "2026-11-29T23:59:59Z", "2026-11-23T00:00:00Z", "2026-11-30T00:00:00Z");
        check("1w", "2026-11-23T00:00:00Z", "2026-11-23T00:00:00Z", "2026-11-30T00:00:00Z");
        check("1w", "1970-01-04T23:00:00Z", "1970-01-01T00:00:00Z", "1970-01-05T00:00:00Z");
        check("1M", "2024-02-29T12:00:00Z", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z");
        check("1M", "2025-12-31T23:59:59Z", "2025-12-01T00:00:00Z", "2026-01-01T00:00:00Z");
    }

    #[test]
    fn names_are_read_back_and_others_are_refused() {
        for interval in Interval::ALL {
            assert_eq!(interval.to_string().parse(), Ok(interval));
        }
        for bad in ["", "1", "2m", "1D", "1mo", "1M ", "60"] {
            assert_eq!(bad.parse::<Interval>(), Err(IntervalError), "{bad}");
        }
    }

    #[test]
    fn the_last_moment_known_has_an_interval_too() {
        for interval in Interval::ALL {
            assert!(interval.start_of(Nanos::MAX) <= Nanos::MAX && interval.end_of(Nanos::MAX) > Nanos::MAX);
        }
    }
}
