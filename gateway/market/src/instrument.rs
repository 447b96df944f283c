//! Instruments, and the table of them that a feed announces.

use crate::{Price, Qty, decimal::MAX_DECIMALS, push_fixed, push_unsigned_fixed};
use std::collections::HashMap;

/// An instrument's place in the feed's table: dense, from 0, append-only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SymbolId(pub u32);

impl SymbolId {
    /// As an index into what is kept per symbol.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Whether an instrument may be traded now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Status {
    /// Trading continuously.
    #[default]
    Trading,
    /// Known, but halted.
    Halted,
}

impl Status {
    /// The word used in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Trading => "trading",
            Status::Halted => "halted",
        }
    }
}

/// What is traded, and how its numbers are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instrument {
    /// The name in depthcast, such as `BTC/USDT`: `[A-Z0-9./_-]{1,32}`.
    pub symbol: String,
    /// The name at the venue, such as `BTCUSDT`, of the same characters.
    pub venue_symbol: String,
    /// Digits after the point of a price, at most 18.
    pub price_decimals: u8,
    /// Digits after the point of a quantity, at most 18.
    pub qty_decimals: u8,
    /// Prices are multiples of this, at least 1.
    pub tick: Price,
    /// Quantities are multiples of this, at least 1.
    pub lot: Qty,
    /// Whether it may be traded.
    pub status: Status,
}

impl Instrument {
    /// Whether events of the other can follow on events of this one: its name and what its numbers mean are the same.
    pub fn goes_on_as(&self, other: &Instrument) -> bool {
        let what = |it: &Instrument| (it.price_decimals, it.qty_decimals);
        self.symbol == other.symbol && what(self) == what(other)
    }

    /// The tick as text in the price's decimals.
    pub fn tick_text(&self) -> String {
        text(|out| push_fixed(out, self.tick.0, self.price_decimals))
    }

    /// The lot as text in the quantity's decimals.
    pub fn lot_text(&self) -> String {
        text(|out| push_unsigned_fixed(out, self.lot.0, self.qty_decimals))
    }
}

fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// Whether `text` may be a symbol: `[A-Z0-9./_-]{1,32}`.
pub fn is_symbol(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text.bytes().all(|b| matches!(b, b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'/' | b'_' | b'-'))
}

/// Why an instrument cannot stand in the table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InstrumentError {
    /// Its name, or its name at the venue, has other characters or another length.
    #[error("'{0}' is not a symbol: 1 to 32 of A-Z 0-9 . / _ -")]
    BadSymbol(String),
    /// Another instrument has one of its names.
    #[error("there are two instruments named '{0}'; rename one of them")]
    Duplicate(String),
    /// Decimals beyond 18, or a tick or lot below 1.
    #[error("{0}: decimals are 0 to 18, tick and lot at least 1")]
    BadNumbers(String),
}

/// The table of instruments, in the feed's order. It only grows.
#[derive(Debug, Clone, Default)]
pub struct Instruments {
    list: Vec<Instrument>,
    by_name: HashMap<String, SymbolId>,
    /// By the symbol without its slash; the first of those that share one.
    by_plain_name: HashMap<String, SymbolId>,
}

impl Instruments {
    /// A table of these, ids in their order.
    ///
    /// # Errors
    /// As [`Instruments::push`].
    pub fn new(list: impl IntoIterator<Item = Instrument>) -> Result<Instruments, InstrumentError> {
        let mut table = Instruments::default();
        for instrument in list {
            table.push(instrument)?;
        }
        Ok(table)
    }

    /// Appends an instrument and gives it its id.
    ///
    /// # Errors
    /// If a name is malformed or taken, or its numbers are out of range.
    pub fn push(&mut self, instrument: Instrument) -> Result<SymbolId, InstrumentError> {
        let names = [&instrument.symbol, &instrument.venue_symbol];
        for name in names {
            if !is_symbol(name) {
                return Err(InstrumentError::BadSymbol(name.clone()));
            }
            if self.by_name.contains_key(name.as_str()) {
                return Err(InstrumentError::Duplicate(name.clone()));
            }
        }
        let decimals = instrument.price_decimals.max(instrument.qty_decimals);
        if decimals > MAX_DECIMALS || instrument.tick < Price(1) || instrument.lot < Qty(1) {
            return Err(InstrumentError::BadNumbers(instrument.symbol));
        }
        let id = SymbolId(self.list.len() as u32);
        for name in names {
            self.by_name.insert(name.clone(), id);
        }
        self.by_plain_name.entry(instrument.symbol.replace('/', "")).or_insert(id);
        self.list.push(instrument);
        Ok(id)
    }

