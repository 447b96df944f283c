//! One symbol that has traded.

use crate::{
    AveragePrice, Interval, Kline, KlineQuery, MAX_HISTORY, MIN_HISTORY, Ratio, Ticker, Trade,
    candles::Candles,
    interval::{MINUTE, SECOND},
    window::{Window, window_start},
};
use market::Nanos;

/// What is kept of the trades of one symbol, from its first trade on.
///
/// It is told trades in the order of the ring, each with the feed time of the last tick before it. The **time of a trade**
/// is its timestamp, or if that is earlier, the feed time or the time of the trade before: what has been closed stays as it
/// was told. It is read as of a time `now`, the feed time; a time before the last trade's counts as that.
pub struct SymbolStats {
    /// With its time in place of its timestamp.
    last: Trade,
    candles: Candles,
    window: Window,
}

impl SymbolStats {
    /// Begins with a trade. `history` is how many closed candles are held of each kept interval, from [`MIN_HISTORY`] to
    /// [`MAX_HISTORY`].
    pub fn new(history: usize, feed_time: Nanos, trade: &Trade) -> SymbolStats {
        let mut stats = SymbolStats { last: *trade, candles: Candles::new(history), window: Window::new() };
        stats.last.timestamp = Nanos::ZERO;
        stats.trade(feed_time, trade);
        stats
    }

    /// The most bytes that a symbol takes with this history: 56 KiB for the rolling window, 640 bytes for each step of
    /// history (188 KiB with [`MIN_HISTORY`], 625 KiB with [`MAX_HISTORY`]), and 1.5 KiB for all that is open.
    ///
    /// It takes them only as it fills. Of a symbol that trades in every second 1s is full after `history` seconds and 1m
    /// after `history` minutes, so after a day about half of it is taken; one that trades once an hour has taken 18 KiB by
    /// then.
    pub const fn most_bytes(history: usize) -> usize {
        let at_least = if history < MIN_HISTORY { MIN_HISTORY } else { history };
        let history = if at_least > MAX_HISTORY { MAX_HISTORY } else { at_least };
        size_of::<SymbolStats>() + Window::MOST_BYTES + history * Candles::STEP_BYTES
    }

    /// Adds a trade, before which feed time had reached `feed_time`.
    ///
    /// A timestamp beyond [`Nanos::MAX`] is no time: the trade happens at the feed time.
    #[inline]
    pub fn trade(&mut self, feed_time: Nanos, trade: &Trade) {
        let own = if trade.timestamp <= Nanos::MAX { trade.timestamp } else { Nanos::ZERO };
        let at = own.max(feed_time.min(Nanos::MAX)).max(self.last.timestamp);
        self.last = Trade { timestamp: at, ..*trade };
        if let Some(minute) = self.candles.trade(at, trade) {
            self.window.add_minute(&minute, at);
        }
    }

    /// The last trade, with its time as its timestamp.
    pub fn last(&self) -> &Trade {
        &self.last
    }

    /// The last 24 hours.
    ///
    /// Adds up at most the 30 buckets of its oldest hour; if nothing was traded for longer than that, all that are left.
    pub fn ticker(&self, now: Nanos) -> Ticker {
        let now = self.reached(now);
        let content = self.window.content(now, self.candles.since_minute());
        Ticker::new(window_start(now), now, content, &self.last)
    }

    /// The average price of the last five minutes. Adds up at most 301 seconds.
    pub fn average_price(&self, now: Nanos) -> AveragePrice {
        const WINDOW: u64 = AveragePrice::MINUTES * MINUTE;
        let start = Nanos(self.reached(now).0.saturating_sub(WINDOW)).floor(SECOND);
        let (mut base, mut quote) = (0i128, 0i128);
        for second in self.candles.seconds_from(start) {
            base = base.saturating_add(second.base_volume);
            quote = quote.saturating_add(second.quote_volume);
        }
        let price = Ratio::weighted(quote, base, self.last.price);
        AveragePrice { price, close_time: self.last.timestamp }
    }

    /// The candle of an interval that holds `at`: the open one if `at` is `now`, and if it is the time of the last look, the
    /// one that was open then and may have closed since. `None` if `at` is after `now`, or before what is held.
    pub fn kline(&self, interval: Interval, at: Nanos, now: Nanos) -> Option<Kline> {
        self.candles.at(interval, at, self.reached(now))
    }

    /// Appends the candles that a query asks for, oldest first and without a hole, as far as they are held: the first is
    /// that of the symbol's first trade or the first that is whole, the last is the open one.
    ///
    /// With a history of `n`, of 1s, 1m, 15m, 2h and 1d the last `n` closed candles that have trades are held, and of the
    /// others as many as those come to: of 30m at least `n` / 2, of 12h at least `n` / 6, of 1M at least `n` / 31.
    pub fn klines(&self, query: &KlineQuery, now: Nanos, out: &mut Vec<Kline>) {
        self.candles.query(query, self.reached(now), out);
    }

    fn reached(&self, now: Nanos) -> Nanos {
        now.min(Nanos::MAX).max(self.last.timestamp)
    }
}
