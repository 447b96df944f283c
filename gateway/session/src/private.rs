//! Messages for one subscriber: whoever is not in step gets one of these, which ends at the topic's tail, and is in step
//! after it.

use crate::{
    frame::{stamps, text_frame, wire_trade},
    publisher::{Publisher, Standing},
    subscriber::Catch,
    topic::TopicId,
    trades::{Entry, Trade},
};
use book::{HistoryError, Ladder, Mark};
use market::{Nanos, Seq};
use wire::{
    dialect::native_json,
    message::{
        BboMessage, BookKind, BookMessage, Channel, Gap, GapReason, SnapshotReason, Stamps, TradeKind,
        TradeMessage,
    },
};

/// How many past trades a snapshot of the trade channel shows.
const TRADES_IN_SNAPSHOT: usize = 50;

/// How far [`Publisher::push_trades_after`] brought a subscriber.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TradesSent {
    /// It has everything up to here now.
    pub through: Seq,
    /// How many gaps were named.
    pub gaps: u64,
    /// Whether that is all that is held.
    pub all: bool,
    /// When the first trade that was sent was meant to happen.
    pub first_engine: Option<Nanos>,
}

impl Publisher {
    /// Appends a snapshot of the topic as of its tail, the last trades for the trade channel.
    ///
    /// # Panics
    /// Unless [`Publisher::can_snapshot`].
    pub fn push_snapshot(&mut self, id: TopicId, reason: SnapshotReason, now: Nanos, out: &mut Vec<u8>) {
        if self.topic(id).key.channel == Channel::Trade {
            return self.push_last_trades(id, reason, out);
        }
        self.view_at_tail(id);
        let tail = self.topic(id).tail;
        let stamps = self.topic(id).key.stamps.then(|| stamps(&tail, now));
        let levels = std::mem::take(&mut self.scratch.view);
        self.push_view(id, BookKind::Snapshot(reason), &levels, tail, stamps, out);
        self.scratch.view = levels;
    }

    /// Appends the message that brings a subscriber of a book or its top from `from` to [`crate::topic::Topic::end_of_catch`] it, exactly.
    /// Returns what it covers.
    ///
    /// # Errors
    /// If the history does not reach back that far: a snapshot is due.
    pub fn push_catch(
        &mut self,
        id: TopicId,
        from: Seq,
        how: Catch,
        now: Nanos,
        out: &mut Vec<u8>,
    ) -> Result<book::Range, HistoryError> {
        let topic = &self.topics[id.0 as usize];
        let (key, end) = (topic.key, topic.end_of_catch(from, how));
        // What made no message since the end is in neither view.
        let to = topic.unchanged_to.seq;
        let book = &self.replicas[key.symbol.index()].book;
        let levels = &mut self.scratch.levels;
        let range = match how {
            Catch::Resume => book.catch_up(&self.history, from, to, key.depth.get(), levels)?,
            Catch::Merge { .. } => book.changes(&self.history, from, to, key.depth.get(), levels)?,
        };
        let merged = (how == Catch::Merge { slow: true }).then(|| end.event.saturating_sub(range.from.event));
        let mut stamps = key.stamps.then(|| stamps(&end, now));
        if let (Some(stamps), Some(_)) = (&mut stamps, merged) {
            stamps.engine_first = Some(range.first_engine);
        }
        self.view_at_tail(id);
        let levels = std::mem::take(&mut self.scratch.levels);
        self.push_view(id, BookKind::Update { first_seq: from + 1, merged }, &levels, end, stamps, out);
        self.scratch.levels = levels;
        Ok(range)
    }

