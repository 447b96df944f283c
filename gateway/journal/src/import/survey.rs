//! The first pass over captures: which markets there are, what they are called, and how many decimals they need.

use super::{At, ImportError, Place, Rename};
use market::{Instrument, InstrumentError, Instruments, Price, Qty, Status};
use std::collections::HashMap;

/// Quote assets by which a name without a separator is split, the longer before those that they end in.
const QUOTES: [&str; 16] = [
    "FDUSD", "USDT", "USDC", "BUSD", "TUSD", "USDP", "DAI", "USD", "EUR", "GBP", "TRY", "BRL", "JPY", "BTC",
    "ETH", "BNB",
];

/// Which digits of a number count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Digits {
    /// Those needed to hold it exactly.
    Least,
    /// All, zeros at the end too: a venue's checksum covers them.
    AsWritten,
}

/// What has been seen of the markets so far, in the order of their first appearance.
pub(super) struct Survey {
    digits: Digits,
    markets: Vec<Market>,
    by_name: HashMap<String, usize>,
}

struct Market {
    venue_symbol: String,
    first: Place,
    price_decimals: u8,
    qty_decimals: u8,
}

impl Survey {
    pub fn new(digits: Digits) -> Survey {
        Survey { digits, markets: Vec::new(), by_name: HashMap::new() }
    }

    /// The place of a market in the table to be.
    pub fn market(&mut self, venue_symbol: &str, at: At<'_>) -> usize {
        if let Some(&index) = self.by_name.get(venue_symbol) {
            return index;
        }
        let index = self.markets.len();
        self.by_name.insert(venue_symbol.to_owned(), index);
        self.markets.push(Market {
            venue_symbol: venue_symbol.to_owned(),
            first: at.place(),
            price_decimals: 0,
            qty_decimals: 0,
        });
        index
    }

    /// Makes room for a price and a quantity of a market; `None` if they are no decimal numbers.
    pub fn note(&mut self, market: usize, price: &str, qty: &str) -> Option<()> {
        let price_decimals = fraction_digits(price, self.digits)?;
        let qty_decimals = fraction_digits(qty, self.digits)?;
        let market = &mut self.markets[market];
        market.price_decimals = market.price_decimals.max(price_decimals);
        market.qty_decimals = market.qty_decimals.max(qty_decimals);
        Some(())
    }

    /// The instrument table.
    pub fn finish(self, renames: &[Rename]) -> Result<Instruments, ImportError> {
        if let Some(rename) = renames.iter().find(|rename| !self.by_name.contains_key(&rename.venue)) {
            let held =
                self.markets.iter().map(|market| market.venue_symbol.as_str()).collect::<Vec<_>>().join(", ");
            return Err(ImportError::UnknownMarket { venue: rename.venue.clone(), held });
        }
        let mut instruments = Instruments::default();
        for market in &self.markets {
            instruments.push(market.instrument(renames)).map_err(|error| market.refused(error))?;
        }
        Ok(instruments)
    }
}

impl Market {
    fn instrument(&self, renames: &[Rename]) -> Instrument {
        let rename = renames.iter().find(|rename| rename.venue == self.venue_symbol);
        Instrument {
            symbol: rename.map_or_else(|| common_name(&self.venue_symbol), |rename| rename.name.clone()),
            venue_symbol: self.venue_symbol.clone(),
            price_decimals: self.price_decimals,
            qty_decimals: self.qty_decimals,
            tick: Price(1),
            lot: Qty(1),
            status: Status::Trading,
        }
    }

    fn refused(&self, error: InstrumentError) -> ImportError {
        ImportError::Market { place: self.first.clone(), venue: self.venue_symbol.clone(), error }
    }
}

/// Base and quote where the name tells them apart, else the venue's own name.
fn common_name(venue_symbol: &str) -> String {
    let split =
        |quote| venue_symbol.strip_suffix(quote).filter(|base| !base.is_empty()).map(|base| (base, quote));
    match QUOTES.into_iter().find_map(split) {
        Some((base, quote)) if !venue_symbol.contains(['/', '_', '-']) => format!("{base}/{quote}"),
        _ => venue_symbol.to_owned(),
    }
}

/// How many of the digits behind the point count; `None` if the text is not `[-]digits[.digits]`.
fn fraction_digits(text: &str, digits: Digits) -> Option<u8> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let whole = whole.strip_prefix('-').unwrap_or(whole);
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !plain(whole) || !plain(fraction) {
        return None;
    }
    match digits {
        Digits::AsWritten if text.contains('.') => u8::try_from(fraction.len()).ok(),
        _ => u8::try_from(fraction.trim_end_matches('0').len()).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_split_where_its_quote_asset_is_known() {
        for (venue, name) in [
            ("BTCUSDT", "BTC/USDT"),
            ("ETHBTC", "ETH/BTC"),
            ("BTCFDUSD", "BTC/FDUSD"),
            ("BTCUSD", "BTC/USD"),
            ("USDT", "USDT"),
            ("BTCUSD_PERP", "BTCUSD_PERP"),
            ("XMR/USD", "XMR/USD"),
            ("XAUXAG", "XAUXAG"),
        ] {
            assert_eq!(common_name(venue), name);
        }
    }

    #[test]
    fn digits_count_as_the_venue_needs_them() {
        let check = |text, least, as_written| {
            assert_eq!(fraction_digits(text, Digits::Least), least, "{text}");
            assert_eq!(fraction_digits(text, Digits::AsWritten), as_written, "{text}");
        };
        check("61737.63000000", Some(2), Some(8));
        check("5", Some(0), Some(0));
        check("5.0", Some(0), Some(1));
        check("-0.000022900", Some(7), Some(9));
        for bad in ["", ".", "1.", ".5", "1e5", "1.2.3", "--1", "NaN"] {
            check(bad, None, None);
        }
    }
}
