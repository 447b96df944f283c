//! What is asked over Kraken's REST: books, trades, tickers, candles. The answers know all that any client may have been told.

use crate::{
    frame::wire_trade,
    publisher::{Publisher, Standing},
};
use market::{Nanos, Side, SymbolId};
use stats::{Interval, KlineQuery};
use wire::dialect::kraken_v2::rest;

/// Most candles in one answer.
const MOST_CANDLES: usize = 720;

impl Publisher {
    /// Appends the best `count` levels of each side of a book, as a member with the name of the pair.
    ///
    /// # Errors
    /// How it stands instead, if it is not whole.
    pub fn push_kraken_depth(
        &mut self,
        symbol: SymbolId,
        count: u32,
        out: &mut Vec<u8>,
    ) -> Result<(), Standing> {
        let standing = self.standing(symbol);
        if standing != Standing::Whole {
            return Err(standing);
        }
        let (book, view) = (&self.replicas[symbol.index()].book, &mut self.scratch.view);
        book.view(count, view);
        rest::push_depth(out, &self.instruments[symbol], view, book.mark().timestamp);
        Ok(())
    }

    /// Appends the oldest `count` trades that happened after `since`, or without it the newest; and those that happened in
    /// the same nanosecond as the last of them, so that who goes on from there misses none.
    pub fn push_kraken_trades(
        &mut self,
        symbol: SymbolId,
        since: Option<Nanos>,
        count: usize,
        out: &mut Vec<u8>,
    ) {
        let store = &self.replicas[symbol.index()].trades;
        let trades = &mut self.scratch.wire_trades;
        trades.clear();
        match since {
            None => trades.extend(store.newest(count).map(wire_trade)),
            Some(since) => {
                let later = store.newest(usize::MAX).take_while(|trade| trade.timestamp > since);
                trades.extend(later.map(wire_trade));
            }
        }
        trades.reverse();
        if let Some(last) = count.checked_sub(1).and_then(|last| trades.get(last)) {
            let last = last.timestamp;
            let behind = trades[count..].iter().take_while(|trade| trade.timestamp == last).count();
            trades.truncate(count + behind);
        }
        let last = trades.last().map(|trade| trade.timestamp).or(since).unwrap_or(Nanos::ZERO);
        rest::push_trade_list(out, &self.instruments[symbol], trades, last);
    }

    /// Appends the ticker of a symbol, as a member with the name of the pair.
    pub fn push_kraken_ticker(&self, symbol: SymbolId, out: &mut Vec<u8>) {
        let book = &self.replicas[symbol.index()].book;
        let top = Side::BOTH.map(|side| book.best(side));
        let instrument = &self.instruments[symbol];
        rest::push_ticker(out, instrument, top, self.stats.symbol(symbol), self.feed_time);
    }

    /// Appends the newest candles of an interval that begin after `since`, the last of which is still open.
    pub fn push_kraken_ohlc(
        &self,
        symbol: SymbolId,
        interval: Interval,
        since: Option<Nanos>,
        out: &mut Vec<u8>,
    ) {
        let mut klines = Vec::new();
        if let Some(stats) = self.stats.symbol(symbol) {
            stats.klines(&KlineQuery::newest(interval, MOST_CANDLES), self.feed_time, &mut klines);
        }
        let closed = klines.iter().rfind(|kline| kline.closed).map(|kline| kline.candle.start);
        klines.retain(|kline| since.is_none_or(|since| kline.candle.start > since));
        rest::push_ohlc(out, &self.instruments[symbol], &klines, closed.or(since).unwrap_or(Nanos::ZERO));
    }
}
