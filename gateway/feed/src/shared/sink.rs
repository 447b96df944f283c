//! The end of the exchange: writes the feed, and hears which books are asked for.

use super::{
    SharedError,
    area::{self, Area, Ring, Sizes, at},
    file::{self, Unnamed},
    name::FeedName,
    table,
};
use crate::{FeedError, FeedSink};
use market::{Event, Instruments, Kind, Nanos, SymbolId};
use rings::broadcast::Writer;
use std::{fs::File, process};

/// How a feed is begun.
#[derive(Debug, Clone, Copy)]
pub struct SinkOptions {
    /// Slots of the ring, an event each: a power of two from 2^10 to 2^26. How far readers may be behind. An exchange event
    /// takes at most a quarter of it, and 2^20.
    pub slots: usize,
    /// A number that no other writer has, by chance.
    pub incarnation: u64,
    /// The real time.
    pub started: Nanos,
}

/// Writes a feed in shared memory. Readers can find it from the moment it is made until it [ends](SharedSink::end).
///
/// Its owner has to [beat](SharedSink::beat) at least every 10 ms: that carries the time, and says that it lives. A writer that is
/// dropped before its end, or killed, leaves a feed that gives no sign of life; the next one takes its place.
#[derive(Debug)]
pub struct SharedSink {
    name: FeedName,
    area: Area,
    ring: Writer<{ Event::WORDS }, Ring>,
    /// How many are in the table.
    instruments: usize,
    beats: u64,
    /// How often it was asked for books, when it last looked.
    asked: u64,
    /// Locked as long as it is open, which nobody else's is.
    _locked: File,
}

impl SharedSink {
    /// Begins a feed of these instruments.
    ///
    /// # Errors
    /// If another process writes it, there is no room for it, or the options cannot be.
    pub fn create(
        name: &FeedName,
        instruments: &Instruments,
        options: SinkOptions,
    ) -> Result<SharedSink, SharedError> {
        let sizes = Sizes::new(options.slots, instruments.len())?;
        let unnamed = Unnamed::create(sizes)?;
        let area = Area::begin(unnamed.file(), name.path(), sizes)?;
        area.store(at::INCARNATION, options.incarnation);
        area.store(at::PROCESS, process::id().into());
        area.store(at::STARTED, options.started.0);
        let instruments = table::append(instruments, 0, &area)?;
        let ring = Writer::new(area.ring());
        let _locked = unnamed.name(&area.path)?;
        Ok(SharedSink { name: name.clone(), area, ring, instruments, beats: 0, asked: 0, _locked })
    }

    /// Appends to the table what `instruments` has more than it. To be called before events of new instruments are pushed.
    ///
    /// # Errors
    /// If there is no room for them; then none is appended.
    pub fn list(&mut self, instruments: &Instruments) -> Result<(), SharedError> {
        self.instruments = table::append(instruments, self.instruments, &self.area)?;
        Ok(())
    }

    /// Tells that nothing with a feed time before `watermark` will follow, and that the writer lives. What was pushed before is
    /// there for whoever sees this.
    pub fn beat(&mut self, watermark: Nanos) {
        self.beats += 1;
        self.area.store(at::WATERMARK, watermark.0);
        self.area.store(at::BEATS, self.beats);
    }

    /// Gives to `f` whose books readers have asked for since the last call. Each is to be pushed soon, between normal events: as
    /// one exchange event, a reset with [`ResetReason::Gap`](market::ResetReason::Gap) and the levels.
    pub fn take_asked(&mut self, f: impl FnMut(SymbolId)) {
        let asked = self.area.load(at::ASKED);
        if asked != self.asked {
            self.asked = asked;
            self.area.take_asked(self.instruments, f);
        }
    }

    /// Ends the feed: who reads it is told so, and nobody finds it any more.
    pub fn end(self) {
        self.area.store(at::STATE, area::ENDED);
        file::remove_own(&self.area);
    }

    fn check(&self, events: &[Event]) -> Result<(), FeedError> {
        let largest = self.area.largest();
        let is_end = |event: &Event| !event.kind.is_numbered() || event.last && !event.partial;
        match events.split_inclusive(is_end).find(|run| run.len() > largest) {
            None => Ok(()),
            Some(run) => Err(FeedError {
                feed: format!("shm:{}", self.name),
                what: format!(
                    "an exchange event of {} events does not fit, it may have {largest} in a ring of {} slots: make it larger",
                    run.len(),
                    self.area.sizes.slots
                ),
            }),
        }
    }
}

impl FeedSink for SharedSink {
    /// Numbered events and gaps are written; time goes by [`SharedSink::beat`], and a reader makes all else itself.
    fn push(&mut self, events: &[Event]) -> Result<(), FeedError> {
        self.check(events)?;
        for event in events {
            if event.kind.is_numbered() || event.kind == Kind::FeedGap {
                self.ring.publish(&event.pack());
            }
        }
        Ok(())
    }
}
