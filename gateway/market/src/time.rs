//! Moments, as integer nanoseconds since 1970, and their RFC 3339 text.

use std::{
    fmt,
    ops::{Add, Sub},
    str::FromStr,
    time::Duration,
};

/// A moment in UTC, in nanoseconds since 1970-01-01T00:00:00Z, leap seconds not counted. Written as RFC 3339 with nine
/// digits; good to the year 2262.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Nanos(pub u64);

impl Nanos {
    /// The beginning of 1970; also "no time is known".
    pub const ZERO: Nanos = Nanos(0);
    /// Later than everything.
    pub const MAX: Nanos = Nanos(i64::MAX as u64);

    /// How long after `earlier` this is; zero if it is not.
    pub fn since(self, earlier: Nanos) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// The start of the interval `[k * ns, (k + 1) * ns)` that holds this moment.
    ///
    /// # Panics
    /// If `ns` is zero.
    pub fn floor(self, ns: u64) -> Nanos {
        Nanos(self.0 - self.0 % ns)
    }

    /// The beginning of the month that holds this moment.
    pub fn month_start(self) -> Nanos {
        let (year, month, _) = civil(self.0 / DAY);
        Nanos(days_from(year, month, 1) * DAY)
    }

    /// The beginning of the month after the one that holds this moment.
    pub fn next_month(self) -> Nanos {
        let (year, month, _) = civil(self.0 / DAY);
        let (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
        Nanos(days_from(year, month, 1) * DAY)
    }

    /// Appends `2026-11-23T08:00:00.123456789Z`.
    pub fn push_rfc3339(self, out: &mut Vec<u8>) {
        let (days, in_day) = (self.0 / DAY, self.0 % DAY);
        let (year, month, day) = civil(days);
        let second = in_day / SECOND;
        let mut text = *b"0000-00-00T00:00:00.000000000Z";
        put(&mut text[0..4], year);
        put(&mut text[5..7], month);
        put(&mut text[8..10], day);
        put(&mut text[11..13], second / 3600);
        put(&mut text[14..16], second / 60 % 60);
        put(&mut text[17..19], second % 60);
        put(&mut text[20..29], in_day % SECOND);
        out.extend_from_slice(&text);
    }
}

const SECOND: u64 = 1_000_000_000;
const DAY: u64 = 86_400 * SECOND;

/// The digits of 0 to 99, two each.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[b'0'; 2]; 100];
    let mut i = 0;
    while i < pairs.len() {
        pairs[i] = [b'0' + (i / 10) as u8, b'0' + (i % 10) as u8];
        i += 1;
    }
    pairs
};

/// Fills `field` with the last digits of `value`.
#[inline]
fn put(field: &mut [u8], value: u64) {
    let mut value = value as u32;
    let (first, pairs) = field.as_rchunks_mut::<2>();
    for pair in pairs.iter_mut().rev() {
        *pair = PAIRS[(value % 100) as usize];
        value /= 100;
    }
    if let [digit] = first {
        *digit = b'0' + (value % 10) as u8;
    }
}

/// Year, month and day of a day counted from 1970 (the proleptic Gregorian calendar in eras of 400 years).
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year, month, day)
}

/// The inverse of [`civil`], for years from 1970.
fn days_from(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year / 400;
    let year_of_era = year % 400;
    let march_month = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * march_month + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

impl fmt::Display for Nanos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::with_capacity(30);
        self.push_rfc3339(&mut text);
        f.write_str(&String::from_utf8_lossy(&text))
    }
}

impl Add<Duration> for Nanos {
    type Output = Nanos;

    fn add(self, duration: Duration) -> Nanos {
        Nanos(self.0.saturating_add(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)))
    }
}

impl Sub<Duration> for Nanos {
    type Output = Nanos;

    fn sub(self, duration: Duration) -> Nanos {
        Nanos(self.0.saturating_sub(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)))
    }
}

/// A text that is not a moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a time is RFC 3339 in UTC (2024-08-08T23:54:10Z, up to nine digits of a second) or integer nanoseconds since 1970"
)]
pub struct TimeError;

