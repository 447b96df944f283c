//! What the names of LOBSTER's files say: the ticker and the day. Times in them are New York's.

use crate::import::error::ImportError;
use market::Nanos;
use std::path::Path;

const HOUR: u64 = 3_600_000_000_000;
const DAY: u64 = 24 * HOUR;

/// Of a pair of files.
pub(super) struct Name {
    pub ticker: String,
    /// When the day began in New York.
    pub midnight: Nanos,
}

impl Name {
    /// Of a message file and its orderbook file: `TICKER_YYYY-MM-DD_BEGIN_END_message_LEVELS.csv`, `…_orderbook_…`.
    pub fn of_pair(messages: &Path, books: &Path) -> Result<Name, ImportError> {
        let [message_name, book_name] = [messages, books].map(file_name);
        let is_pair = message_name.replacen("_message_", "_orderbook_", 1) == book_name;
        let name = Name::of(&message_name).filter(|_| message_name.contains("_message_"));
        name.filter(|_| is_pair).ok_or_else(|| ImportError::Unfit {
            file: messages.to_owned(),
            what: "files come in pairs, MESSAGE ORDERBOOK, with the vendor's names: TICKER_YYYY-MM-DD_BEGIN_END_message_LEVELS.csv, and \
                   the same with orderbook"
                .to_owned(),
        })
    }

    fn of(file: &str) -> Option<Name> {
        let mut parts = file.split('_');
        let (ticker, date) = (parts.next()?.to_owned(), parts.next()?);
        Some(Name { ticker, midnight: midnight(date)? })
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// When a day, written `YYYY-MM-DD`, began in New York.
fn midnight(date: &str) -> Option<Nanos> {
    let utc: Nanos = format!("{date}T00:00:00Z").parse().ok()?;
    let mut parts = date.split('-').map(|part| part.parse::<u64>().ok());
    let (_, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let behind = if is_summer(month, day, utc.0 / DAY) { 4 } else { 5 };
    Some(Nanos(utc.0 + behind * HOUR))
}

/// Whether a day that is so many days after 1970-01-01 has daylight saving time in New York, as it is since 2007: from the second Sunday in
/// March to before the first in November.
fn is_summer(month: u64, day: u64, days: u64) -> bool {
    // 1970-01-01 was a Thursday.
    let weekday = (days + 4) % 7;
    let first_sunday = 1 + (day + 6 - weekday) % 7;
    match month {
        3 => day >= first_sunday + 7,
        4..=10 => true,
        11 => day < first_sunday,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_by_new_yorks_clock() {
        for (date, begin) in [
            ("2012-06-21", "2012-06-21T04:00:00.000000000Z"),
            ("2012-01-03", "2012-01-03T05:00:00.000000000Z"),
            ("2012-03-09", "2012-03-09T05:00:00.000000000Z"),
            ("2012-03-12", "2012-03-12T04:00:00.000000000Z"),
            ("2012-11-02", "2012-11-02T04:00:00.000000000Z"),
            ("2012-11-05", "2012-11-05T05:00:00.000000000Z"),
            ("2015-03-06", "2015-03-06T05:00:00.000000000Z"),
            ("2015-03-09", "2015-03-09T04:00:00.000000000Z"),
            ("2015-10-30", "2015-10-30T04:00:00.000000000Z"),
            ("2015-11-02", "2015-11-02T05:00:00.000000000Z"),
        ] {
            assert_eq!(midnight(date).unwrap().to_string(), begin);
        }
        assert!(["2012-06", "AAPL", "2012-13-41", ""].iter().all(|date| midnight(date).is_none()));
    }
}
