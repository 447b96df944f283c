//! The names of symbols and assets.

use super::{answer::Fault, number::is_offered};
use crate::dialect::json::push;
use market::{Instrument, Instruments, SymbolId};

/// Assets that others are priced in, where a symbol does not say which of its letters are the quote. Of those that fit, the
/// longest counts.
const QUOTES: [&str; 24] = [
    "USDT", "USDC", "FDUSD", "TUSD", "BUSD", "USD1", "USD", "DAI", "EUR", "GBP", "JPY", "TRY", "BRL", "AUD",
    "CHF", "CAD", "KRW", "XBT", "BTC", "ETH", "BNB", "SOL", "XRP", "DOGE",
];
/// What may stand between base and quote.
const SEPARATORS: [char; 3] = ['/', '-', '_'];

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

/// What is traded, and what it is priced in: `BTC` and `USDT`. Where nobody can tell them apart, as of a future, the whole
/// symbol is traded and the quote has no name.
pub(super) fn assets(instrument: &Instrument) -> (&str, &str) {
    let symbol = &*instrument.symbol;
    if let Some((base, quote)) =
        symbol.split_once(SEPARATORS).filter(|(base, quote)| !base.is_empty() && !quote.is_empty())
    {
        return (base, quote);
    }
    let bases = QUOTES.iter().filter_map(|quote| symbol.strip_suffix(quote)).filter(|base| !base.is_empty());
    match bases.min_by_key(|base| base.len()) {
        Some(base) => symbol.split_at(base.len()),
        None => (symbol, ""),
    }
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
    fn base_and_quote_are_told_apart() {
        let check = |symbol, wanted| assert_eq!(assets(&instrument(symbol, 2)), wanted, "{symbol}");
        check("BTC/USDT", ("BTC", "USDT"));
        check("1000SATS/FDUSD", ("1000SATS", "FDUSD"));
        check("BTCUSDT", ("BTC", "USDT"));
        check("BTCFDUSD", ("BTC", "FDUSD"));
        check("ETH-PERP", ("ETH", "PERP"));
        check("USDT", ("USDT", ""));
        check("ESZ6", ("ESZ6", ""));
        check("/X", ("/X", ""));
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
