//! The books behind a gap: images that come one by one, each of another ring position, carried on by the events since until all
//! are there.

use book::Image;
use journal::{Books, GapReason};
use market::{Event, Kind, Nanos, SymbolId};

/// What is known of the books so far.
pub(super) struct Resync {
    reason: GapReason,
    missed: u64,
    books: Books,
    /// For each symbol, the ring position from which events are applied; `None` while it has no image.
    applies_from: Vec<Option<u64>>,
    /// Symbols without an image.
    awaited: usize,
    feed_time: Nanos,
}

impl Resync {
    pub(super) fn new(reason: GapReason, missed: u64, symbols: usize) -> Resync {
        Resync {
            reason,
            missed,
            books: Books::default(),
            applies_from: vec![None; symbols],
            awaited: symbols,
            feed_time: Nanos::ZERO,
        }
    }

    pub(super) fn reason(&self) -> GapReason {
        self.reason
    }

    /// How many events are not recorded.
    pub(super) fn missed(&self) -> u64 {
        self.missed
    }

    pub(super) fn install(&mut self, image: Image) {
        let Some(place) = self.applies_from.get_mut(image.symbol.index()) else { return };
        self.awaited -= usize::from(place.is_none());
        *place = Some(image.position);
        self.feed_time = self.feed_time.max(image.feed_time);
        self.books.install(&image);
    }

    /// Applies events, the last of which stands before the ring position `end`. Whether all books are known there, at the end of an
    /// exchange event.
    pub(super) fn take(&mut self, events: &mut Vec<Event>, end: u64) -> bool {
        let first = end - events.len() as u64;
        for (at, event) in events.iter().enumerate() {
            let position = first + at as u64;
            match event.kind {
                // A symbol that is new has no book yet: what follows is all there is of it.
                Kind::Listing => self.list(event.symbol, position),
                Kind::Tick => self.feed_time = self.feed_time.max(event.timestamp),
                _ if self.applies(event.symbol, position) => self.books.apply(event),
                _ => {}
            }
            if event.kind.is_numbered() {
                self.feed_time = self.feed_time.max(event.timestamp);
            }
        }
        let ends_whole = events.last().is_none_or(|event| event.last || !event.kind.is_numbered());
        self.missed += events.len() as u64;
        events.clear();
        let newest = self.applies_from.iter().flatten().max();
        self.awaited == 0 && ends_whole && newest.is_none_or(|&newest| newest <= end)
    }

    fn applies(&self, symbol: SymbolId, position: u64) -> bool {
        let from = self.applies_from.get(symbol.index()).copied().flatten();
        from.is_some_and(|from| position >= from)
    }

    fn list(&mut self, symbol: SymbolId, position: u64) {
        if symbol.index() >= self.applies_from.len() {
            self.applies_from.resize(symbol.index() + 1, Some(position));
        }
    }

    /// The books, and the feed time at which they stand.
    pub(super) fn finish(self) -> (Books, Nanos) {
        (self.books, self.feed_time)
    }
}
