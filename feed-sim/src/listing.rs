//! What the simulated exchange lists: 20 named pairs with the decimals and prices of real ones, then numbered pairs.

use market::{Instrument, Price, Qty, Status};

/// Most instruments that the exchange lists.
pub const MAX_SYMBOLS: u32 = 20_000;

/// An instrument, and how it is traded.
#[derive(Debug, Clone)]
pub(crate) struct Listing {
    pub instrument: Instrument,
    /// Where trading begins.
    pub price: Price,
    /// How much of the order flow it gets, compared to the others.
    pub weight: u32,
}

struct Named(&'static str, i64, u8, u8, u32);

/// Base asset, price, price decimals, quantity decimals, weight.
const NAMED: [Named; 20] = [
    Named("BTC", 6_165_970, 2, 5, 2),
    Named("ETH", 264_318, 2, 4, 2),
    Named("SOL", 15_542, 2, 3, 1),
    Named("BNB", 51_770, 2, 3, 1),
    Named("XRP", 5_786, 4, 1, 1),
    Named("DOGE", 10_412, 5, 0, 1),
    Named("ADA", 3_451, 4, 1, 1),
    Named("AVAX", 2_253, 2, 2, 1),
    Named("TRX", 1_288, 4, 1, 1),
    Named("LINK", 1_047, 2, 2, 1),
    Named("DOT", 4_611, 3, 2, 1),
    Named("LTC", 6_128, 2, 3, 1),
    Named("BCH", 3_546, 1, 3, 1),
    Named("NEAR", 4_072, 3, 1, 1),
    Named("UNI", 6_219, 3, 2, 1),
    Named("APT", 623, 2, 2, 1),
    Named("ATOM", 4_874, 3, 2, 1),
    Named("XLM", 1_006, 4, 0, 1),
    Named("ETC", 1_934, 2, 2, 1),
    Named("FIL", 3_705, 3, 2, 1),
];

/// The first `count` listings.
pub(crate) fn listings(count: u32) -> impl Iterator<Item = Listing> {
    (0..count).map(|place| match NAMED.get(place as usize) {
        Some(&Named(base, price, price_decimals, qty_decimals, weight)) => {
            listing(base, price, price_decimals, qty_decimals, weight)
        }
        None => {
            let price = 1_000 + i64::from(place) * 7_919 % 90_000;
            listing(&format!("S{:04}", place + 1), price, 2 + (place % 3) as u8, 2, 1)
        }
    })
}

fn listing(base: &str, price: i64, price_decimals: u8, qty_decimals: u8, weight: u32) -> Listing {
    Listing {
        instrument: Instrument {
            symbol: format!("{base}/USDT"),
            venue_symbol: format!("{base}USDT"),
            price_decimals,
            qty_decimals,
            tick: Price(1),
            lot: Qty(1),
            status: Status::Trading,
        },
        price: Price(price),
        weight,
    }
}

impl Listing {
    /// How much of it, in its own decimals, `value` (in whole units of the quote asset) buys; at least one lot.
    pub fn qty_for(&self, value: u64) -> u64 {
        let decimals = u32::from(self.instrument.price_decimals + self.instrument.qty_decimals);
        let price = self.price.0.unsigned_abs().max(1);
        (value * 10u64.pow(decimals) / price).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use market::Instruments;

    #[test]
    fn twenty_thousand_instruments_fit_into_one_table() {
        let table = Instruments::new(listings(MAX_SYMBOLS).map(|listing| listing.instrument)).unwrap();
        let names: Vec<&str> = table.iter().map(|(_, instrument)| instrument.symbol.as_str()).collect();
        assert_eq!(names[0], "BTC/USDT");
        assert_eq!(names[20], "S0021/USDT");
        assert_eq!(names[19_999], "S20000/USDT");
        assert_eq!(table.find("BTCUSDT"), table.find("BTC/USDT"));
    }

    #[test]
    fn sizes_are_worth_what_was_asked_for() {
        let btc = listings(1).next().unwrap();
        // 1,000 USDT at 61,659.70 are 0.01621 BTC.
        assert_eq!(btc.qty_for(1_000), 1_621);
    }
}
