//! What is said of a symbol as a whole: its last 24 hours, and its average price.

use crate::{Ratio, Trade, window::Content};
use market::{Nanos, Price, Qty};

/// The last 24 hours of a symbol.
///
/// The window begins at the last even minute that is at least 24 h before its end, so it is 24 h wide and at most two
/// minutes wider. Decimals are those of [`Candle`](crate::Candle). If nothing was traded in the window, its prices are the
/// last price and its volumes 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticker {
    /// Where the window begins; inclusive.
    pub open_time: Nanos,
    /// Where it ends: feed time.
    pub close_time: Nanos,
    /// The first price in the window.
    pub open: Price,
    /// The highest price in it.
    pub high: Price,
    /// The lowest price in it.
    pub low: Price,
    /// The last price, however long ago.
    pub last: Price,
    /// The quantity at it.
    pub last_qty: Qty,
    /// The last price before the window; [`Ticker::open`] if there was none.
    pub previous_close: Price,
    /// The sum of the quantities, in quantity decimals.
    pub base_volume: i128,
    /// The sum of price times quantity, in price decimals plus quantity decimals.
    pub quote_volume: i128,
    /// How many trades.
    pub trades: u64,
    /// The id of the first trade; 0 without trades.
    pub first_id: u64,
    /// The id of the last trade; 0 without trades.
    pub last_id: u64,
}

impl Ticker {
    pub(crate) fn new(open_time: Nanos, close_time: Nanos, content: Content, last: &Trade) -> Ticker {
        let flat = Ticker {
            open_time,
            close_time,
            open: last.price,
            high: last.price,
            low: last.price,
            last: last.price,
            last_qty: last.qty,
            previous_close: content.before.unwrap_or(last.price),
            base_volume: 0,
            quote_volume: 0,
            trades: 0,
            first_id: 0,
            last_id: 0,
        };
        let Some(sum) = content.sum else { return flat };
        Ticker {
            open: sum.open,
            high: sum.high,
            low: sum.low,
            previous_close: content.before.unwrap_or(sum.open),
            base_volume: sum.base_volume,
            quote_volume: sum.quote_volume,
            trades: sum.trades,
            first_id: sum.first_id,
            last_id: last.id,
            ..flat
        }
    }

    /// From the open to the last price, in price decimals. Stays at the bounds of an `i64` where it would go beyond.
    pub fn change(&self) -> Price {
        Price(self.last.0.saturating_sub(self.open.0))
    }

    /// The change in percent of the open price's magnitude, in units of 0 decimals: `rounded(0, 3)` counts thousandths of a
    /// percent. Zero if the open price is.
    pub fn change_percent(&self) -> Ratio {
        let change = i128::from(self.last.0) - i128::from(self.open.0);
        match self.open.0.unsigned_abs() {
            0 => Ratio::from(0),
            open => Ratio::new(100 * change, open.into()),
        }
    }

    /// The price weighted by quantity, in price decimals. The last price if no quantity was traded.
    pub fn weighted_average(&self) -> Ratio {
        Ratio::weighted(self.quote_volume, self.base_volume, self.last)
    }
}

/// The average price of the last five minutes.
///
/// The window begins at the last full second that is at least five minutes before feed time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AveragePrice {
    /// The price weighted by quantity, in price decimals. The last price if no quantity was traded.
    pub price: Ratio,
    /// When the last trade was, however long ago.
    pub close_time: Nanos,
}

impl AveragePrice {
    /// Over how many minutes.
    pub const MINUTES: u64 = 5;
}
