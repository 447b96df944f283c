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

/// One thing that a symbol's store holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// A trade.
    Trade(Trade),
    /// The feed lost trades, nobody knows how many: the exchange event that ends here wrote the book anew.
    Hole(Seq),
}

impl Entry {
    /// The last number of the exchange event that it belongs to.
    pub fn end(&self) -> Seq {
        match self {
            Entry::Trade(trade) => trade.end,
            Entry::Hole(end) => *end,
        }
    }

    fn trade(&self) -> Option<&Trade> {
        match self {
            Entry::Trade(trade) => Some(trade),
            Entry::Hole(_) => None,
        }
    }
}

/// The newest trades of one symbol.
#[derive(Default)]
pub struct TradeStore {
    entries: VecDeque<Entry>,
    /// All trades with a greater seq are held.
    whole_after: Seq,
}

impl TradeStore {
    /// Takes the trades of one exchange event, and forgets the oldest exchange events beyond `limit` entries.
    pub fn extend(&mut self, trades: &[Trade], limit: usize) {
        self.entries.extend(trades.iter().copied().map(Entry::Trade));
        self.forget(limit.max(trades.len()));
    }

    /// Remembers that trades before the exchange event that ends at `end`, and any in it, are lost to the feed.
    pub fn lose(&mut self, end: Seq, limit: usize) {
        self.entries.push_back(Entry::Hole(end));
        self.forget(limit.max(1));
    }

    fn forget(&mut self, limit: usize) {
        while self.entries.len() > limit {
            let Some(oldest) = self.entries.front().map(Entry::end) else { break };
            while self.entries.front().is_some_and(|entry| entry.end() == oldest) {
                self.entries.pop_front();
            }
            self.whole_after = oldest;
        }
    }

    /// Forgets everything: trades up to `seq` may have happened unseen.
    pub fn begin_after(&mut self, seq: Seq) {
        self.entries.clear();
        self.whole_after = seq;
    }

    /// All trades with a greater seq than this are held.
    pub fn whole_after(&self) -> Seq {
        self.whole_after
    }

    /// The end of the last exchange event with an entry, as far as is known.
    pub fn last_end(&self) -> Seq {
        self.entries.back().map_or(self.whole_after, Entry::end)
    }

    /// What is held of exchange events that end after `seq`, oldest first.
    pub fn entries_after(&self, seq: Seq) -> impl Iterator<Item = &Entry> {
        let from = self.entries.partition_point(|entry| entry.end() <= seq);
        self.entries.range(from..)
    }

    /// The trades of exchange events that end after `seq`, oldest first.
    pub fn after(&self, seq: Seq) -> impl Iterator<Item = &Trade> {
        self.entries_after(seq).filter_map(Entry::trade)
    }

    /// The trades from the first on that `is_reached` says it is reached at, oldest first, and those before, newest first. It has to
    /// say so of all that come after.
    pub fn split(
        &self,
        is_reached: impl Fn(&Trade) -> bool,
    ) -> (impl Iterator<Item = &Trade>, impl Iterator<Item = &Trade>) {
        let (mut low, mut high) = (0, self.entries.len());
        while low < high {
            let middle = low.midpoint(high);
            let probe = self.entries.range(middle..high).position(|entry| entry.trade().is_some());
            let probe = probe.map(|holes| middle + holes);
            match probe {
                Some(at) if !self.entries[at].trade().is_some_and(&is_reached) => low = at + 1,
                _ => high = middle,
            }
        }
        let (from, before) = (self.entries.range(low..), self.entries.range(..low));
        (from.filter_map(Entry::trade), before.rev().filter_map(Entry::trade))
    }

    /// The newest `count` trades, newest first.
    pub fn newest(&self, count: usize) -> impl Iterator<Item = &Trade> {
        self.entries.iter().rev().filter_map(Entry::trade).take(count)
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
    fn a_hole_keeps_its_place_among_the_trades_and_counts_as_one() {
        let mut store = TradeStore::default();
        store.extend(&[trade(1, 1), trade(2, 2)], 3);
        store.lose(9, 3);
        assert_eq!(store.entries_after(1).map(Entry::end).collect::<Vec<_>>(), [2, 9]);
        store.extend(&[trade(10, 10)], 3);
        assert_eq!((store.whole_after(), store.last_end()), (1, 10));
        assert_eq!(store.newest(3).map(|t| t.seq).collect::<Vec<_>>(), [10, 2]);
    }

    #[test]
    fn is_split_where_a_trade_is_reached_whatever_holes_there_are() {
        let mut store = TradeStore::default();
        for seq in 1..=20 {
            if seq % 3 == 0 {
                store.lose(seq, 100);
            } else {
                store.extend(&[trade(seq, seq)], 100);
            }
        }
        for first in 0..=22 {
            let (from, before) = store.split(|trade| trade.seq >= first);
            let (from, mut before): (Vec<_>, Vec<_>) =
                (from.map(|t| t.seq).collect(), before.map(|t| t.seq).collect());
            before.reverse();
            let all = || (1..=20).filter(|seq| seq % 3 != 0);
            assert_eq!(from, all().filter(|&seq| seq >= first).collect::<Vec<_>>(), "from {first}");
            assert_eq!(before, all().filter(|&seq| seq < first).collect::<Vec<_>>(), "before {first}");
        }
    }

    #[test]
    fn one_exchange_event_is_kept_whole_even_beyond_the_limit() {
        let mut store = TradeStore::default();
        store.extend(&[trade(1, 3), trade(2, 3), trade(3, 3)], 2);
        assert_eq!(store.after(0).count(), 3);
    }
}
