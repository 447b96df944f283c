//! What the walk over a recording tells those that write files.

use super::{ExportError, Tally};
use book::Levels;
use market::{Epoch, Event, Instrument, Instruments, Kind, Nanos, SymbolId};
use std::{collections::BTreeSet, path::PathBuf};

/// Writes files of one format.
pub(super) trait Sink: Send {
    /// Takes an exchange event, or a status, of one symbol.
    fn take(&mut self, told: &Told<'_>, tally: &mut Tally) -> Result<(), ExportError>;

    /// Ends the files and gives them their names.
    fn finish(self: Box<Self>) -> Result<Vec<PathBuf>, ExportError>;
}

/// What will be told.
#[derive(Clone, Copy)]
pub(super) struct Plan<'a> {
    /// All instruments, those that are listed later included.
    pub instruments: &'a Instruments,
    pub chosen: &'a BTreeSet<SymbolId>,
    /// Whose numbering the events carry.
    #[cfg_attr(not(feature = "parquet"), expect(dead_code, reason = "only Parquet has a place for it"))]
    pub epoch: Epoch,
    /// The feed time at the first event, and at the last.
    pub from: Nanos,
    pub until: Nanos,
    pub exchange: &'a str,
}

/// An exchange event, or a status, and the book after it.
pub(super) struct Told<'a> {
    pub symbol: SymbolId,
    pub instrument: &'a Instrument,
    pub feed_time: Nanos,
    /// As recorded.
    pub events: &'a [Event],
    pub step: Step<'a>,
    /// The book after it, if it stands.
    pub levels: &'a Levels,
}

/// What became of the book.
#[derive(Clone, Copy)]
pub(super) enum Step<'a> {
    /// Nothing, or it does not stand.
    Same,
    /// The levels among the events changed it.
    Changed,
    /// It was written anew and stands, maybe after several exchange events; `before` is what stood before that.
    Anew { before: &'a Levels },
}

impl<'a> Told<'a> {
    /// The trades among the events.
    pub fn trades(&self) -> impl Iterator<Item = &'a Event> + use<'a> {
        self.events.iter().filter(|event| event.kind == Kind::Trade)
    }

    /// The levels among the events.
    pub fn changes(&self) -> impl DoubleEndedIterator<Item = &'a Event> + use<'a> {
        self.events.iter().filter(|event| event.kind == Kind::Level)
    }

    /// Its last event, of which there is at least one.
    pub fn last(&self) -> &'a Event {
        &self.events[self.events.len() - 1]
    }

    /// For formats of books and trades alone: a status is left out by its name.
    pub fn tally_status(&self, tally: &mut Tally) {
        match self.last().kind {
            Kind::FeedGap => {
                tally.leave_out("gap, from which on a book is not known until its next snapshot")
            }
            Kind::Crossed => tally.leave_out("note that a book is crossed"),
            _ => {}
        }
    }
}
