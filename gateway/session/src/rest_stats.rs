//! What is asked of tickers, candles and averages over the REST of the Binance dialect.

use crate::publisher::Publisher;
use market::{Nanos, Side, SymbolId};
use stats::{Interval, KlineQuery, SymbolStats};
use wire::{
    dialect::binance::{self, Fault},
    message::Summary,
};

/// Which candles are asked for: the oldest of those that fit if there is a first moment, else the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CandleWindow {
    /// Of which interval.
    pub interval: Interval,
    /// None that begin earlier.
    pub from: Option<Nanos>,
    /// None that begin later.
    pub to: Option<Nanos>,
    /// At most so many.
    pub limit: usize,
}

impl Publisher {
    /// Appends the last 24 hours of a symbol.
    ///
    /// # Errors
    /// If no trade of it is known.
    pub fn push_day_ticker(&self, symbol: SymbolId, out: &mut Vec<u8>) -> Result<(), Fault> {
        binance::push_day_ticker(out, &self.day(symbol)?);
        Ok(())
    }

    /// Appends the last 24 hours of a symbol in few numbers.
    ///
    /// # Errors
    /// If no trade of it is known.
    pub fn push_mini_day_ticker(&self, symbol: SymbolId, out: &mut Vec<u8>) -> Result<(), Fault> {
        binance::push_mini_day_ticker(out, &self.day(symbol)?);
        Ok(())
    }

    /// Appends the average price of the last minutes.
    ///
    /// # Errors
    /// If no trade of the symbol is known.
    pub fn push_average_price(&self, symbol: SymbolId, out: &mut Vec<u8>) -> Result<(), Fault> {
        let average = self.traded(symbol)?.average_price(self.feed_time);
        binance::push_average_of_minutes(out, &average, &self.instruments[symbol]);
        Ok(())
    }

    /// Appends a list of candles, oldest first and without a hole; none before the first trade.
    pub fn push_klines(&self, symbol: SymbolId, window: &CandleWindow, out: &mut Vec<u8>) {
        let CandleWindow { interval, from, to, limit } = *window;
        let query = KlineQuery { interval, from, to: to.unwrap_or(Nanos::MAX), limit };
        let mut klines = Vec::new();
        if let Some(stats) = self.stats.symbol(symbol) {
            stats.klines(&query, self.feed_time, &mut klines);
        }
        binance::push_klines(out, &klines, &self.instruments[symbol]);
    }

    fn traded(&self, symbol: SymbolId) -> Result<&SymbolStats, Fault> {
        let unknown = || Fault::unavailable("no trade of this symbol is known yet; try again soon");
        self.stats.symbol(symbol).ok_or_else(unknown)
    }

    fn day(&self, symbol: SymbolId) -> Result<Summary<'_>, Fault> {
        let stats = self.traded(symbol)?;
        let book = &self.replicas[symbol.index()].book;
        let [bid, ask] = Side::BOTH.map(|side| book.best(side));
        let instrument = &self.instruments[symbol];
        Ok(Summary { instrument, stats, since: Nanos::ZERO, now: self.feed_time, bid, ask })
    }
}
