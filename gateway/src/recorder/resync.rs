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

#[cfg(test)]
mod tests {
    use super::*;
    use book::{Ladder, Mark};
    use market::{Epoch, Level, Price, Qty, Side};
    use rand::{RngExt, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;
    use std::sync::Arc;

    const SYMBOLS: usize = 4;

    /// Exchange events of levels and trades, the last symbol of trades alone, with a tick now and then.
    fn ring(random: &mut Xoshiro256PlusPlus) -> Vec<Event> {
        let mut seqs = [0; SYMBOLS];
        let mut events = Vec::new();
        while events.len() < 300 {
            let time = Nanos(1_000 + events.len() as u64);
            if random.random_ratio(1, 9) {
                events.push(Event::tick(time));
                continue;
            }
            let symbol = random.random_range(0..SYMBOLS);
            let length = random.random_range(1..5);
            for at in 1..=length {
                seqs[symbol] += 1;
                let kind = if symbol + 1 == SYMBOLS || random.random_ratio(1, 4) {
                    Kind::Trade
                } else {
                    Kind::Level
                };
                events.push(Event {
                    symbol: SymbolId(symbol as u32),
                    side: if random.random() { Side::Ask } else { Side::Bid },
                    seq: seqs[symbol],
                    price: Price(random.random_range(0..20)),
                    qty: Qty(random.random_range(0..3)),
                    timestamp: time,
                    number: seqs[symbol] * 7,
                    last: at == length,
                    ..Event::new(kind)
                });
            }
        }
        events
    }

    /// What ingest would answer at a ring position.
    fn image(symbol: usize, events: &[Event], position: u64) -> Image {
        let symbol = SymbolId(symbol as u32);
        let mut books = Books::default();
        let whole = Image {
            symbol,
            ids: Epoch(1).into(),
            levels: (symbol.index() + 1 < SYMBOLS).then(|| Arc::new(Ladder::default())),
            mark: Mark::default(),
            stale: false,
            position,
            feed_time: Nanos(1_000),
        };
        books.install(&whole);
        let before = events[..position as usize].iter().filter(|event| event.symbol == symbol);
        before.for_each(|event| books.apply(event));
        let Some(book) = books.get(symbol) else { return whole };
        let side = |side| book.levels().iter(side).collect::<Vec<Level>>();
        let levels = Ladder { bids: side(Side::Bid), asks: side(Side::Ask) };
        let (seq, timestamp, venue_seq) = (book.seq(), book.timestamp(), book.venue_seq());
        let mark = Mark { seq, timestamp, venue_seq, ..Mark::default() };
        Image { levels: whole.levels.map(|_| Arc::new(levels)), mark, ..whole }
    }

    #[test]
    fn images_of_different_moments_and_what_follows_them_are_the_books_of_one_moment() {
        for seed in 0..300 {
            let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
            let ring = ring(&mut random);
            let begin = random.random_range(0..100);
            let mut resync = Resync::new(GapReason::Lagged, begin as u64, SYMBOLS);
            // Ingest answers at ends of exchange events, behind what was asked for at `begin`.
            let ends: Vec<usize> = (begin..200)
                .filter(|&at| at == 0 || ring[at - 1].last || ring[at - 1].kind == Kind::Tick)
                .collect();
            let mut images: Vec<(usize, usize)> =
                (0..SYMBOLS).map(|symbol| (ends[random.random_range(0..ends.len())], symbol)).collect();
            images.sort_unstable();
            let (mut read, mut events) = (begin, Vec::new());
            let whole_at = loop {
                // All that was answered before the head that a turn sees is installed before it reads up to there.
                let head = (read + random.random_range(0..40)).min(ring.len());
                images.retain(|&(position, symbol)| {
                    let answered = position <= head;
                    if answered {
                        resync.install(image(symbol, &ring, position as u64));
                    }
                    !answered
                });
                events.extend_from_slice(&ring[read..head]);
                read = head;
                if resync.take(&mut events, read as u64) {
                    break read;
                }
                assert!(read < ring.len(), "seed {seed}: it never knows all");
            };
            assert_eq!(resync.missed(), whole_at as u64, "seed {seed}");
            let (books, _) = resync.finish();
            for symbol in 0..SYMBOLS {
                let id = SymbolId(symbol as u32);
                let mut wanted = Books::default();
                wanted.install(&image(symbol, &ring, whole_at as u64));
                let told = |books: &Books| {
                    books.get(id).map(|book| {
                        let side = |side| book.levels().iter(side).collect::<Vec<Level>>();
                        (book.seq(), book.stands(), side(Side::Bid), side(Side::Ask))
                    })
                };
                assert_eq!(told(&books), told(&wanted), "seed {seed}, symbol {symbol}");
            }
        }
    }
}
