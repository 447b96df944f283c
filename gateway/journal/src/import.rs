//! Captures of real venues as a feed: message logs as they came from a socket, read twice. The first pass learns the markets
//! and their decimals, and finds every line that cannot be read before anything is made of it; the second yields events.
//!
//! Knows nothing of recordings: whoever runs an import sequences the events and records them.

mod binance;
mod capture;
mod kraken;
mod survey;
mod tally;

pub use tally::{Skipped, Tally};

use binance::Binance;
use capture::{At, Captures, SplitHead};
use feed::{FeedError, FeedSource, FeedState, FeedStatus};
use kraken::Kraken;
use market::{
    Epoch, Event, Instrument, InstrumentError, Instruments, Kind, Nanos, Price, Qty, SymbolId, parse_fixed,
};
use simd_json::{Tape, prelude::ValueIntoString, tape::Value};
use std::{
    fmt, io,
    path::{Path, PathBuf},
    str::FromStr,
};
use survey::{Digits, Survey};

/// A poll ends at the first line beyond so many events.
const POLL_BOUND: usize = 4096;

/// What wrote the captures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Lines `<ns since 1970> <JSON>` of Binance's combined streams, spot or futures: depth diffs and trades, and the
    /// REST depth snapshots that they continue, bare.
    Binance,
    /// Lines `<seconds since 1970>: <JSON>` of Kraken's WebSocket API v1, channels `book-*` and `trade`.
    Kraken,
}

impl Format {
    /// All of them by the name that the command line takes.
    pub const NAMES: [(&str, Format); 2] = [("binance", Format::Binance), ("kraken", Format::Kraken)];
}

impl FromStr for Format {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Format, FormatError> {
        let found = Format::NAMES.iter().find(|(name, _)| *name == text);
        found.map(|&(_, format)| format).ok_or_else(|| FormatError(text.to_owned()))
    }
}

/// A format that is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no format '{0}'; there are binance and kraken")]
pub struct FormatError(String);

/// Gives a market a name of its own, written `VENUE=NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rename {
    /// The name in the captures.
    pub venue: String,
    /// The name in depthcast.
    pub name: String,
}

impl FromStr for Rename {
    type Err = RenameError;

    fn from_str(text: &str) -> Result<Rename, RenameError> {
        let (venue, name) = text.split_once('=').ok_or(RenameError)?;
        if venue.is_empty() || !market::is_symbol(name) {
            return Err(RenameError);
        }
        Ok(Rename { venue: venue.to_owned(), name: name.to_owned() })
    }
}

/// A text that is no [`Rename`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a name is given as VENUE=NAME, such as BTCUSD_PERP=BTC/USD; NAME is 1 to 32 of A-Z 0-9 . / _ -")]
pub struct RenameError;

/// A line of a capture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: PathBuf,
    /// The line's number, from 1.
    pub line: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)
    }
}

/// Why captures cannot be imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A file cannot be read.
    #[error("cannot read {}: {source}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the operating system or the decompressor said.
        source: io::Error,
    },
    /// A line cannot be understood.
    #[error("{place}: {what}")]
    Line {
        /// Where.
        place: Place,
        /// What is wrong with it.
        what: String,
    },
    /// A market cannot have its name, or its numbers need too many decimals.
    #[error("{place}: {venue} cannot be imported: {error} (--symbol {venue}=NAME gives it another name)")]
    Market {
        /// Where it appears first.
        place: Place,
        /// Its name at the venue.
        venue: String,
        /// What is wrong with it.
        error: InstrumentError,
    },
    /// A name was given to a market that is not there.
    #[error("--symbol {venue}=…: no {venue} is in these files, which hold {held}")]
    UnknownMarket {
        /// The name that was looked for.
        venue: String,
        /// What is there.
        held: String,
    },
    /// There is nothing to import.
    #[error("there is no market in these files; is the format right?")]
    Nothing,
}

/// A message that cannot be understood; the caller knows where it stands.
#[derive(Debug)]
struct Refused(String);

impl Refused {
    fn in_line(self, at: At<'_>) -> ImportError {
        ImportError::Line { place: at.place(), what: self.0 }
    }
}

impl From<&str> for Refused {
    fn from(what: &str) -> Refused {
        Refused(what.to_owned())
    }
}

