//! Recordings for other tools: what a run holds, in the files that those read.
//!
//! One walk serves all. It reads a run, or a range of its feed time, with the books beside it, and tells a sink exchange event by exchange event
//! what became of each book; the sinks (`csv`, `dbn`, `parquet`) know nothing of recordings, and write into a folder whose files have
//! their names only when all of them are whole (`folder`).

mod csv;
mod dbn;
mod error;
mod folder;
#[cfg(feature = "parquet")]
mod parquet;
mod sink;
mod tally;
mod target;

pub use error::ExportError;
pub use tally::{LeftOut, Tally};
pub use target::{Target, TargetError};

use crate::{Batch, Books, Moment, Playback, Recording};
use book::Levels;
use market::{Event, Instruments, Kind, Nanos, SymbolId};
use sink::{Plan, Sink, Step, Told};
use std::{
    collections::{BTreeSet, HashMap},
    path::{Path, PathBuf},
};

/// What of a recording is exported, and how.
#[derive(Debug, Clone)]
pub struct ExportOptions {
    /// The run; the newest that holds events if it is left out.
    pub run: Option<u32>,
    /// From which feed time on: the books as they stood then come first. From the beginning if it is left out.
    pub from: Option<Nanos>,
    /// Up to which feed time, that included. To the end as it is now if it is left out: the recording may be growing.
    pub until: Option<Nanos>,
    /// Only these symbols, by either of their names; all if there are none.
    pub symbols: Vec<String>,
    /// What stands for the exchange where a format names one.
    pub exchange: String,
    /// Whether files that are there are replaced.
    pub overwrite: bool,
}

impl Default for ExportOptions {
    /// All of the newest run; nothing is replaced.
    fn default() -> ExportOptions {
        ExportOptions {
            run: None,
            from: None,
            until: None,
            symbols: Vec::new(),
            exchange: "depthcast".to_owned(),
            overwrite: false,
        }
    }
}

/// An export under way. What it wrote so far is removed if it is dropped before [`Export::finish`].
pub struct Export {
    run: u32,
    playback: Playback,
    instruments: Instruments,
    chosen: BTreeSet<SymbolId>,
    books: Books,
    /// Of books that are being written anew: their levels before that.
    before: HashMap<SymbolId, Levels>,
    /// Nothing is told as of an earlier feed time: the books as they stood then come first.
    from: Nanos,
    sink: Box<dyn Sink>,
    tally: Tally,
    events: u64,
}

impl Export {
    /// Prepares to write what the recording in `dir` holds into the folder `out`, which is made if it is not there.
    ///
    /// # Errors
    /// If there is no such recording or symbol in it or nothing in the range, or if a file is there and may not be replaced.
    pub fn open(
        dir: &Path,
        target: Target,
        out: &Path,
        options: &ExportOptions,
    ) -> Result<Export, ExportError> {
        let recording = Recording::open(dir)?;
        let run = options.run.map_or_else(|| recording.newest(), Ok)?;
        let (from, until) = range(&recording, run, options)?;
        let instruments = recording.at(run, Moment::Time(until))?.reader.instruments().clone();
        let chosen = chosen(&instruments, &options.symbols)?;
        let position = match options.from {
            Some(_) => recording.at(run, Moment::Time(from))?,
            None => recording.beginning(run)?,
        };
        let plan = Plan {
            instruments: &instruments,
            chosen: &chosen,
            epoch: position.reader.epoch(),
            from,
            until,
            exchange: &options.exchange,
        };
        let sink = target.open(out, options.overwrite, &plan)?;
        let playback = Playback::new(position, until);
        Ok(Export {
            run,
            playback,
            instruments,
            chosen,
            books: Books::default(),
            before: HashMap::new(),
            from,
            sink,
            tally: Tally::default(),
            events: 0,
        })
    }

    /// The number of the run that is exported.
    pub fn run(&self) -> u32 {
        self.run
    }

    /// How many events were read so far, be they of a chosen symbol or not.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// Goes a little further; whether there is more.
    ///
    /// # Errors
    /// If the recording is damaged there, or something cannot be written, or not in this format.
    pub fn step(&mut self) -> Result<bool, ExportError> {
        let Some(batch) = self.playback.next()? else { return Ok(false) };
        let Batch { events, ends, .. } = batch;
        let mut begin = 0;
        for (end, feed_time) in ends {
            self.take(&events[begin..end], feed_time)?;
            begin = end;
        }
        self.events += begin as u64;
        Ok(true)
    }

    /// Gives the files their names, after the last step; what was written, and what was left out.
    ///
    /// # Errors
    /// If the disk does not take it.
    pub fn finish(self) -> Result<(Vec<PathBuf>, Tally), ExportError> {
        let files = self.sink.finish()?;
        Ok((files, self.tally))
    }

    /// Takes an exchange event, or a status.
    fn take(&mut self, events: &[Event], feed_time: Nanos) -> Result<(), ExportError> {
        let Some(&last) = events.last() else { return Ok(()) };
        let is_of_symbol = last.kind.is_numbered() || matches!(last.kind, Kind::FeedGap | Kind::Crossed);
        if !is_of_symbol || !self.chosen.contains(&last.symbol) {
            return Ok(());
        }
        let symbol = last.symbol;
        let is_reset = events.iter().any(|event| event.kind == Kind::Reset);
        if is_reset && !self.before.contains_key(&symbol) {
            let stood = self.books.get(symbol).filter(|book| book.stands());
            self.before.insert(symbol, stood.map(|book| book.levels().clone()).unwrap_or_default());
        }
        events.iter().for_each(|event| self.books.apply(event));
        let book = self.books.get(symbol);
        let stands = book.is_some_and(|book| book.stands());
        let before = if stands { self.before.remove(&symbol) } else { None };
        let step = match &before {
            Some(before) => Step::Anew { before },
            None if stands && events.iter().any(|event| event.kind == Kind::Level) => Step::Changed,
            None => Step::Same,
        };
        let none = Levels::default();
        let told = Told {
            symbol,
            instrument: &self.instruments[symbol],
            feed_time: feed_time.max(self.from),
            events,
            step,
            levels: book.map_or(&none, |book| book.levels()),
        };
        self.sink.take(&told, &mut self.tally)
    }
}

/// The feed time at the first and the last event that is exported.
fn range(recording: &Recording, run: u32, options: &ExportOptions) -> Result<(Nanos, Nanos), ExportError> {
    let contents = recording.contents()?;
    let found = contents.iter().find(|contents| contents.run == run);
    let (first, last) = found.and_then(|contents| contents.times).ok_or_else(|| ExportError::NoRun {
        run,
        held: contents
            .iter()
            .filter(|contents| contents.times.is_some())
            .map(|contents| contents.run)
            .collect(),
    })?;
    let (from, until) = (options.from.unwrap_or(first), options.until.unwrap_or(last));
    if from > until || from > last || until < first {
        return Err(ExportError::OutOfRange { first, last });
    }
    Ok((from.max(first), until.min(last)))
}

/// The symbols with these names, or all.
fn chosen(instruments: &Instruments, names: &[String]) -> Result<BTreeSet<SymbolId>, ExportError> {
    if names.is_empty() {
        return Ok(instruments.iter().map(|(symbol, _)| symbol).collect());
    }
    let find = |name: &String| {
        instruments.find(name).ok_or_else(|| ExportError::UnknownSymbol {
            name: name.clone(),
            held: instruments.iter().map(|(_, instrument)| instrument.symbol.clone()).collect(),
        })
    };
    names.iter().map(find).collect()
}
