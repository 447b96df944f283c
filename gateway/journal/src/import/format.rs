//! The formats of files: what they are called, what they hold, whose time they keep.

use super::{
    databento::{Databento, Encoding},
    error::ImportError,
    lobster::Lobster,
    message::Venue,
    messages::Messages,
    rules::Rules,
    source::Source,
    tardis::Tardis,
    venue,
};
use std::{fmt::Write, path::PathBuf, str::FromStr};

/// What wrote the files.
///
/// Captures of any venue take every form of line: `<ns since 1970> <JSON>` and `<seconds since 1970>: <JSON>` are a message each,
/// `https://… -> <seconds since 1970>: <JSON>` is what a REST request was answered, and a line that begins with `wss://`
/// tells of a connection: where a hole would not show otherwise, a new one is a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Binance and Binance.US, spot and futures: combined streams with depth diffs and trades, and the REST depth
    /// snapshots that the diffs continue. The time is `E`; of a snapshot without one, the latest of its market.
    Binance,
    /// Kraken's WebSocket API v1: channels `book-*` and `trade`. The time is the latest of a message's levels.
    Kraken,
    /// OKX's WebSocket API v5: channels `books`, `books-l2-tbt`, `books50-l2-tbt` and `trades`. The time is `ts`.
    Okx,
    /// Bitget's WebSocket API v1: channels `books` and `trade`, of one `instType`. The time is `ts`, of a trade its first
    /// part. Trades have no id and are counted.
    Bitget,
    /// Kraken Futures' WebSocket API v1: feeds `book` and `trade`. The time is `timestamp`, of a trade `time`; a trade's id is
    /// its `seq`.
    KrakenFutures,
    /// Coinbase Pro (Exchange): channels `level2` and `matches`. The time is `time`; of a snapshot, which has none, the latest
    /// of its market, or when it was received. Nothing is numbered, so a hole cannot be seen.
    Coinbase,
    /// Bitstamp's WebSocket API v2, channels `diff_order_book_*` and `live_trades_*`, and its REST order books. The time is
    /// `microtimestamp`, which also orders the diffs, so a hole cannot be seen.
    Bitstamp,
    /// Deribit's JSON-RPC v2: channels `book.*.raw`, `book.*.100ms` and `trades.*`. The time is `timestamp`; a trade's id is
    /// its `trade_seq`.
    Deribit,
    /// BitMEX's WebSocket API: tables `orderBookL2` or `orderBookL2_25`, and `trade`. The time is `timestamp`, and when a message
    /// was received where a book has none. Trades have no id that is a number and are counted.
    Bitmex,
    /// Databento's binary files (DBN, versions 1 to 3, and fragments): schemas `mbo`, `mbp-1`, `mbp-10`, `trades` and `tbbo`. The time is
    /// `ts_event`; of a snapshot, whose orders are of different times, the latest of its market, or when it was received. Trades
    /// have no id and are counted.
    Dbn,
    /// The same schemas as Databento's CSV with a header.
    DatabentoCsv,
    /// LOBSTER's pairs of files, each a message file and then its orderbook file, with the vendor's names, which tell the ticker and the day. The
    /// time is the message's, by New York's clock. Trades have no id and are counted.
    Lobster,
    /// Tardis' CSV datasets `incremental_book_L2` and `trades`. The time is `timestamp`; of a message, whose rows share `local_timestamp`, the
    /// latest. Trades whose id is no number are counted.
    TardisCsv,
}

/// What there is to know of a format.
struct Entry {
    format: Format,
    name: &'static str,
    holds: &'static str,
    time: &'static str,
}

