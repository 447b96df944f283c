//! What happens on a market, as one fixed-size record: the unit of feeds, of the event ring and of recordings.

use crate::{Epoch, Ids, Nanos, Price, Qty, Seq, Side, SymbolId};

/// What an [`Event`] says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// The quantity at `price` on `side` is now `qty`; zero removes the level.
    Level = 0,
    /// `qty` traded at `price`; `side` is the aggressor's, `number` the trade's id.
    Trade = 1,
    /// The book is emptied and written anew by the level events that follow in the same exchange event. It takes a
    /// seq, unless it [restores](ResetReason::restores), and is the first of its exchange event.
    Reset = 2,
    /// Feed time has reached `timestamp`. Of no symbol; takes no seq.
    Tick = 3,
    /// The instrument `symbol` has been appended to the table. Takes no seq.
    Listing = 4,
    /// The venue's numbering of `symbol` has a hole: its book is stale until the next reset. Takes no seq.
    FeedGap = 5,
    /// The book of `symbol` is crossed since its last exchange event. Takes no seq.
    Crossed = 6,
    /// The feed gave neither event nor watermark for too long. Of no symbol; takes no seq.
    FeedStalled = 7,
    /// The feed came to its end. Of no symbol; takes no seq.
    FeedEnded = 8,
    /// A replay goes on elsewhere: feed time is `timestamp` from here on, be it earlier, numbers are of [`Event::jump_ids`], and all
    /// books wait for a reset. Of no symbol; takes no seq.
    Jump = 9,
}

impl Kind {
    const ALL: [Kind; 10] = [
        Kind::Level,
        Kind::Trade,
        Kind::Reset,
        Kind::Tick,
        Kind::Listing,
        Kind::FeedGap,
        Kind::Crossed,
        Kind::FeedStalled,
        Kind::FeedEnded,
        Kind::Jump,
    ];

    /// Whether events of this kind are numbered: part of an exchange event of one symbol.
    pub fn is_numbered(self) -> bool {
        matches!(self, Kind::Level | Kind::Trade | Kind::Reset)
    }
}

/// Why a book was written anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ResetReason {
    /// The book's first appearance, or the venue began it anew.
    Feed = 0,
    /// Recovery after a hole in the venue's numbering.
    Gap = 1,
    /// A recording began its next round.
    Loop = 2,
    /// A recording goes on behind a place where something was not recorded. [Restores](ResetReason::restores) the book.
    Recording = 3,
    /// A recording was entered here. [Restores](ResetReason::restores) the book.
    Seek = 4,
}

impl ResetReason {
    /// The name.
    pub const fn as_str(self) -> &'static str {
        match self {
            ResetReason::Feed => "feed",
            ResetReason::Gap => "gap",
            ResetReason::Loop => "loop",
            ResetReason::Recording => "recording",
            ResetReason::Seek => "seek",
        }
    }

    /// Whether a book that is known from elsewhere is put in place: its reset and its levels all carry the number at which it
    /// stood, and take none themselves. Where `partial` is set on the last of them, it does not stand.
    pub const fn restores(self) -> bool {
        matches!(self, ResetReason::Recording | ResetReason::Seek)
    }
}

/// One event. An **exchange event** (a match, a packet) is a run of numbered events of one symbol, contiguous, of
/// which the last has `last` set; a book may be looked at only there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Event {
    /// What it says; which of the fields below have a meaning follows from it.
    pub kind: Kind,
    /// Bid or ask; of a trade, the aggressor.
    pub side: Side,
    /// Whether the exchange event ends here.
    pub last: bool,
    /// On the events of a reset that was cut into several exchange events because of its size: the book is not whole
    /// yet, more follows.
    pub partial: bool,
    /// Which instrument; below 2^20.
    pub symbol: SymbolId,
    /// Its number. In the ring and in recordings: dense per symbol within the epoch. From a source: the source's own
    /// dense number per symbol, by which holes and repeats are found, or 0 where it has none.
    pub seq: Seq,
    /// The price, in the instrument's decimals.
    pub price: Price,
    /// The quantity, in the instrument's decimals.
    pub qty: Qty,
    /// When it happened, by the venue's clock; of a [`Kind::Tick`], the feed time reached.
    pub timestamp: Nanos,
    /// The real time at which it was **meant** to happen at the exchange, so that a stall counts as latency; in a
    /// replay, the real time at which it was due.
    pub engine: Nanos,
    /// When ingest took it, in real time. Carried as a delay after `engine` of at most [`Event::MAX_INGEST_DELAY`].
    pub ingest: Nanos,
    /// Of a level or a reset, the venue's own number of this change (0: none); of a trade, its id.
    pub number: u64,
}

impl Event {
    /// Words of the packed form.
    pub const WORDS: usize = 7;
    /// How many instruments the packed form can tell apart.
    pub const MAX_SYMBOLS: u32 = 1 << 20;
    /// Longer delays from `engine` to `ingest` are carried as this: 68.7 s.
    pub const MAX_INGEST_DELAY: u64 = (1 << 36) - 1;

    /// An event of `kind` with everything else zero; fill in with struct update syntax.
    pub const fn new(kind: Kind) -> Event {
        Event {
            kind,
            side: Side::Bid,
            last: false,
            partial: false,
            symbol: SymbolId(0),
            seq: 0,
            price: Price(0),
            qty: Qty::ZERO,
            timestamp: Nanos::ZERO,
            engine: Nanos::ZERO,
            ingest: Nanos::ZERO,
            number: 0,
        }
    }

