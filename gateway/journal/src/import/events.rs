//! The second pass over captures: makes events of what they say.

use super::{
    at::At,
    depth_book::Written,
    error::Refused,
    message::{BookMessage, Content, Pass, Trade},
    number::Number,
    rules::Rules,
    sync::{BookSync, Outlet},
    tally::Tally,
};
use market::{Event, Instrument, Instruments, Kind, Nanos, Price, Qty, Side, SymbolId};

/// All markets of the captures.
pub(super) struct Markets {
    rules: &'static Rules,
    list: Vec<Market>,
    /// How the levels of the present message are written.
    written: Vec<Written>,
}

struct Market {
    book: BookSync,
    /// The file that its changes come from.
    file: Option<usize>,
    /// The latest event time seen.
    latest: Option<Nanos>,
    last_trade: Option<u64>,
}

/// A step of the second pass.
pub(super) struct EventPass<'a> {
    pub markets: &'a mut Markets,
    pub instruments: &'a Instruments,
    pub out: &'a mut Vec<Event>,
    pub tally: &'a mut Tally,
    pub at: At<'a>,
    pub received: Nanos,
    symbol: SymbolId,
    begin: usize,
}

impl Markets {
    /// None of the books of `instruments` stands yet.
    pub fn new(rules: &'static Rules, instruments: &Instruments) -> Markets {
        let market = |_| Market { book: BookSync::new(rules), file: None, latest: None, last_trade: None };
        Markets { rules, list: instruments.iter().map(market).collect(), written: Vec::new() }
    }

    /// Takes what the step at `at` says.
    pub fn step<'a>(
        &'a mut self,
        instruments: &'a Instruments,
        at: At<'a>,
        received: Nanos,
        out: &'a mut Vec<Event>,
        tally: &'a mut Tally,
    ) -> EventPass<'a> {
        let begin = out.len();
        EventPass { markets: self, instruments, out, tally, at, received, symbol: SymbolId(0), begin }
    }

    /// At the end of the captures: accounts for what was kept and came to nothing.
    pub fn finish(&mut self, tally: &mut Tally) {
        self.list.iter_mut().for_each(|market| market.book.end(tally));
    }
}

impl Pass for EventPass<'_> {
    fn market(&mut self, name: &str) -> Result<(), Refused> {
        self.symbol = self.instruments.find(name).ok_or_else(|| {
            Refused(format!("{name} was not there when the file was read first: it has changed"))
        })?;
        self.begin = self.out.len();
        self.markets.written.clear();
        Ok(())
    }

    fn level(&mut self, side: Side, price: Number<'_>, qty: Number<'_>) -> Result<(), Refused> {
        if self.markets.rules.checksum.is_some() {
            self.markets.written.push(Written { price: price.written(), qty: qty.written() });
        }
        let (price, qty) = numbers(&self.instruments[self.symbol], price, qty)?;
        self.out.push(Event { side, price, qty, symbol: self.symbol, ..Event::new(Kind::Level) });
        Ok(())
    }

    fn book(&mut self, message: &BookMessage) {
        let market = &mut self.markets.list[self.symbol.index()];
        let time = message.time.or(market.latest).unwrap_or(self.received);
        market.latest = market.latest.max(Some(time));
        if matches!(message.content, Content::Change(_)) {
            market.file = Some(self.at.file);
        }
        let outlet = Outlet {
            instrument: &self.instruments[self.symbol],
            symbol: self.symbol,
            time,
            begin: self.begin,
            out: self.out,
            written: &self.markets.written,
            at: self.at,
            tally: self.tally,
        };
        market.book.take(message, outlet);
    }

    fn trade(&mut self, trade: &Trade<'_>) -> Result<(), Refused> {
        let market = &mut self.markets.list[self.symbol.index()];
        market.latest = market.latest.max(Some(trade.time));
        let number = trade.id.unwrap_or_else(|| market.last_trade.map_or(1, |last| last + 1));
        if market.last_trade.is_some_and(|last| number <= last) {
            self.tally.skip("trade that was seen before or comes late", self.at);
            return Ok(());
        }
        let (price, qty) = numbers(&self.instruments[self.symbol], trade.price, trade.qty)?;
        if qty == Qty::ZERO {
            self.tally.skip("trade of nothing", self.at);
            return Ok(());
        }
        market.last_trade = Some(number);
        self.out.push(Event {
            side: trade.aggressor,
            price,
            qty,
            number,
            last: true,
            ..event(Kind::Trade, self.symbol, trade.time)
        });
        self.tally.trades += 1;
        Ok(())
    }

    fn reconnected(&mut self) {
        for (symbol, instrument) in self.instruments.iter() {
            let market = &mut self.markets.list[symbol.index()];
            if market.file.is_some_and(|file| file != self.at.file) {
                continue;
            }
            market.book.interrupt(Outlet {
                instrument,
                symbol,
                time: market.latest.unwrap_or(self.received),
                begin: self.out.len(),
                out: self.out,
                written: &[],
                at: self.at,
                tally: self.tally,
            });
        }
    }

    fn skip(&mut self, reason: &str, count: usize) {
        self.tally.skip_many(reason, count as u64, || self.at.place());
    }
}

/// An event of `symbol`, which happened at `timestamp`.
pub(super) fn event(kind: Kind, symbol: SymbolId, timestamp: Nanos) -> Event {
    Event { symbol, timestamp, engine: timestamp, ingest: timestamp, ..Event::new(kind) }
}

/// A price and a quantity as an instrument writes them.
fn numbers(instrument: &Instrument, price: Number<'_>, qty: Number<'_>) -> Result<(Price, Qty), Refused> {
    let fixed = |number: Number<'_>, decimals| {
        number.fixed(decimals).map_err(|error| Refused(format!("{number} of {}: {error}", instrument.symbol)))
    };
    let price = fixed(price, instrument.price_decimals)?;
    let mantissa = fixed(qty, instrument.qty_decimals)?;
    let qty = u64::try_from(mantissa).map_err(|_| Refused(format!("the quantity {qty} is negative")))?;
    Ok((Price(price), Qty(qty)))
}