const ENTRIES: &[Entry] = &[
    Entry {
        format: Format::Binance,
        name: "binance",
        holds: "spot, futures and Binance.US: depth, trade or else aggTrade, REST depth",
        time: "E",
    },
    Entry {
        format: Format::Kraken,
        name: "kraken",
        holds: "WebSocket v1: book-*, trade",
        time: "the latest of a message's levels; a trade's own",
    },
    Entry {
        format: Format::Okx,
        name: "okx",
        holds: "WebSocket v5: books, books-l2-tbt, books50-l2-tbt, trades",
        time: "ts",
    },
    Entry {
        format: Format::Bitget,
        name: "bitget",
        holds: "WebSocket v1, one instType: books, trade",
        time: "ts; the first part of a trade",
    },
    Entry {
        format: Format::KrakenFutures,
        name: "kraken-futures",
        holds: "WebSocket v1: book, trade",
        time: "timestamp; the time of a trade",
    },
    Entry {
        format: Format::Coinbase,
        name: "coinbase",
        holds: "Pro (Exchange) WebSocket: level2, matches",
        time: "time; of a snapshot the latest of its market, or when received",
    },
    Entry {
        format: Format::Bitstamp,
        name: "bitstamp",
        holds: "WebSocket v2: diff_order_book, live_trades; REST order_book",
        time: "microtimestamp",
    },
    Entry {
        format: Format::Deribit,
        name: "deribit",
        holds: "JSON-RPC v2: book.*.raw or .100ms, trades.*",
        time: "timestamp",
    },
    Entry {
        format: Format::Bitmex,
        name: "bitmex",
        holds: "orderBookL2 or orderBookL2_25, trade",
        time: "timestamp; when received, of a book without one",
    },
    Entry {
        format: Format::Dbn,
        name: "dbn",
        holds: "Databento, DBN v1 to v3, fragments: mbo, mbp-1, mbp-10, trades, tbbo",
        time: "ts_event; of a snapshot the latest of its market, or when received",
    },
    Entry {
        format: Format::DatabentoCsv,
        name: "databento-csv",
        holds: "the same schemas as CSV with a header",
        time: "ts_event, as for dbn",
    },
    Entry {
        format: Format::Lobster,
        name: "lobster",
        holds: "pairs of files, MESSAGE ORDERBOOK: the levels of the latter, trades",
        time: "seconds since midnight in New York of the day in the name",
    },
    Entry {
        format: Format::TardisCsv,
        name: "tardis-csv",
        holds: "datasets incremental_book_L2, trades",
        time: "timestamp; of rows with one local_timestamp the latest",
    },
];

impl Format {
    /// The names that the command line takes, with commas between.
    pub fn names() -> String {
        ENTRIES.iter().map(|entry| entry.name).collect::<Vec<_>>().join(", ")
    }

    /// For a person: each format, what is imported of it, and what its events' time is.
    pub fn guide() -> String {
        let mut guide = String::from("Formats, what is imported of each, and its event time:\n");
        for Entry { name, holds, time, .. } in ENTRIES {
            // Writing to a string cannot fail.
            let _ = write!(guide, "\n  {name:<15} {holds}\n  {:<15} time: {time}", "");
        }
        guide.push_str(
            "\n\nLines of a venue's captures:\n\n  \
             <ns since 1970> <JSON>                   a message\n  \
             <seconds since 1970>: <JSON>             a message\n  \
             https://URL -> <seconds since 1970>: <JSON>\n  \
             \u{20}                                        what a REST request was answered\n  \
             wss://...                                a connection, or what was sent on it",
        );
        guide
    }

    /// Opens files of this format.
    pub(super) fn open(self, files: &[PathBuf]) -> Result<Box<dyn Source>, ImportError> {
        let (rules, venue): (&'static Rules, Box<dyn Venue>) = match self {
            Format::Dbn => return Ok(Box::new(Databento::open(Encoding::Dbn, files)?)),
            Format::Lobster => return Ok(Box::new(Lobster::open(files)?)),
            Format::TardisCsv => return Ok(Box::new(Tardis::open(files)?)),
            Format::DatabentoCsv => return Ok(Box::new(Databento::open(Encoding::Csv, files)?)),
            Format::Binance => (&venue::binance::RULES, Box::<venue::binance::Binance>::default()),
            Format::Kraken => (&venue::kraken::RULES, Box::new(venue::kraken::Kraken)),
            Format::Okx => (&venue::okx::RULES, Box::new(venue::okx::Okx)),
            Format::Bitget => (&venue::bitget::RULES, Box::<venue::bitget::Bitget>::default()),
            Format::KrakenFutures => {
                (&venue::kraken_futures::RULES, Box::new(venue::kraken_futures::KrakenFutures))
            }
            Format::Coinbase => (&venue::coinbase::RULES, Box::new(venue::coinbase::Coinbase)),
            Format::Bitstamp => (&venue::bitstamp::RULES, Box::<venue::bitstamp::Bitstamp>::default()),
            Format::Deribit => (&venue::deribit::RULES, Box::new(venue::deribit::Deribit)),
            Format::Bitmex => (&venue::bitmex::RULES, Box::<venue::bitmex::Bitmex>::default()),
        };
        Ok(Box::new(Messages::open(rules, venue, files)?))
    }
}

impl FromStr for Format {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Format, FormatError> {
        let found = ENTRIES.iter().find(|entry| entry.name == text);
        found.map(|entry| entry.format).ok_or_else(|| FormatError { name: text.to_owned() })
    }
}

/// A format that is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no format '{name}'; there are {}", Format::names())]
pub struct FormatError {
    /// What was asked for.
    pub name: String,
}
