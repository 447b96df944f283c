//! The books of a run as they stand, kept beside its events: written down now and then, so that a recording can be read from
//! its middle. Knows nothing of files.
//!
//! A set of books is one or more blocks with nothing between them. The payload of each:
//!
//! | field | as |
//! |---|---|
//! | place in the set of the first book | integer |
//! | books in the whole set | integer |
//! | for each book of the block | symbol, state, seq, timestamp, venue's number, bytes of its levels: integers |
//! | for each book of the block | its bids, then its asks, best first: how many, then of each the price as its difference from the one before and the quantity |
//!
//! Integers are as in [`crate::codec`].

use crate::codec::{push_difference, push_varint, take_difference, take_varint};
use book::{Image, Ladder, Levels, Mark};
use market::{Event, Kind, Level, Nanos, Price, Qty, ResetReason, Seq, Side, SymbolId};

/// A block of books is closed at the first book beyond this many bytes.
const TARGET: usize = 256 << 10;

/// The most levels that a side of a book may have to be written down.
pub(crate) const MAX_LEVELS: usize = 1 << 20;

/// The books of all symbols.
#[derive(Debug, Clone, Default)]
pub struct Books(Vec<Standing>);

/// The book of one symbol at one moment.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    levels: Levels,
    state: State,
    stale: bool,
    seq: Seq,
    timestamp: Nanos,
    venue_seq: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    /// It has not begun.
    #[default]
    Absent = 0,
    /// A reset has begun and goes on in the next exchange event.
    Resetting = 1,
    /// It is whole.
    Whole = 2,
}

/// Beside the state in its byte: events of this book are missing.
const STALE: u64 = 1 << 2;

impl Standing {
    /// Whether the book is whole, be it that events are missing since.
    pub fn stands(&self) -> bool {
        self.state == State::Whole
    }

    /// Whether events are missing: it waits for a reset.
    pub fn is_stale(&self) -> bool {
        self.stale
    }

    /// The number of the last event of the symbol; 0 before the first.
    pub fn seq(&self) -> Seq {
        self.seq
    }

    /// When the last event happened, by the venue's clock.
    pub fn timestamp(&self) -> Nanos {
        self.timestamp
    }

    /// The venue's own number of the last change; 0 is none.
    pub fn venue_seq(&self) -> u64 {
        self.venue_seq
    }

    /// Its present levels.
    pub fn levels(&self) -> &Levels {
        &self.levels
    }

    fn apply(&mut self, event: &Event) {
        match event.kind {
            Kind::Reset => {
                self.levels.clear();
                self.state = State::Resetting;
            }
            Kind::Level => drop(self.levels.set(event.side, event.price, event.qty)),
            Kind::FeedGap => return self.stale = true,
            Kind::Trade => {}
            _ => return,
        }
        self.seq = event.seq;
        self.timestamp = event.timestamp;
        if event.kind != Kind::Trade {
            self.venue_seq = event.number;
        }
        if event.last && !event.partial && self.state == State::Resetting {
            (self.state, self.stale) = (State::Whole, false);
        }
    }

    fn restore(&mut self, image: &Image) {
        let Mark { seq, timestamp, venue_seq, .. } = image.mark;
        *self = Standing { stale: image.stale, seq, timestamp, venue_seq, ..Standing::default() };
        if let Some(levels) = &image.levels {
            self.state = State::Whole;
            Side::BOTH.iter().for_each(|&side| self.levels.replace(side, levels.side(side)));
        }
    }

    /// Whether there is nothing to write down: it is as in a recording that has just begun.
    fn is_untouched(&self) -> bool {
        self.seq == 0 && self.state == State::Absent && !self.stale
    }

    fn is_same(&self, other: &Standing) -> bool {
        let of = |it: &Standing| (it.state, it.stale, it.seq, it.timestamp, it.venue_seq);
        let levels = |it: &Standing, side| it.levels.iter(side).collect::<Vec<_>>();
        of(self) == of(other) && Side::BOTH.iter().all(|&side| levels(self, side) == levels(other, side))
    }
}

impl Books {
    /// The book of a symbol, if anything was ever said of it.
    pub fn get(&self, symbol: SymbolId) -> Option<&Standing> {
        self.0.get(symbol.index()).filter(|book| !book.is_untouched())
    }

    /// Each book of which anything was said.
    pub fn iter(&self) -> impl Iterator<Item = (SymbolId, &Standing)> {
        let all = self.0.iter().enumerate().map(|(at, book)| (SymbolId(at as u32), book));
        all.filter(|(_, book)| !book.is_untouched())
    }

    /// Takes an event whose symbol is in the instrument table, which bounds the memory. What is of no symbol changes nothing.
    pub fn apply(&mut self, event: &Event) {
        if event.kind.is_numbered() || event.kind == Kind::FeedGap {
            self.of(event.symbol).apply(event);
        }
    }