/// Reads RFC 3339 in UTC, from 1970 to 2261, or integer nanoseconds since 1970.
impl FromStr for Nanos {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
            return text.parse().ok().filter(|&ns| ns <= Nanos::MAX.0).map(Nanos).ok_or(TimeError);
        }
        let bytes = text.as_bytes();
        let (stem, rest) = bytes.split_at_checked(19).ok_or(TimeError)?;
        let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
        if separators.iter().any(|&(at, byte)| stem[at] != byte) {
            return Err(TimeError);
        }
        let (year, month, day) = (number(&stem[0..4])?, number(&stem[5..7])?, number(&stem[8..10])?);
        let (hour, minute, second) = (number(&stem[11..13])?, number(&stem[14..16])?, number(&stem[17..19])?);
        let in_range = (1970..2262).contains(&year) && (1..=12).contains(&month) && day >= 1;
        if !in_range || hour > 23 || minute > 59 || second > 59 {
            return Err(TimeError);
        }
        let days = days_from(year, month, day);
        if civil(days) != (year, month, day) {
            return Err(TimeError);
        }
        let fraction = match rest {
            b"Z" => 0,
            [b'.', digits @ .., b'Z'] if (1..=9).contains(&digits.len()) => {
                number(digits)? * 10u64.pow(9 - digits.len() as u32)
            }
            _ => return Err(TimeError),
        };
        Ok(Nanos(days * DAY + (hour * 3600 + minute * 60 + second) * SECOND + fraction))
    }
}

fn number(digits: &[u8]) -> Result<u64, TimeError> {
    digits.iter().try_fold(0, |value, &digit| match digit {
        b'0'..=b'9' => Ok(value * 10 + u64::from(digit - b'0')),
        _ => Err(TimeError),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_moments_have_their_text() {
        assert_eq!(Nanos(0).to_string(), "1970-01-01T00:00:00.000000000Z");
        assert_eq!(Nanos(1_723_161_255_208_000_001).to_string(), "2024-08-08T23:54:15.208000001Z");
        assert_eq!("2024-02-29T00:00:00Z".parse(), Ok(Nanos(1_709_164_800_000_000_000)));
        assert_eq!("1723161255208000001".parse(), Ok(Nanos(1_723_161_255_208_000_001)));
        assert_eq!(
            "2024-08-08T23:54:10.5Z".parse::<Nanos>().unwrap().to_string(),
            "2024-08-08T23:54:10.500000000Z"
        );
    }

    #[test]
    fn refuses_what_is_not_a_moment() {
        for bad in [
            "",
            "now",
            "2024-08-08",
            "2023-02-29T00:00:00Z",
            "2024-13-01T00:00:00Z",
            "2024-01-01T24:00:00Z",
            "2024-01-01T00:00:00+01:00",
            "2024-01-01T00:00:00.Z",
            "2024-01-01T00:00:00.1234567890Z",
            "99999999999999999999",
        ] {
            assert_eq!(bad.parse::<Nanos>(), Err(TimeError), "{bad}");
        }
    }

    #[test]
    fn months_begin_on_the_first() {
        let check = |text: &str, start: &str, next: &str| {
            let moment: Nanos = text.parse().unwrap();
            let midnight = |day: &str| format!("{day}T00:00:00Z").parse().unwrap();
            assert_eq!(
                (moment.month_start(), moment.next_month()),
                (midnight(start), midnight(next)),
                "{text}"
            );
        };
        check("1970-01-01T00:00:00Z", "1970-01-01", "1970-02-01");
        check("2024-02-29T23:59:59.999999999Z", "2024-02-01", "2024-03-01");
        check("2023-02-28T12:00:00Z", "2023-02-01", "2023-03-01");
        check("2025-12-31T23:59:59Z", "2025-12-01", "2026-01-01");
        check("2026-01-01T00:00:00Z", "2026-01-01", "2026-02-01");
        check("2100-02-28T00:00:00Z", "2100-02-01", "2100-03-01");
        assert!(Nanos::MAX.next_month() > Nanos::MAX, "the last month known has an end");
    }

    proptest! {
        #[test]
        fn text_round_trips(ns in 0..Nanos::MAX.0 - DAY * 366) {
            prop_assert_eq!(Nanos(ns).to_string().parse(), Ok(Nanos(ns)));
        }
    }
}