/// A venue's rules.
trait Venue: Send {
    /// The first pass: notes the market of a message and its numbers.
    fn survey(&mut self, message: Value<'_, '_>, at: At<'_>, survey: &mut Survey) -> Result<(), Refused>;

    /// The second pass: appends the exchange events that follow from a message.
    fn events(
        &mut self,
        message: Value<'_, '_>,
        at: At<'_>,
        instruments: &Instruments,
        out: &mut Vec<Event>,
        tally: &mut Tally,
    ) -> Result<(), Refused>;

    /// At the end of the captures: accounts for what was kept and came to nothing.
    fn finish(&mut self, tally: &mut Tally);
}

/// Captures as a feed. Several files are one stream: their lines are taken in the order in which they were received.
///
/// Each change of a book and each trade is one exchange event, with the venue's event time as its `timestamp` (and its
/// `engine`). It is not paced: a poll yields what comes next.
pub struct Import {
    feed: String,
    captures: Captures,
    venue: Box<dyn Venue>,
    buffers: simd_json::Buffers,
    instruments: Instruments,
    tally: Tally,
    watermark: Nanos,
}

impl Import {
    /// Reads `files` through once and prepares to read them again.
    ///
    /// # Errors
    /// If a file cannot be read or a line not understood, if names clash, or if there is no market at all.
    pub fn open(format: Format, files: &[PathBuf], renames: &[Rename]) -> Result<Import, ImportError> {
        let (split, mut venue, digits): (SplitHead, Box<dyn Venue>, Digits) = match format {
            Format::Binance => (binance::split_head, Box::new(Binance::new(files.len())), Digits::Least),
            Format::Kraken => (kraken::split_head, Box::new(Kraken::default()), Digits::AsWritten),
        };
        let mut survey = Survey::new(digits);
        let mut buffers = simd_json::Buffers::default();
        let mut captures = Captures::open(files, split)?;
        while let Some(line) = captures.next()? {
            let Some(message) = line.message else { continue };
            parse(message, &mut buffers)
                .and_then(|tape| venue.survey(tape.as_value(), line.at, &mut survey))
                .map_err(|refused| refused.in_line(line.at))?;
        }
        let instruments = survey.finish(renames)?;
        if instruments.is_empty() {
            return Err(ImportError::Nothing);
        }
        let first = files.first().map(PathBuf::as_path).unwrap_or(Path::new(""));
        Ok(Import {
            feed: format!("import:{}", first.display()),
            captures: Captures::open(files, split)?,
            venue,
            buffers,
            instruments,
            tally: Tally::default(),
            watermark: Nanos::ZERO,
        })
    }

    /// What was taken and what was left out so far.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Takes the next line; whether there was one.
    fn step(&mut self, out: &mut Vec<Event>) -> Result<bool, ImportError> {
        let Some(line) = self.captures.next()? else {
            self.venue.finish(&mut self.tally);
            return Ok(false);
        };
        match line.message {
            None => self.tally.skip("connection", line.at),
            Some(message) => parse(message, &mut self.buffers)
                .and_then(|tape| {
                    self.venue.events(tape.as_value(), line.at, &self.instruments, out, &mut self.tally)
                })
                .map_err(|refused| refused.in_line(line.at))?,
        }
        Ok(true)
    }
}

impl FeedSource for Import {
    fn instruments(&self) -> &Instruments {
        &self.instruments
    }

    fn epoch(&self) -> Option<Epoch> {
        None
    }

    /// Blocks while a file is read; meant for an import that runs alone.
    fn poll(&mut self, _now: Nanos, out: &mut Vec<Event>) -> Result<FeedStatus, FeedError> {
        let before = out.len();
        let mut state = FeedState::Ended;
        while out.len() - before < POLL_BOUND && state != FeedState::Gap {
            let line_begin = out.len();
            let more = self
                .step(out)
                .map_err(|error| FeedError { feed: self.feed.clone(), what: error.to_string() })?;
            if !more {
                break;
            }
            let gap = out[line_begin..].iter().any(|event| event.kind == Kind::FeedGap);
            state = if gap { FeedState::Gap } else { FeedState::Events };
        }
        if state == FeedState::Events && out.len() == before {
            state = FeedState::Idle;
        }
        let latest = out[before..].iter().map(|event| event.timestamp).max();
        self.watermark = self.watermark.max(latest.unwrap_or(Nanos::ZERO));
        Ok(FeedStatus { state, watermark: self.watermark })
    }
}

fn parse<'a>(message: &'a mut [u8], buffers: &mut simd_json::Buffers) -> Result<Tape<'a>, Refused> {
    simd_json::to_tape_with_buffers(message, buffers)
        .map_err(|error| Refused(format!("this is no JSON: {error}")))
}

/// A JSON text.
fn text<'a>(value: Value<'_, 'a>) -> Option<&'a str> {
    value.into_string()
}

/// An event of `symbol`, which happened at `timestamp`.
fn event(kind: Kind, symbol: SymbolId, timestamp: Nanos) -> Event {
    Event { symbol, timestamp, engine: timestamp, ingest: timestamp, ..Event::new(kind) }
}

/// A price and a quantity as an instrument writes them.
fn numbers(instrument: &Instrument, price: &str, qty: &str) -> Result<(Price, Qty), Refused> {
    let refused = |error, text| Refused(format!("'{text}' of {}: {error}", instrument.symbol));
    let price =
        parse_fixed(price.as_bytes(), instrument.price_decimals).map_err(|error| refused(error, price))?;
    let mantissa =
        parse_fixed(qty.as_bytes(), instrument.qty_decimals).map_err(|error| refused(error, qty))?;
    let qty = u64::try_from(mantissa).map_err(|_| Refused(format!("the quantity '{qty}' is negative")))?;
    Ok((Price(price), Qty(qty)))
}