    /// Takes a book from elsewhere, whose symbol is in the instrument table.
    pub fn install(&mut self, image: &Image) {
        self.of(image.symbol).restore(image);
    }

    /// How many symbols there may be books of: one more than the highest.
    pub(crate) fn symbols(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The first symbol whose book differs.
    pub(crate) fn difference(&self, other: &Books) -> Option<SymbolId> {
        let untouched = Standing::default();
        let of = |books: &Books, at: usize| books.0.get(at).unwrap_or(&untouched).clone();
        let symbols = self.0.len().max(other.0.len());
        (0..symbols).find(|&at| !of(self, at).is_same(&of(other, at))).map(|at| SymbolId(at as u32))
    }

    /// Appends the events that put these books in place, each an exchange event of its own.
    pub(crate) fn push_restoration(&self, reason: ResetReason, out: &mut Vec<Event>) {
        for (symbol, book) in self.iter() {
            let Standing { seq, timestamp, venue_seq: number, .. } = *book;
            let begin = Event { seq, timestamp, number, ..Event::reset(symbol, reason) };
            out.push(begin);
            for side in Side::BOTH {
                let level = Event { side, ..Event { kind: Kind::Level, ..begin } };
                out.extend(book.levels.iter(side).map(|Level { price, qty }| Event { price, qty, ..level }));
            }
            if let Some(last) = out.last_mut() {
                (last.last, last.partial) = (true, !book.stands());
            }
            if book.stale {
                out.push(Event { symbol, timestamp, ..Event::new(Kind::FeedGap) });
            }
        }
    }

    /// Whether all of them can be written down.
    pub(crate) fn are_writable(&self) -> bool {
        self.0.iter().all(|book| Side::BOTH.iter().all(|&side| book.levels.len(side) <= MAX_LEVELS))
    }

    /// Calls `block` with the payload of each block of the set and how many books it holds; not at all if there is none.
    pub(crate) fn write(&self, mut block: impl FnMut(&[u8], u32)) {
        let total = self.iter().count();
        let (mut directory, mut levels, mut payload) = (Vec::new(), Vec::new(), Vec::new());
        let (mut first, mut count) = (0, 0);
        for (at, (symbol, book)) in self.iter().enumerate() {
            let before = levels.len();
            Side::BOTH.iter().for_each(|&side| push_levels(&mut levels, &book.levels, side));
            let state = book.state as u64 | if book.stale { STALE } else { 0 };
            let length = (levels.len() - before) as u64;
            for value in [u64::from(symbol.0), state, book.seq, book.timestamp.0, book.venue_seq, length] {
                push_varint(&mut directory, value);
            }
            count += 1;
            if levels.len() + directory.len() >= TARGET || at + 1 == total {
                payload.clear();
                push_varint(&mut payload, first);
                push_varint(&mut payload, total as u64);
                payload.append(&mut directory);
                payload.append(&mut levels);
                block(&payload, count);
                (first, count) = (at as u64 + 1, 0);
            }
        }
    }

    fn of(&mut self, symbol: SymbolId) -> &mut Standing {
        let at = symbol.index();
        if at >= self.0.len() {
            self.0.resize_with(at + 1, Standing::default);
        }
        &mut self.0[at]
    }
}

/// Where a block of books stands in its set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    /// The place of its first book.
    pub first: u64,
    /// How many books it holds.
    pub count: u64,
    /// How many the whole set holds.
    pub total: u64,
}

impl Part {
    /// Whether it is the last of its set.
    pub fn is_last(&self) -> bool {
        self.first + self.count == self.total
    }
}

/// What a block says of a book besides its levels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub symbol: SymbolId,
    pub seq: Seq,
    state: u64,
    timestamp: u64,
    venue_seq: u64,
    length: u64,
}

/// Reads what stands before the levels. `None` if the bytes are no such block.
pub(crate) fn directory(payload: &mut &[u8], count: u32, symbols: usize) -> Option<(Part, Vec<Entry>)> {
    let part = Part { first: take_varint(payload)?, total: take_varint(payload)?, count: u64::from(count) };
    if part.first.checked_add(part.count)? > part.total {
        return None;
    }
    let mut entries = Vec::new();
    for _ in 0..count {
        let symbol = SymbolId(u32::try_from(take_varint(payload)?).ok()?);
        let entry = Entry {
            symbol,
            state: take_varint(payload)?,
            seq: take_varint(payload)?,
            timestamp: take_varint(payload)?,
            venue_seq: take_varint(payload)?,
            length: take_varint(payload)?,
        };
        if symbol.index() >= symbols {
            return None;
        }
        entries.push(entry);
    }
    Some((part, entries))
}

