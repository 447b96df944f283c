//! The names of symbols.

use super::{answer::Fault, number::is_offered};
use crate::dialect::json::push;
use market::{Instrument, Instruments, SymbolId};

/// The instruments that this dialect has names and numbers for, in the table's order.
pub fn offered(instruments: &Instruments) -> impl Iterator<Item = (SymbolId, &Instrument)> {
    instruments.iter().filter(|&(id, instrument)| {
        is_offered(instrument) && instruments.find_plain(&instrument.symbol.replace('/', "")) == Some(id)
    })
}

/// The instrument of a name such as `BTCUSDT`.
///
/// # Errors
/// If there is none that is offered.
pub fn find_symbol(name: &str, instruments: &Instruments) -> Result<SymbolId, Fault> {
    instruments.find_plain(name).filter(|&id| is_offered(&instruments[id])).ok_or_else(Fault::symbol)
}

/// Appends `BTCUSDT` of `BTC/USDT`.
pub(super) fn push_symbol(out: &mut Vec<u8>, instrument: &Instrument) {
    instrument.symbol.split('/').for_each(|part| push(out, part));
}

#[cfg(test)]
mod tests {
    use super::*;
    use market::{Price, Qty, Status};

    fn instrument(symbol: &str, decimals: u8) -> Instrument {
        Instrument {
            symbol: symbol.into(),
            venue_symbol: format!("V.{symbol}"),
            price_decimals: decimals,
            qty_decimals: decimals,
            tick: Price(1),
            lot: Qty(1),
            status: Status::Trading,
        }
    }

    #[test]
    fn only_what_has_a_name_of_its_own_and_eight_decimals_is_offered() {
        let all = ["BTC/USDT", "BTCUSDT", "ETH/USDT"].map(|symbol| instrument(symbol, 2));
        let table = Instruments::new(all.into_iter().chain([instrument("FINE/USDT", 9)])).unwrap();
        assert_eq!(offered(&table).map(|(id, _)| id.0).collect::<Vec<_>>(), [0, 2]);
        assert_eq!(find_symbol("BTCUSDT", &table), Ok(SymbolId(0)));
        for name in ["FINEUSDT", "BTC/USDT", "V.BTC/USDT", "btcusdt", ""] {
            assert_eq!(find_symbol(name, &table), Err(Fault::symbol()), "{name}");
        }
    }
}
