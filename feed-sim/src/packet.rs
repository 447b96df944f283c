//! Writes exchange events: gives each event its number and its times, and marks the last one.

use market::{Event, Kind, Level, Nanos, Price, Qty, ResetReason, Seq, Side, SymbolId};

/// The venue's numbering: dense for each symbol, events and trades apart.
#[derive(Debug)]
pub(crate) struct Numbering(Vec<Counters>);

#[derive(Debug, Clone, Default)]
struct Counters {
    seq: Seq,
    trade: u64,
}

/// The two times of what happens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stamp {
    /// By the venue's clock.
    pub timestamp: Nanos,
    /// The real time at which it was meant to happen.
    pub engine: Nanos,
}

/// One exchange event in the making. To be closed by [`Packet::finish`].
pub(crate) struct Packet<'a> {
    out: &'a mut Vec<Event>,
    start: usize,
    counters: &'a mut Counters,
    symbol: SymbolId,
    stamp: Stamp,
}

impl Numbering {
    pub fn new(symbols: usize) -> Numbering {
        Numbering(vec![Counters::default(); symbols])
    }

    /// Begins an exchange event of `symbol` at the end of `out`.
    pub fn packet<'a>(&'a mut self, symbol: SymbolId, stamp: Stamp, out: &'a mut Vec<Event>) -> Packet<'a> {
        Packet { start: out.len(), out, counters: &mut self.0[symbol.index()], symbol, stamp }
    }
}

impl Packet<'_> {
    /// The book is emptied; its levels have to follow.
    pub fn reset(&mut self, reason: ResetReason) {
        self.push(Event::reset(self.symbol, reason));
    }

    /// The quantity at a level is now this.
    pub fn level(&mut self, side: Side, level: Level) {
        self.push(Event { side, price: level.price, qty: level.qty, ..Event::new(Kind::Level) });
    }

    /// Something traded.
    pub fn trade(&mut self, aggressor: Side, price: Price, qty: Qty) {
        self.counters.trade += 1;
        let number = self.counters.trade;
        self.push(Event { side: aggressor, price, qty, number, ..Event::new(Kind::Trade) });
    }

    /// Ends the exchange event; returns how many events it has.
    pub fn finish(self) -> usize {
        if let Some(last) = self.out[self.start..].last_mut() {
            last.last = true;
        }
        self.out.len() - self.start
    }

    fn push(&mut self, event: Event) {
        self.counters.seq += 1;
        let Stamp { timestamp, engine } = self.stamp;
        let (symbol, seq) = (self.symbol, self.counters.seq);
        self.out.push(Event { symbol, seq, timestamp, engine, ingest: engine, ..event });
    }
}
