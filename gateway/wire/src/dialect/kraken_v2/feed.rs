//! What a subscription tells of its symbol.

use crate::message::{Channel, Interval};
use stats::Interval as Candles;

/// When a ticker has something to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Trigger {
    /// After trades.
    #[default]
    Trades,
    /// When the best of a side has changed, or after trades.
    Bbo,
}

impl Trigger {
    /// The trigger of a name.
    pub(super) fn parse(name: &str) -> Option<Trigger> {
        match name {
            "trades" => Some(Trigger::Trades),
            "bbo" => Some(Trigger::Bbo),
            _ => None,
        }
    }

    /// The name in requests and answers.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Trigger::Trades => "trades",
            Trigger::Bbo => "bbo",
        }
    }
}

/// What a subscription tells of its symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Feed {
    /// The book.
    Book,
    /// Each trade.
    Trade,
    /// The best of each side, and what happened in the last 24 hours.
    Ticker(Trigger),
    /// Candles of an interval, one of [`INTERVALS`].
    Ohlc(Candles),
}

/// The lengths of candles, in minutes.
pub const INTERVALS: [(u64, Candles); 8] = [
    (1, Candles::OneMinute),
    (5, Candles::FiveMinutes),
    (15, Candles::FifteenMinutes),
    (30, Candles::ThirtyMinutes),
    (60, Candles::OneHour),
    (240, Candles::FourHours),
    (1440, Candles::OneDay),
    (10_080, Candles::OneWeek),
];

/// The candles of so many minutes.
pub fn candles_of(minutes: u64) -> Option<Candles> {
    INTERVALS.into_iter().find(|(offered, _)| *offered == minutes).map(|(_, candles)| candles)
}

/// How many minutes candles last; 0 of those that there are not.
pub(super) fn minutes_of(candles: Candles) -> u64 {
    INTERVALS.into_iter().find(|(_, offered)| *offered == candles).map_or(0, |(minutes, _)| minutes)
}

impl Feed {
    /// The name of its channel.
    pub const fn channel(self) -> &'static str {
        match self {
            Feed::Book => "book",
            Feed::Trade => "trade",
            Feed::Ticker(_) => "ticker",
            Feed::Ohlc(_) => "ohlc",
        }
    }

    /// What it is made of. What trades add up to is told ten times a second of feed time at most: no reader sees more,
    /// and a burst of trades does not make as many messages of what is out of date with the next one.
    pub const fn source(self) -> (Channel, Interval) {
        match self {
            Feed::Book => (Channel::Book, Interval::EACH_EVENT),
            Feed::Trade => (Channel::Trade, Interval::EACH_EVENT),
            Feed::Ticker(_) | Feed::Ohlc(_) => (Channel::Summary, Interval::TENTH),
        }
    }

    /// Whether a connection that has the one cannot have the other too: their messages could not be told apart.
    pub fn is_same(self, other: Feed) -> bool {
        self == other || matches!((self, other), (Feed::Ticker(_), Feed::Ticker(_)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_as_long_as_they_say() {
        for (minutes, candles) in INTERVALS {
            let begun = candles.start_of("2026-11-25T13:14:15Z".parse().unwrap());
            let ended = candles.end_of(begun);
            assert_eq!(ended.since(begun).as_secs(), minutes * 60);
            assert_eq!((candles_of(minutes), minutes_of(candles)), (Some(candles), minutes));
        }
        assert_eq!(candles_of(21_600), None);
    }

    #[test]
    fn only_tickers_cannot_be_told_apart() {
        assert!(Feed::Ticker(Trigger::Bbo).is_same(Feed::Ticker(Trigger::Trades)));
        assert!(!Feed::Ohlc(Candles::OneMinute).is_same(Feed::Ohlc(Candles::OneHour)));
        assert!(!Feed::Book.is_same(Feed::Trade));
    }
}
