//! The last trades of every symbol, watched or not, in a fixed number of bytes for all of them.
//!
//! Joins, resumes, slow subscribers and `/v1/trades` read them. A symbol's store says itself from which seq on it is whole:
//! what lies before may have been forgotten.

use market::{Nanos, Price, Qty, Seq, Side};
use std::collections::VecDeque;

/// One trade, as kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trade {
    /// Its own number.
    pub seq: Seq,
    /// The last number of the exchange event that it belongs to.
    pub end: Seq,
    /// Where.
    pub price: Price,
    /// How much.
    pub qty: Qty,
    /// The aggressor.
    pub side: Side,
    /// The venue's id of it.
    pub id: u64,
    /// When it happened.
    pub timestamp: Nanos,
    /// When its exchange event was meant to happen.
    pub engine: Nanos,
    /// When ingest took it.
    pub ingest: Nanos,
}

/// The newest trades of one symbol.
#[derive(Default)]
pub struct TradeStore {
    trades: VecDeque<Trade>,
    /// All trades with a greater seq are held.
    whole_after: Seq,
}

impl TradeStore {
    /// Takes the trades of one exchange event, and forgets the oldest exchange events beyond `limit` trades.
    pub fn extend(&mut self, trades: &[Trade], limit: usize) {
        self.trades.extend(trades);
        while self.trades.len() > limit.max(trades.len()) {
            let Some(oldest) = self.trades.front().map(|trade| trade.end) else { break };
            while self.trades.front().is_some_and(|trade| trade.end == oldest) {
                self.trades.pop_front();
            }
            self.whole_after = oldest;
        }
    }

    /// Forgets everything: trades up to `seq` may have happened unseen.
    pub fn begin_after(&mut self, seq: Seq) {
        self.trades.clear();
        self.whole_after = seq;
    }

    /// All trades with a greater seq than this are held.
    pub fn whole_after(&self) -> Seq {
        self.whole_after
    }

    /// The end of the last exchange event with trades, as far as is known.
    pub fn last_end(&self) -> Seq {
        self.trades.back().map_or(self.whole_after, |trade| trade.end)
    }

    /// The trades of exchange events that end after `seq`, oldest first.
    pub fn after(&self, seq: Seq) -> impl DoubleEndedIterator<Item = &Trade> {
        let from = self.trades.partition_point(|trade| trade.end <= seq);
        self.trades.range(from..)
    }

    /// The newest `count` trades, oldest first.
    pub fn newest(&self, count: usize) -> impl Iterator<Item = &Trade> {
        self.trades.range(self.trades.len().saturating_sub(count)..)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trade(seq: Seq, end: Seq) -> Trade {
        Trade {
            seq,
            end,
            price: Price(1),
            qty: Qty(1),
            side: Side::Bid,
            id: seq,
            timestamp: Nanos(0),
            engine: Nanos(0),
            ingest: Nanos(0),
        }
    }

    #[test]
    fn forgets_whole_exchange_events_and_says_from_where_it_is_whole() {
        let mut store = TradeStore::default();
        store.extend(&[trade(1, 4), trade(2, 4)], 3);
        assert_eq!(store.whole_after(), 0);
        store.extend(&[trade(7, 8), trade(8, 8)], 3);
        assert_eq!(store.whole_after(), 4);
        assert_eq!(store.after(0).map(|t| t.seq).collect::<Vec<_>>(), [7, 8]);
        assert_eq!(store.after(8).count(), 0);
        assert_eq!(store.newest(1).map(|t| t.seq).collect::<Vec<_>>(), [8]);
    }

    #[test]
    fn one_exchange_event_is_kept_whole_even_beyond_the_limit() {
        let mut store = TradeStore::default();
        store.extend(&[trade(1, 3), trade(2, 3), trade(3, 3)], 2);
        assert_eq!(store.after(0).count(), 3);
    }
}