    /// A reset of the book of `symbol`; the levels follow.
    pub const fn reset(symbol: SymbolId, reason: ResetReason) -> Event {
        Event { symbol, qty: Qty(reason as u64), ..Event::new(Kind::Reset) }
    }

    /// A replay goes on at `time`, with numbers of `ids`, because it was moved ([`ResetReason::Seek`]) or began its next round
    /// ([`ResetReason::Loop`]).
    pub const fn jump(time: Nanos, ids: Ids, reason: ResetReason) -> Event {
        let (qty, number, seq) = (Qty(reason as u64), ids.epoch.0, ids.base);
        Event { timestamp: time, qty, number, seq, ..Event::new(Kind::Jump) }
    }

    /// The numbering from a [`Kind::Jump`] on.
    pub const fn jump_ids(&self) -> Ids {
        Ids { epoch: Epoch(self.number), base: self.seq }
    }

    /// "Feed time has reached `time`."
    pub const fn tick(time: Nanos) -> Event {
        Event { timestamp: time, ..Event::new(Kind::Tick) }
    }

    /// Why a [`Kind::Reset`] or a [`Kind::Jump`] happened.
    pub fn reset_reason(&self) -> ResetReason {
        match self.qty.0 {
            1 => ResetReason::Gap,
            2 => ResetReason::Loop,
            3 => ResetReason::Recording,
            4 => ResetReason::Seek,
            _ => ResetReason::Feed,
        }
    }

    /// The event as words, for a ring or a recording.
    ///
    /// Word 0, from the low bit: kind 4, side 1, last 1, partial 1, unused 1, symbol 20, ingest delay 36. Then seq,
    /// price, quantity, timestamp, engine, number.
    ///
    /// # Panics
    /// If the symbol is not below [`Event::MAX_SYMBOLS`].
    pub fn pack(&self) -> [u64; Event::WORDS] {
        assert!(self.symbol.0 < Event::MAX_SYMBOLS, "symbol id out of range");
        let delay = self.ingest.0.saturating_sub(self.engine.0).min(Event::MAX_INGEST_DELAY);
        let head = self.kind as u64
            | (self.side.index() as u64) << 4
            | u64::from(self.last) << 5
            | u64::from(self.partial) << 6
            | u64::from(self.symbol.0) << 8
            | delay << 28;
        [head, self.seq, self.price.0 as u64, self.qty.0, self.timestamp.0, self.engine.0, self.number]
    }

    /// Reads what [`Event::pack`] wrote; `None` if the words are no event.
    pub fn unpack(words: &[u64; Event::WORDS]) -> Option<Event> {
        let head = words[0];
        let engine = Nanos(words[5]);
        Some(Event {
            kind: *Kind::ALL.get((head & 0xF) as usize)?,
            side: if head >> 4 & 1 == 0 { Side::Bid } else { Side::Ask },
            last: head >> 5 & 1 == 1,
            partial: head >> 6 & 1 == 1,
            symbol: SymbolId((head >> 8) as u32 & (Event::MAX_SYMBOLS - 1)),
            seq: words[1],
            price: Price(words[2] as i64),
            qty: Qty(words[3]),
            timestamp: Nanos(words[4]),
            engine,
            ingest: Nanos(engine.0.checked_add(head >> 28)?),
            number: words[6],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn packing_keeps_everything(
            kind in 0usize..Kind::ALL.len(), ask: bool, last: bool, partial: bool, symbol in 0..Event::MAX_SYMBOLS,
            seq: u64, price: i64, qty: u64, timestamp: u64, engine in 0..u64::MAX >> 1,
            delay in 0..=Event::MAX_INGEST_DELAY, number: u64,
        ) {
            let event = Event {
                kind: Kind::ALL[kind],
                side: if ask { Side::Ask } else { Side::Bid },
                last,
                partial,
                symbol: SymbolId(symbol),
                seq,
                price: Price(price),
                qty: Qty(qty),
                timestamp: Nanos(timestamp),
                engine: Nanos(engine),
                ingest: Nanos(engine + delay),
                number,
            };
            prop_assert_eq!(Event::unpack(&event.pack()), Some(event));
        }
    }

    #[test]
    fn kinds_are_numbered_in_their_order() {
        for (i, kind) in Kind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, i);
        }
        assert_eq!(Event::unpack(&[10, 0, 0, 0, 0, 0, 0]), None);
    }

    #[test]
    fn a_longer_ingest_delay_is_carried_as_the_longest() {
        let event = Event { engine: Nanos(5), ingest: Nanos(5 + (1 << 40)), ..Event::new(Kind::Level) };
        let ingest = Event::unpack(&event.pack()).unwrap().ingest;
        assert_eq!(ingest, Nanos(5 + Event::MAX_INGEST_DELAY));
    }

    #[test]
    fn a_jump_says_where_numbers_go_on_and_why() {
        let ids = Ids { epoch: Epoch(u64::MAX - 1), base: 1_767_225_600_000_000 };
        let jump = Event::unpack(&Event::jump(Nanos(7), ids, ResetReason::Loop).pack()).unwrap();
        assert_eq!(
            (jump.timestamp, jump.jump_ids(), jump.reset_reason()),
            (Nanos(7), ids, ResetReason::Loop)
        );
    }

    #[test]
    fn a_reset_keeps_its_reason() {
        let all = [
            ResetReason::Feed,
            ResetReason::Gap,
            ResetReason::Loop,
            ResetReason::Recording,
            ResetReason::Seek,
        ];
        for reason in all {
            assert_eq!(Event::reset(SymbolId(3), reason).reset_reason(), reason);
        }
    }
}