/// Reads a block into `books`. `None` if the bytes are no such block.
pub(crate) fn read(mut payload: &[u8], count: u32, symbols: usize, books: &mut Books) -> Option<Part> {
    let (part, entries) = directory(&mut payload, count, symbols)?;
    for entry in entries {
        let (mut bytes, rest) = payload.split_at_checked(usize::try_from(entry.length).ok()?)?;
        payload = rest;
        *books.of(entry.symbol) = standing(&entry, &mut bytes)?;
        if !bytes.is_empty() {
            return None;
        }
    }
    payload.is_empty().then_some(part)
}

fn standing(entry: &Entry, bytes: &mut &[u8]) -> Option<Standing> {
    let state = match entry.state & !STALE {
        0 => State::Absent,
        1 => State::Resetting,
        2 => State::Whole,
        _ => return None,
    };
    let mut levels = Levels::default();
    let mut ladder = Ladder::default();
    take_levels(bytes, &mut ladder.bids, Side::Bid)?;
    take_levels(bytes, &mut ladder.asks, Side::Ask)?;
    Side::BOTH.iter().for_each(|&side| levels.replace(side, ladder.side(side)));
    Some(Standing {
        levels,
        state,
        stale: entry.state & STALE != 0,
        seq: entry.seq,
        timestamp: Nanos(entry.timestamp),
        venue_seq: entry.venue_seq,
    })
}

fn push_levels(out: &mut Vec<u8>, levels: &Levels, side: Side) {
    push_varint(out, levels.len(side) as u64);
    let mut before = 0;
    for Level { price, qty } in levels.iter(side) {
        push_difference(out, price.0 as u64, before);
        push_varint(out, qty.0);
        before = price.0 as u64;
    }
}

fn take_levels(bytes: &mut &[u8], out: &mut Vec<Level>, side: Side) -> Option<()> {
    // Each takes a byte at least, which bounds the memory.
    let (count, mut before) = (take_varint(bytes)?, 0);
    for _ in 0..count {
        let price = Price(take_difference(bytes, before)? as i64);
        let qty = Qty(take_varint(bytes)?);
        let is_behind = out.last().is_none_or(|best| match side {
            Side::Bid => price < best.price,
            Side::Ask => price > best.price,
        });
        if !is_behind || qty.is_zero() {
            return None;
        }
        before = price.0 as u64;
        out.push(Level { price, qty });
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn event() -> impl Strategy<Value = Event> {
        let kind = prop_oneof![
            20 => Just(Kind::Level), 2 => Just(Kind::Trade), 1 => Just(Kind::Reset), 1 => Just(Kind::FeedGap)
        ];
        (kind, any::<[bool; 3]>(), 0..5u32, any::<i64>(), 0..4u64, any::<[u64; 3]>()).prop_map(
            |(kind, [ask, last, partial], symbol, price, qty, [seq, timestamp, number])| Event {
                side: if ask { Side::Ask } else { Side::Bid },
                last,
                partial,
                symbol: SymbolId(symbol),
                price: Price(price),
                qty: Qty(qty * qty * 1_000_003),
                seq,
                timestamp: Nanos(timestamp),
                number,
                ..Event::new(kind)
            },
        )
    }

    proptest! {
        #[test]
        fn books_are_read_as_they_were_written(events in proptest::collection::vec(event(), 0..200)) {
            let mut books = Books::default();
            events.iter().for_each(|event| books.apply(event));
            let mut back = Books::default();
            let mut parts = Vec::new();
            books.write(|payload, count| parts.push(read(payload, count, 5, &mut back).expect("just written")));
            prop_assert_eq!(books.difference(&back), None);
            prop_assert!(parts.last().is_none_or(Part::is_last));
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>, count in 0..9u32) {
            let _ = read(&bytes, count, 5, &mut Books::default());
        }
    }

    #[test]
    fn a_large_set_is_several_blocks() {
        let mut books = Books::default();
        for symbol in 0..3 {
            for price in 0..60_000 {
                let level = Event {
                    symbol: SymbolId(symbol),
                    price: Price(price),
                    qty: Qty(1 << 40),
                    ..Event::new(Kind::Level)
                };
                books.apply(&Event { seq: price as u64 + 1, ..level });
            }
        }
        let (mut back, mut parts) = (Books::default(), Vec::new());
        books.write(|payload, count| parts.push(read(payload, count, 3, &mut back).unwrap()));
        let wanted = |first| Part { first, count: 1, total: 3 };
        assert_eq!(parts, [wanted(0), wanted(1), wanted(2)]);
        assert_eq!(parts.iter().map(Part::is_last).collect::<Vec<_>>(), [false, false, true]);
        assert_eq!(books.difference(&back), None);
    }
}
