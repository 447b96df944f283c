//! All symbols, fed with the event stream.

use crate::{SymbolStats, Trade};
use market::{Event, Kind, Nanos, SymbolId};

/// A moment in the life of a [`Stats`], to ask later what has changed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Revision(u64);

/// What is kept of the trades of all symbols: a function of the events alone, whatever they come in.
///
/// Trades that are not in the event stream are not in it: what was traded before its beginning, during a hole in the feed,
/// or while its reader was lapped by the ring.
pub struct Stats {
    history: usize,
    feed_time: Nanos,
    symbols: Vec<Slot>,
    revision: Revision,
}

/// A symbol; without trades it costs 16 bytes.
#[derive(Default)]
struct Slot {
    changed: Revision,
    stats: Option<Box<SymbolStats>>,
}

impl Stats {
    /// Without a trade yet. `history` is how many closed candles are held of each kept interval of a symbol, from
    /// [`MIN_HISTORY`](crate::MIN_HISTORY) to [`MAX_HISTORY`](crate::MAX_HISTORY); [`SymbolStats::most_bytes`] says what
    /// that takes.
    pub fn new(history: usize) -> Stats {
        Stats { history, feed_time: Nanos::ZERO, symbols: Vec::new(), revision: Revision(0) }
    }

    /// Takes the next event: trades and ticks; the others say nothing here.
    #[inline]
    pub fn event(&mut self, event: &Event) {
        match event.kind {
            Kind::Trade if event.symbol.0 < Event::MAX_SYMBOLS => self.trade(event),
            Kind::Tick => self.feed_time = self.feed_time.max(event.timestamp.min(Nanos::MAX)),
            _ => {}
        }
    }

    fn trade(&mut self, event: &Event) {
        let trade = Trade {
            timestamp: event.timestamp,
            price: event.price,
            qty: event.qty,
            side: event.side,
            id: event.number,
        };
        let index = event.symbol.index();
        if index >= self.symbols.len() {
            self.symbols.resize_with(index + 1, Slot::default);
        }
        self.revision.0 += 1;
        let slot = &mut self.symbols[index];
        slot.changed = self.revision;
        match &mut slot.stats {
            Some(stats) => stats.trade(self.feed_time, &trade),
            none => *none = Some(Box::new(SymbolStats::new(self.history, self.feed_time, &trade))),
        }
    }

    /// The feed time of the last tick: the `now` to read with.
    pub fn feed_time(&self) -> Nanos {
        self.feed_time
    }

    /// What is kept of a symbol; `None` before its first trade.
    pub fn symbol(&self, symbol: SymbolId) -> Option<&SymbolStats> {
        self.symbols.get(symbol.index())?.stats.as_deref()
    }

    /// Where it is now.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// Where it was after the last trade of a symbol; at the beginning if there was none.
    pub fn revision_of(&self, symbol: SymbolId) -> Revision {
        self.symbols.get(symbol.index()).map_or(Revision::default(), |slot| slot.changed)
    }

    /// The symbols that have traded since, in the feed's order. Since the beginning: [`Revision::default`].
    ///
    /// Time alone changes nothing in this sense, though a window moves with it and a candle closes.
    pub fn changed_since(&self, revision: Revision) -> impl Iterator<Item = SymbolId> + '_ {
        let slots = self.symbols.iter().enumerate();
        slots.filter(move |(_, slot)| slot.changed > revision).map(|(at, _)| SymbolId(at as u32))
    }
}
