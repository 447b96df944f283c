//! What an instrument is of, by its name: venues name both assets of a pair.

use market::Instrument;

/// Assets that others are priced in, where a symbol does not say which of its letters are the quote. Of those that fit, the
/// longest counts.
const QUOTES: [&str; 24] = [
    "USDT", "USDC", "FDUSD", "TUSD", "BUSD", "USD1", "USD", "DAI", "EUR", "GBP", "JPY", "TRY", "BRL", "AUD",
    "CHF", "CAD", "KRW", "XBT", "BTC", "ETH", "BNB", "SOL", "XRP", "DOGE",
];
/// What may stand between base and quote.
const SEPARATORS: [char; 3] = ['/', '-', '_'];

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

    fn instrument(symbol: &str) -> Instrument {
        Instrument {
            symbol: symbol.into(),
            venue_symbol: symbol.into(),
            price_decimals: 2,
            qty_decimals: 2,
            tick: Price(1),
            lot: Qty(1),
            status: Status::Trading,
        }
    }

    #[test]
    fn base_and_quote_are_told_apart() {
        let check = |symbol, wanted| assert_eq!(assets(&instrument(symbol)), wanted, "{symbol}");
        check("BTC/USDT", ("BTC", "USDT"));
        check("1000SATS/FDUSD", ("1000SATS", "FDUSD"));
        check("BTCUSDT", ("BTC", "USDT"));
        check("BTCFDUSD", ("BTC", "FDUSD"));
        check("ETH-PERP", ("ETH", "PERP"));
        check("USDT", ("USDT", ""));
        check("ESZ6", ("ESZ6", ""));
        check("/X", ("/X", ""));
    }
}
