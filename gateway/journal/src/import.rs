//! Captures of real venues as a feed: message logs as they came from a socket, read twice. The first pass learns the markets
//! and their decimals, and finds every line that cannot be read before anything is made of it; the second yields events.
//!
//! Knows nothing of recordings: whoever runs an import sequences the events and records them.
//!
//! One machine serves all venues. A line is taken apart (`line`) and parsed, its venue (`venue/`) tells what it says in words
//! that are the same for all (`message`), and the pass takes them: `survey`, then `events`, where a market's book is kept by
//! its numbering, its snapshots and its checksums (`sync`).

mod capture;
mod depth_book;
mod error;
mod events;
mod format;
mod json;
mod line;
mod message;
mod naming;
mod number;
mod rules;
mod survey;
mod sync;
mod tally;
mod venue;

pub use error::{ImportError, Place};
pub use format::{Format, FormatError};
pub use tally::{Skipped, Tally};

use capture::{Captures, Line};
use error::Refused;
use events::Markets;
use feed::{FeedError, FeedSource, FeedState, FeedStatus};
use market::{Epoch, Event, Instruments, Kind, Nanos};
use message::{Message, Pass, Venue};
use rules::{Holes, Rules, Snapshots};
use simd_json::Tape;
use std::{
    path::{Path, PathBuf},
    str::FromStr,
};
use survey::Survey;

/// A poll ends at the first line beyond so many events.
const POLL_BOUND: usize = 4096;

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

/// Captures as a feed. Several files are one stream: their lines are taken in the order in which they were received.
///
/// Each change of a book and each trade is one exchange event, with the venue's event time as its `timestamp` (and its
/// `engine`). It is not paced: a poll yields what comes next.
pub struct Import {
    feed: String,
    captures: Captures,
    reader: Reader,
    markets: Markets,
    instruments: Instruments,
    tally: Tally,
    watermark: Nanos,
}

/// What both passes do with a line.
struct Reader {
    rules: &'static Rules,
    venue: Box<dyn Venue>,
    buffers: simd_json::Buffers,
    /// Room for the next message.
    tape: Tape<'static>,
}

impl Import {
    /// Reads `files` through once and prepares to read them again.
    ///
    /// # Errors
    /// If a file cannot be read or a line not understood, if names clash, or if there is no market at all.
    pub fn open(format: Format, files: &[PathBuf], renames: &[Rename]) -> Result<Import, ImportError> {
        let (rules, venue) = format.parts();
        let mut reader =
            Reader { rules, venue, buffers: simd_json::Buffers::default(), tape: Tape(Vec::new()) };
        let mut survey = Survey::new(rules, files);
        let mut captures = Captures::open(files)?;
        while let Some(line) = captures.next()? {
            let at = line.at;
            reader.read(line, &mut survey.line(at)).map_err(|refused| refused.in_line(at))?;
        }
        let instruments = survey.finish(renames)?;
        if instruments.is_empty() {
            return Err(ImportError::Nothing);
        }
        reader.venue.rewind();
        let first = files.first().map(PathBuf::as_path).unwrap_or(Path::new(""));
        Ok(Import {
            feed: format!("import:{}", first.display()),
            captures: Captures::open(files)?,
            reader,
            markets: Markets::new(rules, &instruments),
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
            self.markets.finish(&mut self.tally);
            return Ok(false);
        };
        let at = line.at;
        let mut pass = self.markets.line(&self.instruments, at, line.received, out, &mut self.tally);
        self.reader.read(line, &mut pass).map_err(|refused| refused.in_line(at))?;
        Ok(true)
    }
}

impl Reader {
    fn read(&mut self, line: Line<'_>, pass: &mut dyn Pass) -> Result<(), Refused> {
        let Some(text) = line.message else {
            pass.skip("connection", 1);
            if line.connects && self.rules.holes == Holes::Hidden {
                pass.reconnected();
            }
            return Ok(());
        };
        if line.url.is_some() && self.rules.snapshots == Snapshots::Pushed {
            pass.skip("answer to a REST request", 1);
            return Ok(());
        }
        let mut tape = std::mem::replace(&mut self.tape, Tape(Vec::new())).reset();
        simd_json::fill_tape(text, &mut self.buffers, &mut tape)
            .map_err(|error| Refused(format!("this is no JSON: {error}")))?;
        let message =
            Message { value: tape.as_value(), received: line.received, url: line.url, file: line.at.file };
        let told = self.venue.read(message, pass);
        self.tape = tape.reset();
        told
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