    /// Appends trade messages from the store, from `from` to the topic's tail or until `out` is `limit` bytes long. What is
    /// no longer held is named first, with this reason; what the feed lost is named in its place.
    pub fn push_trades_after(
        &mut self,
        id: TopicId,
        from: Seq,
        reason: GapReason,
        now: Nanos,
        limit: usize,
        out: &mut Vec<u8>,
    ) -> TradesSent {
        let topic = &self.topics[id.0 as usize];
        let store = &self.replicas[topic.key.symbol.index()].trades;
        let instrument = &self.instruments[topic.key.symbol];
        let mut sent = TradesSent { through: from, gaps: 0, all: false, first_engine: None };
        let gap = |sent: &mut TradesSent, to_seq: Seq, reason: GapReason, out: &mut Vec<u8>| {
            let from_seq = sent.through + 1;
            let gap = Gap { channel: Channel::Trade, symbol: &instrument.symbol, from_seq, to_seq, reason };
            text_frame(out, |body| native_json::push_gap(body, &gap));
            sent.gaps += 1;
            sent.through = to_seq;
        };
        if store.whole_after() > from {
            gap(&mut sent, store.whole_after(), reason, out);
        }
        let wire_trades = &mut self.scratch.wire_trades;
        let mut rest = store.entries_after(sent.through).peekable();
        while let Some(first) = rest.next_if(|_| out.len() < limit) {
            let first = match first {
                Entry::Trade(trade) => trade,
                Entry::Hole(end) => {
                    gap(&mut sent, *end, GapReason::FeedGap, out);
                    continue;
                }
            };
            wire_trades.clear();
            wire_trades.push(wire_trade(first));
            while let Some(Entry::Trade(trade)) = rest.next_if(|entry| entry.end() == first.end) {
                wire_trades.push(wire_trade(trade));
            }
            let message = TradeMessage {
                instrument,
                epoch: self.epoch,
                kind: TradeKind::Update { first_seq: sent.through + 1 },
                seq: first.end,
                trades: wire_trades,
                stamps: topic.key.stamps.then(|| stored_stamps(first, now)),
            };
            text_frame(out, |body| native_json::push_trade(body, &message));
            sent.through = first.end;
            sent.first_engine.get_or_insert(first.engine);
        }
        sent.all = rest.peek().is_none();
        sent
    }

    fn push_last_trades(&mut self, id: TopicId, reason: SnapshotReason, out: &mut Vec<u8>) {
        let topic = &self.topics[id.0 as usize];
        let replica = &self.replicas[topic.key.symbol.index()];
        let wire_trades = &mut self.scratch.wire_trades;
        wire_trades.clear();
        wire_trades.extend(replica.trades.newest(TRADES_IN_SNAPSHOT).map(wire_trade));
        wire_trades.reverse();
        let message = TradeMessage {
            instrument: &self.instruments[topic.key.symbol],
            epoch: self.epoch,
            kind: TradeKind::Snapshot(reason),
            seq: topic.tail.seq,
            trades: wire_trades,
            stamps: None,
        };
        text_frame(out, |body| native_json::push_trade(body, &message));
    }

    /// Puts the view at the topic's tail into the scratch.
    fn view_at_tail(&mut self, id: TopicId) {
        let topic = &self.topics[id.0 as usize];
        let book = &self.replicas[topic.key.symbol.index()].book;
        let view = book.view_at(
            &self.history,
            topic.unchanged_to.seq,
            topic.key.depth.get(),
            &mut self.scratch.view,
        );
        view.expect("a message is made only of a tail that is still held");
    }

    /// A message of a book or its top that ends at `mark`, where the view is that in the scratch.
    fn push_view(
        &self,
        id: TopicId,
        kind: BookKind,
        levels: &Ladder,
        mark: Mark,
        stamps: Option<Stamps>,
        out: &mut Vec<u8>,
    ) {
        let topic = self.topic(id);
        let (instrument, epoch) = (&self.instruments[topic.key.symbol], self.epoch);
        // A snapshot's levels are the view itself, and were taken out of the scratch for the time.
        let view = if matches!(kind, BookKind::Snapshot(_)) { levels } else { &self.scratch.view };
        text_frame(out, |body| {
            if topic.key.channel == Channel::Bbo {
                let (bid, ask) = (view.bids.first().copied(), view.asks.first().copied());
                native_json::push_bbo(body, &BboMessage { instrument, epoch, kind, bid, ask, mark, stamps });
            } else {
                let checksum = view.checksum(topic.key.depth.get());
                let message = BookMessage { instrument, epoch, kind, levels, checksum, mark, stamps };
                native_json::push_book(body, &message);
            }
        });
    }

    /// Whether a snapshot of this topic can be made now. While a bucket is open, what the book was at its beginning may be
    /// out of reach: it was written anew meanwhile, or the history is too short. Then the bucket's end makes a snapshot
    /// for all, and those who join wait for it.
    pub fn can_snapshot(&self, id: TopicId) -> bool {
        let topic = self.topic(id);
        let symbol = topic.key.symbol;
        topic.key.channel == Channel::Trade
            || self.standing(symbol) == Standing::Whole && self.holds(symbol, topic.unchanged_to.seq)
    }
}

fn stored_stamps(trade: &Trade, encode: Nanos) -> Stamps {
    Stamps { engine: trade.engine, ingest: trade.ingest, encode, engine_first: None }
}
