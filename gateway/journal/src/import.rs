//! Files of real markets as a feed: message logs as they came from a venue's socket, and what vendors sell. They are read twice. The
//! first pass learns the markets and their decimals, and finds everything that cannot be read before anything is made of it; the
//! second yields events.
//!
//! Knows nothing of recordings: whoever runs an import sequences the events and records them.
//!
//! One machine serves all. A source tells step by step what happened in words that are the same for all (`message`), and the pass
//! takes them: `survey`, then `events`, where a market's book is kept by its numbering, its snapshots and its checksums (`sync`).
//! Captures (`messages`) are a source, whose lines are taken apart (`line`), parsed, and read by their venue (`venue/`);
//! Databento's files (`databento`), LOBSTER's (`lobster`) and Tardis' (`tardis`) are others.

mod at;
mod best_levels;
mod capture;
mod compressed;
mod databento;
mod depth_book;
mod error;
mod events;
mod format;
mod json;
mod line;
mod lines;
mod lobster;
mod message;
mod messages;
mod naming;
mod number;
mod rules;
mod source;
mod survey;
mod sync;
mod table;
mod tally;
mod tardis;
mod venue;

pub use error::{ImportError, Place};
pub use format::{Format, FormatError};
pub use tally::{Skipped, Tally};

use at::At;
use events::Markets;
use feed::{FeedError, FeedSource, FeedState, FeedStatus};
use market::{Epoch, Event, Instruments, Kind, Nanos};
use source::{Source, Step};
use std::{
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
};
use survey::Survey;

/// A poll ends at the first step beyond so many events.
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
    source: Box<dyn Source>,
    paths: Vec<Arc<Path>>,
    /// The latest step.
    present: Option<Step>,
    markets: Markets,
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
        let mut source = format.open(files)?;
        let paths: Vec<Arc<Path>> = files.iter().map(|file| file.as_path().into()).collect();
        let mut survey = Survey::new(source.rules(), files);
        while let Some(step) = source.advance()? {
            let at = At::new(step, &paths);
            source.tell(&mut survey.step(at)).map_err(|refused| refused.at(at))?;
        }
        let instruments = survey.finish(renames)?;
        source.rewind()?;
        let first = files.first().map(PathBuf::as_path).unwrap_or(Path::new(""));
        Ok(Import {
            feed: format!("import:{}", first.display()),
            markets: Markets::new(source.rules(), &instruments),
            source,
            paths,
            present: None,
            instruments,
            tally: Tally::default(),
            watermark: Nanos::ZERO,
        })
    }

    /// What was taken and what was left out so far.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Takes the next step; whether there was one.
    fn step(&mut self, out: &mut Vec<Event>) -> Result<bool, ImportError> {
        let next = self.source.advance()?;
        self.present = next.or(self.present);
        let Some(step) = self.present else { return Ok(false) };
        let at = At::new(step, &self.paths);
        let mut pass = self.markets.step(&self.instruments, at, step.received, out, &mut self.tally);
        if next.is_some() {
            self.source.tell(&mut pass).map_err(|refused| refused.at(at))?;
        } else {
            self.source.end(&mut pass);
            self.markets.finish(&mut self.tally);
        }
        Ok(next.is_some())
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
            let begin = out.len();
            let more = self
                .step(out)
                .map_err(|error| FeedError { feed: self.feed.clone(), what: error.to_string() })?;
            if !more {
                break;
            }
            let gap = out[begin..].iter().any(|event| event.kind == Kind::FeedGap);
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
