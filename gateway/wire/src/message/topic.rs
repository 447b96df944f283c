//! The parameters of a topic, with the values that are offered.

use super::ErrorCode;
use std::{borrow::Cow, time::Duration};

/// Why a value or a request is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Refusal {
    /// The code for programs.
    pub code: ErrorCode,
    /// The text for people: what is wrong and what to do.
    pub text: Cow<'static, str>,
}

impl Refusal {
    /// A refusal with this code and text.
    pub fn new(code: ErrorCode, text: impl Into<Cow<'static, str>>) -> Refusal {
        Refusal { code, text: text.into() }
    }
}

/// What a subscription tells about. In the order in which the messages of one exchange event go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// Trades.
    Trade,
    /// The order book, by price level.
    Book,
    /// The top of the book: best bid and offer.
    Bbo,
    /// The connection's own figures; of no symbol.
    Stats,
    /// What the trades add up to: tickers, candles, averages. In the words of dialects that have them, and not of the native
    /// protocol.
    Summary,
}

impl Channel {
    /// Those of the native protocol.
    pub const ALL: [Channel; 4] = [Channel::Trade, Channel::Book, Channel::Bbo, Channel::Stats];

    /// The name in requests and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Channel::Book => "book",
            Channel::Trade => "trade",
            Channel::Bbo => "bbo",
            Channel::Stats => "stats",
            Channel::Summary => "summary",
        }
    }

    /// The channel of a name.
    ///
    /// # Errors
    /// [`ErrorCode::BadChannel`] with the names that exist.
    pub fn parse(name: &str) -> Result<Channel, Refusal> {
        Channel::ALL.into_iter().find(|channel| channel.as_str() == name).ok_or(Refusal::new(
            ErrorCode::BadChannel,
            "there is no such channel; use book, trade, bbo, or stats",
        ))
    }
}

/// What happens to a subscriber whose socket does not drain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Policy {
    /// What waits is merged into one message.
    #[default]
    Conflate,
    /// Every message is sent; too far behind, the connection is closed.
    Lossless,
}

impl Policy {
    /// The name in requests and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Policy::Conflate => "conflate",
            Policy::Lossless => "lossless",
        }
    }

    /// The policy of a name.
    ///
    /// # Errors
    /// [`ErrorCode::BadPolicy`] with the names that exist.
    pub fn parse(name: &str) -> Result<Policy, Refusal> {
        [Policy::Conflate, Policy::Lossless]
            .into_iter()
            .find(|policy| policy.as_str() == name)
            .ok_or(Refusal::new(ErrorCode::BadPolicy, "there is no such policy; use conflate or lossless"))
    }
}

/// How many levels a side a subscriber sees, one of those offered. Ordered by how much is seen, all of it last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Depth(u32);

impl Depth {
    /// What is offered; 0 is the whole book.
    pub const OFFERED: [Depth; 9] = [
        Depth::ONE,
        Depth::FIVE,
        Depth::TEN,
        Depth(25),
        Depth(50),
        Depth(100),
        Depth(500),
        Depth(1000),
        Depth::ALL,
    ];
    /// The best level.
    pub const ONE: Depth = Depth(1);
    /// Five.
    pub const FIVE: Depth = Depth(5);
    /// Ten.
    pub const TEN: Depth = Depth(10);
    /// Twenty, which a dialect has and the native protocol does not offer.
    pub const TWENTY: Depth = Depth(20);
    /// The whole book.
    pub const ALL: Depth = Depth(0);

    /// The depth written as `number`, where 0 is the whole book.
    ///
    /// # Errors
    /// [`ErrorCode::BadDepth`] with the depths that are offered.
    pub fn new(number: u64) -> Result<Depth, Refusal> {
        Depth::OFFERED.into_iter().find(|depth| u64::from(depth.0) == number).ok_or_else(|| {
            Refusal::new(
                ErrorCode::BadDepth,
                format!("depth {number} is not offered; use 1, 5, 10, 25, 50, 100, 500, 1000, or 0 for all"),
            )
        })
    }

    /// As it is written; 0 is the whole book.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The number of levels a side, [`usize::MAX`] for the whole book.
    pub const fn levels(self) -> usize {
        if self.0 == 0 { usize::MAX } else { self.0 as usize }
    }
}

impl Default for Depth {
    /// 10.
    fn default() -> Self {
        Depth(10)
    }
}

impl PartialOrd for Depth {
    fn partial_cmp(&self, other: &Depth) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Depth {
    fn cmp(&self, other: &Depth) -> std::cmp::Ordering {
        self.levels().cmp(&other.levels())
    }
}

/// How much feed time one message covers, one of those offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Interval(u32);

impl Interval {
    /// What is offered.
    pub const OFFERED: [Interval; 4] =
        [Interval::EACH_EVENT, Interval(10), Interval::TENTH, Interval::SECOND];
    /// No interval: a message for each exchange event.
    pub const EACH_EVENT: Interval = Interval(0);
    /// A tenth of a second.
    pub const TENTH: Interval = Interval(100);
    /// A second.
    pub const SECOND: Interval = Interval(1000);

    /// The interval of so many milliseconds; 0 is each exchange event.
    ///
    /// # Errors
    /// [`ErrorCode::BadInterval`] with the intervals that are offered.
    pub fn new(millis: u64) -> Result<Interval, Refusal> {
        Interval::OFFERED.into_iter().find(|interval| u64::from(interval.0) == millis).ok_or_else(|| {
            Refusal::new(
                ErrorCode::BadInterval,
                format!("interval_ms {millis} is not offered; use 0 for each event, 10, 100, or 1000"),
            )
        })
    }

    /// In milliseconds.
    pub const fn millis(self) -> u32 {
        self.0
    }

    /// As a length of time; zero for each exchange event.
    pub const fn duration(self) -> Duration {
        Duration::from_millis(self.0 as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_book_is_deeper_than_any_depth() {
        let mut depths = Depth::OFFERED;
        depths.reverse();
        depths.sort();
        assert_eq!(depths.map(Depth::get), [1, 5, 10, 25, 50, 100, 500, 1000, 0]);
        assert!(Depth::ALL > Depth::new(1000).unwrap());
    }

    #[test]
    fn only_what_is_offered_exists() {
        for depth in Depth::OFFERED {
            assert_eq!(Depth::new(depth.get().into()), Ok(depth));
        }
        for interval in Interval::OFFERED {
            assert_eq!(Interval::new(interval.millis().into()), Ok(interval));
        }
        assert_eq!(Depth::new(u64::from(u32::MAX) + 11).unwrap_err().code, ErrorCode::BadDepth);
        assert_eq!(Interval::new((1 << 32) + 10).unwrap_err().code, ErrorCode::BadInterval);
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        for channel in Channel::ALL {
            assert_eq!(Channel::parse(channel.as_str()), Ok(channel));
        }
        for policy in [Policy::Conflate, Policy::Lossless] {
            assert_eq!(Policy::parse(policy.as_str()), Ok(policy));
        }
    }
}
