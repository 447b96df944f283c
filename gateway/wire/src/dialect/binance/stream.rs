//! The names of streams.

use crate::message::{Channel, Depth, Encoding, Interval};
use market::{Instrument, SymbolId};
use stats::Interval as Candles;
use std::fmt::{self, Display};

/// What stands before the interval of candles.
const KLINE: &str = "kline_";

/// How often a stream of the book has something to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Speed {
    /// Once a second, as nothing else is said.
    Plain,
    /// Once a second, as the name says.
    Second,
    /// Ten times a second.
    Fast,
    /// Ten times a second, of the streams of binary events, where nothing else is said. The venue has twenty; so they end where events of
    /// [`Speed::Fast`] do, and books that are fetched.
    Binary,
}

impl Speed {
    /// Those of events in JSON.
    const ALL: [Speed; 3] = [Speed::Plain, Speed::Second, Speed::Fast];

    const fn suffix(self) -> &'static str {
        match self {
            Speed::Plain | Speed::Binary => "",
            Speed::Second => "@1000ms",
            Speed::Fast => "@100ms",
        }
    }

    const fn interval(self) -> Interval {
        match self {
            Speed::Plain | Speed::Second => Interval::SECOND,
            Speed::Fast | Speed::Binary => Interval::TENTH,
        }
    }
}

/// How many levels a side a stream of the best ones has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Levels {
    /// 5.
    Five,
    /// 10.
    Ten,
    /// 20.
    Twenty,
}

impl Levels {
    const ALL: [Levels; 3] = [Levels::Five, Levels::Ten, Levels::Twenty];

    const fn word(self) -> &'static str {
        match self {
            Levels::Five => "depth5",
            Levels::Ten => "depth10",
            Levels::Twenty => "depth20",
        }
    }

    const fn depth(self) -> Depth {
        match self {
            Levels::Five => Depth::FIVE,
            Levels::Ten => Depth::TEN,
            Levels::Twenty => Depth::TWENTY,
        }
    }
}

/// What a stream tells of its symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stream {
    /// Each trade.
    Trade,
    /// Each trade, as an aggregate.
    AggTrade,
    /// The best of each side.
    BookTicker,
    /// The same, of the streams of binary events.
    BestBidAsk,
    /// What changed in the book.
    Depth(Speed),
    /// The best levels.
    Partial(Levels, Speed),
    /// What happened in the last 24 hours.
    Ticker,
    /// The same in few numbers.
    MiniTicker,
    /// Candles of an interval.
    Kline(Candles),
    /// The average price of the last five minutes.
    AvgPrice,
    /// [`Stream::Ticker`] of all symbols that were traded, as one array.
    AllTickers,
    /// [`Stream::MiniTicker`] of all symbols that were traded, as one array.
    AllMiniTickers,
}

impl Stream {
    /// Those whose events are binary.
    const BINARY: [Stream; 4] = [
        Stream::Trade,
        Stream::BestBidAsk,
        Stream::Depth(Speed::Binary),
        Stream::Partial(Levels::Twenty, Speed::Binary),
    ];

    /// The stream with events of this encoding that is named so behind the symbol and its `@`.
    pub fn parse(name: &str, encoding: Encoding) -> Option<Stream> {
        match encoding {
            Encoding::Json => Stream::parse_text(name),
            Encoding::Sbe => Stream::BINARY.into_iter().find(|stream| stream.name().concat() == name),
        }
    }

    fn parse_text(name: &str) -> Option<Stream> {
        match name {
            "trade" => return Some(Stream::Trade),
            "aggTrade" => return Some(Stream::AggTrade),
            "bookTicker" => return Some(Stream::BookTicker),
            "ticker" => return Some(Stream::Ticker),
            "miniTicker" => return Some(Stream::MiniTicker),
            "avgPrice" => return Some(Stream::AvgPrice),
            _ => {}
        }
        if let Some(interval) = name.strip_prefix(KLINE) {
            return interval.parse().ok().map(Stream::Kline);
        }
        let (what, suffix) = name.split_at(name.find('@').unwrap_or(name.len()));
        let speed = Speed::ALL.into_iter().find(|speed| speed.suffix() == suffix)?;
        if what == "depth" {
            return Some(Stream::Depth(speed));
        }
        let levels = Levels::ALL.into_iter().find(|levels| levels.word() == what)?;
        Some(Stream::Partial(levels, speed))
    }

    /// The stream of all symbols that is named so.
    pub fn parse_of_all(name: &str) -> Option<Stream> {
        [Stream::AllTickers, Stream::AllMiniTickers].into_iter().find(|stream| stream.name()[0] == name)
    }

    /// Of a stream of all symbols, the one that has the same events for one symbol.
    pub const fn of_each(self) -> Option<Stream> {
        match self {
            Stream::AllTickers => Some(Stream::Ticker),
            Stream::AllMiniTickers => Some(Stream::MiniTicker),
            _ => None,
        }
    }

