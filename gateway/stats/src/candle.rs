//! A trade, and what many of them come to: the candle, the one thing that everything here is added up in.

use crate::{Interval, Ratio};
use market::{Nanos, Price, Qty, Side};

/// One trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trade {
    /// When it happened, by the venue's clock.
    pub timestamp: Nanos,
    /// Where, in the instrument's price decimals.
    pub price: Price,
    /// How much, in the instrument's quantity decimals.
    pub qty: Qty,
    /// The aggressor: a bid means that the taker bought.
    pub side: Side,
    /// The venue's id of it.
    pub id: u64,
}

impl Trade {
    /// Price times quantity, exactly: in price decimals plus quantity decimals. No price and quantity overflow it.
    pub fn quote(&self) -> i128 {
        i128::from(self.price.0) * i128::from(self.qty.0)
    }
}

/// What was traded from `start` on, for as long as is said where it comes from.
///
/// Prices are in the instrument's price decimals (p), base volumes in its quantity decimals (q), quote volumes in p + q
/// decimals. Volumes are exact below 2^127 of these units (1.7e22 of the quote currency with 8 + 8 decimals) and stay at
/// that bound beyond it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candle {
    /// Where it begins.
    pub start: Nanos,
    /// The first price.
    pub open: Price,
    /// The highest price.
    pub high: Price,
    /// The lowest price.
    pub low: Price,
    /// The last price.
    pub close: Price,
    /// The sum of the quantities.
    pub base_volume: i128,
    /// The sum of price times quantity; negative where prices are.
    pub quote_volume: i128,
    /// Of `base_volume`, what takers bought.
    pub taker_buy_base: i128,
    /// Of `quote_volume`, what takers bought.
    pub taker_buy_quote: i128,
    /// How many trades.
    pub trades: u64,
    /// The id of the first trade; 0 without trades.
    pub first_id: u64,
    /// The id of the last trade; 0 without trades.
    pub last_id: u64,
}

impl Candle {
    /// The price weighted by quantity, in price decimals. The close if no quantity was traded.
    pub fn weighted_average(&self) -> Ratio {
        Ratio::weighted(self.quote_volume, self.base_volume, self.close)
    }

    /// The candle of one trade.
    pub(crate) fn of(start: Nanos, trade: &Trade) -> Candle {
        let mut candle = Candle { first_id: trade.id, ..Candle::flat(start, trade.price) };
        candle.add(trade);
        candle
    }

    /// The candle without trades: the price is as it was.
    pub(crate) fn flat(start: Nanos, price: Price) -> Candle {
        Candle {
            start,
            open: price,
            high: price,
            low: price,
            close: price,
            base_volume: 0,
            quote_volume: 0,
            taker_buy_base: 0,
            taker_buy_quote: 0,
            trades: 0,
            first_id: 0,
            last_id: 0,
        }
    }

    /// Adds a trade after those that it has.
    #[inline]
    pub(crate) fn add(&mut self, trade: &Trade) {
        let (base, quote) = (i128::from(trade.qty.0), trade.quote());
        self.high = self.high.max(trade.price);
        self.low = self.low.min(trade.price);
        self.close = trade.price;
        self.base_volume = self.base_volume.saturating_add(base);
        self.quote_volume = self.quote_volume.saturating_add(quote);
        if trade.side == Side::Bid {
            self.taker_buy_base = self.taker_buy_base.saturating_add(base);
            self.taker_buy_quote = self.taker_buy_quote.saturating_add(quote);
        }
        self.trades += 1;
        self.last_id = trade.id;
    }

    /// Adds the trades of a candle that comes after those that it has; both have some.
    pub(crate) fn absorb(&mut self, later: &Candle) {
        self.high = self.high.max(later.high);
        self.low = self.low.min(later.low);
        self.close = later.close;
        self.base_volume = self.base_volume.saturating_add(later.base_volume);
        self.quote_volume = self.quote_volume.saturating_add(later.quote_volume);
        self.taker_buy_base = self.taker_buy_base.saturating_add(later.taker_buy_base);
        self.taker_buy_quote = self.taker_buy_quote.saturating_add(later.taker_buy_quote);
        self.trades += later.trades;
        self.last_id = later.last_id;
    }

    /// The sum of candles in their order, as of its beginning at `start`; `None` of none.
    pub(crate) fn sum<'a>(start: Nanos, candles: impl IntoIterator<Item = &'a Candle>) -> Option<Candle> {
        let mut candles = candles.into_iter();
        let mut sum = Candle { start, ..*candles.next()? };
        candles.for_each(|candle| sum.absorb(candle));
        Some(sum)
    }
}

/// A candle of an interval.
///
/// Without trades in the interval, its four prices are the close before it, its volumes 0, and so are its ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kline {
    /// The interval.
    pub interval: Interval,
    /// What was traded in it.
    pub candle: Candle,
    /// The beginning of the next interval; this one ends before it.
    pub end: Nanos,
    /// Whether feed time has reached the end: nothing can be added any more.
    pub closed: bool,
}

impl Kline {
    /// The last millisecond of the interval, as venues write a close time.
    pub fn close_time(&self) -> Nanos {
        const MILLISECOND: u64 = 1_000_000;
        Nanos(self.end.0 - MILLISECOND)
    }
}
