//! An exchange as simple as can be, which writes what happens to a feed.

use feed::{
    FeedSink,
    shared::{FeedName, SharedError, SharedSink, SinkOptions},
};
use market::{
    Event, Instrument, Instruments, Kind, Nanos, Price, Qty, ResetReason, Seq, Side, Status, SymbolId,
};
use std::collections::BTreeMap;

pub type Book = BTreeMap<(bool, i64), u64>;

/// The smallest ring that there is.
pub const SLOTS: usize = 1_024;

pub fn instrument(place: usize) -> Instrument {
    Instrument {
        symbol: format!("S{place}/USDT"),
        venue_symbol: format!("S{place}USDT"),
        price_decimals: 2,
        qty_decimals: 3,
        tick: Price(1),
        lot: Qty(1),
        status: Status::Trading,
    }
}

pub fn instruments(count: usize) -> Instruments {
    Instruments::new((0..count).map(instrument)).unwrap()
}

pub struct Exchange {
    pub sink: SharedSink,
    pub books: Vec<Book>,
    pub seqs: Vec<Seq>,
    pub now: Nanos,
}

impl Exchange {
    /// Opens all its books at once.
    pub fn open(name: &FeedName, incarnation: u64, symbols: usize) -> Result<Exchange, SharedError> {
        let options = SinkOptions { slots: SLOTS, incarnation, started: Nanos(incarnation) };
        let sink = SharedSink::create(name, &instruments(symbols), options)?;
        let mut exchange =
            Exchange { sink, books: vec![Book::new(); symbols], seqs: vec![0; symbols], now: Nanos(1_000) };
        (0..symbols).for_each(|symbol| exchange.write_book(symbol, ResetReason::Feed));
        exchange.beat();
        Ok(exchange)
    }

    pub fn list(&mut self) {
        self.books.push(Book::new());
        self.seqs.push(0);
        self.sink.list(&instruments(self.books.len())).unwrap();
        self.write_book(self.books.len() - 1, ResetReason::Feed);
    }

    /// Lets these levels be so, in one exchange event; what is pushed of it is only its first `pushed` events.
    pub fn change(&mut self, symbol: usize, levels: &[(bool, i64, u64)], pushed: usize) {
        let mut run = Vec::new();
        for &(ask, price, qty) in levels {
            match qty {
                0 => _ = self.books[symbol].remove(&(ask, price)),
                _ => _ = self.books[symbol].insert((ask, price), qty),
            }
            run.push(self.event(symbol, level(ask, price, qty)));
        }
        self.push(run, pushed);
    }

    /// Something happens that never reaches the feed.
    pub fn lose(&mut self, symbol: usize) {
        self.seqs[symbol] += 1;
        self.books[symbol].insert((false, 1), self.seqs[symbol]);
    }

    pub fn write_book(&mut self, symbol: usize, reason: ResetReason) {
        let mut run = vec![self.event(symbol, Event::reset(SymbolId(0), reason))];
        for ((ask, price), qty) in self.books[symbol].clone() {
            run.push(self.event(symbol, level(ask, price, qty)));
        }
        self.push(run, usize::MAX);
    }

    /// Answers who asked for books; how many were asked for.
    pub fn answer(&mut self) -> usize {
        let mut asked = Vec::new();
        self.sink.take_asked(|symbol| asked.push(symbol.index()));
        asked.iter().for_each(|&symbol| self.write_book(symbol, ResetReason::Gap));
        asked.len()
    }

    pub fn beat(&mut self) {
        self.now.0 += 10;
        self.sink.beat(self.now);
    }

    fn event(&mut self, symbol: usize, event: Event) -> Event {
        self.seqs[symbol] += 1;
        let (seq, symbol) = (self.seqs[symbol], SymbolId(symbol as u32));
        Event { symbol, seq, timestamp: self.now, engine: self.now, ingest: self.now, ..event }
    }

    fn push(&mut self, mut run: Vec<Event>, pushed: usize) {
        self.now.0 += 1;
        run.last_mut().unwrap().last = true;
        run.truncate(pushed);
        self.sink.push(&run).unwrap();
    }
}

fn level(ask: bool, price: i64, qty: u64) -> Event {
    let side = if ask { Side::Ask } else { Side::Bid };
    Event { side, price: Price(price), qty: Qty(qty), ..Event::new(Kind::Level) }
}