    /// The name in two parts.
    fn name(self) -> [&'static str; 2] {
        match self {
            Stream::Trade => ["trade", ""],
            Stream::AggTrade => ["aggTrade", ""],
            Stream::BookTicker => ["bookTicker", ""],
            Stream::BestBidAsk => ["bestBidAsk", ""],
            Stream::Ticker => ["ticker", ""],
            Stream::MiniTicker => ["miniTicker", ""],
            Stream::AvgPrice => ["avgPrice", ""],
            Stream::AllTickers => ["!ticker@arr", ""],
            Stream::AllMiniTickers => ["!miniTicker@arr", ""],
            Stream::Kline(interval) => [KLINE, interval.as_str()],
            Stream::Depth(speed) => ["depth", speed.suffix()],
            Stream::Partial(levels, speed) => [levels.word(), speed.suffix()],
        }
    }

    /// What it is made of.
    pub const fn source(self) -> (Channel, Depth, Interval) {
        match self {
            Stream::Trade | Stream::AggTrade => (Channel::Trade, Depth::ALL, Interval::EACH_EVENT),
            Stream::BookTicker | Stream::BestBidAsk => (Channel::Bbo, Depth::ONE, Interval::EACH_EVENT),
            Stream::Depth(speed) => (Channel::Book, Depth::ALL, speed.interval()),
            Stream::Partial(levels, speed) => (Channel::Book, levels.depth(), speed.interval()),
            Stream::Ticker
            | Stream::MiniTicker
            | Stream::Kline(_)
            | Stream::AvgPrice
            | Stream::AllTickers
            | Stream::AllMiniTickers => (Channel::Summary, Depth::ALL, Interval::SECOND),
        }
    }
}

/// How the events of one topic are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Form {
    /// As events of which stream.
    pub stream: Stream,
    /// Whether each is wrapped with the stream's name; binary ones are not.
    pub combined: bool,
    /// How they are encoded.
    pub encoding: Encoding,
}

impl Form {
    /// Appends the event that `event` appends.
    pub fn wrap(self, out: &mut Vec<u8>, instrument: &Instrument, event: impl FnOnce(&mut Vec<u8>)) {
        if !self.combined {
            return event(out);
        }
        out.extend_from_slice(b"{\"stream\":\"");
        push_name(out, self.stream, instrument);
        out.extend_from_slice(b"\",\"data\":");
        event(out);
        out.push(b'}');
    }
}

/// Appends the name of a stream of an instrument.
pub(super) fn push_name(out: &mut Vec<u8>, stream: Stream, instrument: &Instrument) {
    if stream.of_each().is_none() {
        let symbol = instrument.symbol.bytes().filter(|&byte| byte != b'/');
        out.extend(symbol.map(|byte| byte.to_ascii_lowercase()));
        out.push(b'@');
    }
    stream.name().into_iter().for_each(|part| out.extend_from_slice(part.as_bytes()));
}

/// A stream of a symbol that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamName {
    /// Of which symbol; the first one for a stream of all symbols.
    pub symbol: SymbolId,
    /// Which stream.
    pub stream: Stream,
}

impl Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name().into_iter().try_for_each(|part| f.write_str(part))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        let books = Speed::ALL.into_iter().flat_map(|speed| {
            let partial = Levels::ALL.into_iter().map(move |levels| Stream::Partial(levels, speed));
            partial.chain([Stream::Depth(speed)])
        });
        let others = [
            Stream::Trade,
            Stream::AggTrade,
            Stream::BookTicker,
            Stream::Ticker,
            Stream::MiniTicker,
            Stream::AvgPrice,
        ];
        for stream in books.chain(others).chain(Candles::ALL.map(Stream::Kline)) {
            assert_eq!(Stream::parse(&stream.to_string(), Encoding::Json), Some(stream));
        }
        for stream in Stream::BINARY {
            assert_eq!(Stream::parse(&stream.to_string(), Encoding::Sbe), Some(stream));
        }
        for stream in [Stream::AllTickers, Stream::AllMiniTickers] {
            assert_eq!(Stream::parse_of_all(&stream.to_string()), Some(stream));
        }
        assert_eq!(
            Stream::parse("depth20@100ms", Encoding::Json),
            Some(Stream::Partial(Levels::Twenty, Speed::Fast))
        );
    }

    #[test]
    fn other_names_are_none() {
        for name in [
            "",
            "depth@",
            "depth@250ms",
            "depth7",
            "trade@100ms",
            "TRADE",
            "aggtrade",
            "depth@100ms@",
            "kline_",
            "kline_7m",
            "kline_1M@",
        ] {
            assert_eq!(Stream::parse(name, Encoding::Json), None, "{name}");
        }
        for name in ["", "bookTicker", "depth@100ms", "depth5", "aggTrade", "ticker", "bestbidask"] {
            assert_eq!(Stream::parse(name, Encoding::Sbe), None, "{name}");
        }
        assert_eq!(Stream::parse("bestBidAsk", Encoding::Json), None);
    }
}