    /// The instrument of an id, if the table has it.
    pub fn get(&self, id: SymbolId) -> Option<&Instrument> {
        self.list.get(id.index())
    }

    /// Looks a name up, in either form (`BTC/USDT` or `BTCUSDT`).
    pub fn find(&self, name: &str) -> Option<SymbolId> {
        self.by_name.get(name).copied()
    }

    /// Looks up the instrument whose symbol is this without the slash: `BTCUSDT` is `BTC/USDT`, whatever the venue says.
    pub fn find_plain(&self, name: &str) -> Option<SymbolId> {
        self.by_plain_name.get(name).copied()
    }

    /// How many there are; ids run from 0 to one less.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// All of them with their ids, in the feed's order.
    pub fn iter(&self) -> impl Iterator<Item = (SymbolId, &Instrument)> {
        self.list.iter().enumerate().map(|(i, instrument)| (SymbolId(i as u32), instrument))
    }
}

impl std::ops::Index<SymbolId> for Instruments {
    type Output = Instrument;

    fn index(&self, id: SymbolId) -> &Instrument {
        &self.list[id.index()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instrument(symbol: &str, venue: &str) -> Instrument {
        Instrument {
            symbol: symbol.into(),
            venue_symbol: venue.into(),
            price_decimals: 2,
            qty_decimals: 5,
            tick: Price(1),
            lot: Qty(1),
            status: Status::Trading,
        }
    }

    #[test]
    fn finds_by_either_name() {
        let table = Instruments::new([instrument("BTC/USDT", "BTCUSDT"), instrument("X", "X.V")]).unwrap();
        assert_eq!(table.find("BTCUSDT"), Some(SymbolId(0)));
        assert_eq!(table.find("X"), Some(SymbolId(1)));
        assert_eq!(table.find("btcusdt"), None);
        assert_eq!(table.find_plain("BTCUSDT"), Some(SymbolId(0)));
        assert_eq!((table.find_plain("X"), table.find_plain("X.V")), (Some(SymbolId(1)), None));
        assert_eq!(table[SymbolId(0)].tick_text(), "0.01");
        assert_eq!(table[SymbolId(0)].lot_text(), "0.00001");
    }

    #[test]
    fn refuses_two_of_a_name_and_bad_ones() {
        let mut table = Instruments::new([instrument("BTC/USDT", "BTCUSDT")]).unwrap();
        assert_eq!(table.push(instrument("BTCUSDT", "B")), Err(InstrumentError::Duplicate("BTCUSDT".into())));
        assert_eq!(table.push(instrument("btc", "B")), Err(InstrumentError::BadSymbol("btc".into())));
        assert_eq!(
            table.push(Instrument { tick: Price(0), ..instrument("B", "C") }),
            Err(InstrumentError::BadNumbers("B".into()))
        );
        assert_eq!(table.len(), 1);
    }

    #[test]
    fn an_instrument_goes_on_where_its_numbers_mean_the_same() {
        let one = instrument("A", "AV");
        assert!(one.goes_on_as(&Instrument { status: Status::Halted, tick: Price(5), ..one.clone() }));
        assert!(!one.goes_on_as(&Instrument { price_decimals: 3, ..one.clone() }));
        assert!(!one.goes_on_as(&Instrument { qty_decimals: 3, ..one.clone() }));
        assert!(!one.goes_on_as(&instrument("B", "AV")));
    }

    #[test]
    fn a_name_may_be_the_same_at_the_venue() {
        assert!(Instruments::new([instrument("BTCUSD_PERP", "BTCUSD_PERP")]).is_ok());
    }
}
