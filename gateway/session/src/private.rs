//! Messages for one subscriber: whoever is not in step gets one of these, which ends at the topic's tail, and is in step
//! after it.

use crate::{
    frame::{stamps, wire_trade},
    publisher::{Publisher, Standing},
    subscriber::Catch,
    topic::{Stand, TopicId, TopicKey},
    trades::{Entry, Trade},
};
use book::{HistoryError, Ladder, Mark};
use market::{Nanos, Seq};
use wire::message::{
    BboMessage, BookKind, BookMessage, Channel, Gap, GapReason, SnapshotReason, Stamps, TradeKind,
    TradeMessage,
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
    /// Appends a snapshot as of the tail, the last trades for the trade channel.
    ///
    /// # Panics
    /// Unless [`Publisher::can_snapshot`].
    pub fn push_snapshot(&mut self, stand: &Stand, reason: SnapshotReason, now: Nanos, out: &mut Vec<u8>) {
        if stand.key.channel == Channel::Trade {
            return self.push_last_trades(stand, reason, out);
        }
        if stand.key.channel == Channel::Summary {
            return self.push_present_summary(&stand.key, out);
        }
        self.view_at_tail(stand);
        let stamps = stand.key.stamps.then(|| stamps(&stand.tail, now));
        let levels = std::mem::take(&mut self.scratch.view);
        self.push_view(&stand.key, BookKind::Snapshot(reason), &levels, stand.tail, stamps, out);
        self.scratch.view = levels;
    }

    /// Appends the message that brings a subscriber of a book or its top from `from` to [`Stand::end_of_catch`], exactly.
    /// Returns what it covers.
    ///
    /// # Errors
    /// If the history does not reach back that far: a snapshot is due.
    pub fn push_catch(
        &mut self,
        stand: &Stand,
        from: Seq,
        how: Catch,
        now: Nanos,
        out: &mut Vec<u8>,
    ) -> Result<book::Range, HistoryError> {
        let (key, end) = (stand.key, stand.end_of_catch(from, how));
        // What made no message since the end is in neither view.
        let to = stand.unchanged_to.seq;
        let book = &self.replicas[key.symbol.index()].book;
        let levels = &mut self.scratch.levels;
        let range = if how == Catch::Resume || key.codec.names_all_touched() {
            book.catch_up(&self.history, from, to, key.depth.get(), levels)?
        } else {
            book.changes(&self.history, from, to, key.depth.get(), levels)?
        };
        // The last message ended with the last change, and the token may lie behind it.
        let follows = match how == Catch::Resume && key.codec.ends_with_changes() {
            true => book.changed_at_or_before(&self.history, from)?,
            false => from,
        };
        let merged = (how == Catch::Merge { slow: true }).then(|| end.event.saturating_sub(range.from.event));
        let mut stamps = key.stamps.then(|| stamps(&end, now));
        if let (Some(stamps), Some(_)) = (&mut stamps, merged) {
            stamps.engine_first = Some(range.first_engine);
        }
        self.view_at_tail(stand);
        let levels = std::mem::take(&mut self.scratch.levels);
        let kind = BookKind::Update { first_seq: follows + 1, merged };
        self.push_view(&key, kind, &levels, end, stamps, out);
        self.scratch.levels = levels;
        Ok(range)
    }

    /// Appends trade messages from the store, from `from` on to the last one or until `out` is `limit` bytes long. What is
    /// no longer held is named first, with this reason; what the feed lost is named in its place.
    pub fn push_trades_after(
        &mut self,
        key: &TopicKey,
        from: Seq,
        reason: GapReason,
        now: Nanos,
        limit: usize,
        out: &mut Vec<u8>,
    ) -> TradesSent {
        let store = &self.replicas[key.symbol.index()].trades;
        let (instrument, codec, ids) = (&self.instruments[key.symbol], key.codec, self.ids_of(key.symbol));
        let mut sent = TradesSent { through: from, gaps: 0, all: false, first_engine: None };
        let gap = |sent: &mut TradesSent, to_seq: Seq, reason: GapReason, out: &mut Vec<u8>| {
            let from_seq = sent.through + 1;
            let gap = Gap { channel: Channel::Trade, symbol: &instrument.symbol, from_seq, to_seq, reason };
            codec.push_gap(out, &gap);
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
                ids,
                kind: TradeKind::Update { first_seq: sent.through + 1 },
                seq: first.end,
                trades: wire_trades,
                stamps: key.stamps.then(|| stored_stamps(first, now)),
            };
            codec.push_trades(out, &message);
            sent.through = first.end;
            sent.first_engine.get_or_insert(first.engine);
        }
        sent.all = rest.peek().is_none();
        sent
    }

    fn push_last_trades(&mut self, stand: &Stand, reason: SnapshotReason, out: &mut Vec<u8>) {
        let key = &stand.key;
        let replica = &self.replicas[key.symbol.index()];
        let wire_trades = &mut self.scratch.wire_trades;
        wire_trades.clear();
        wire_trades.extend(replica.trades.newest(TRADES_IN_SNAPSHOT).map(wire_trade));
        wire_trades.reverse();
        let message = TradeMessage {
            instrument: &self.instruments[key.symbol],
            ids: replica.ids,
            kind: TradeKind::Snapshot(reason),
            seq: stand.tail.seq,
            trades: wire_trades,
            stamps: None,
        };
        key.codec.push_trades(out, &message);
    }

    /// Puts the view at the tail into the scratch.
    fn view_at_tail(&mut self, stand: &Stand) {
        let key = &stand.key;
        let book = &self.replicas[key.symbol.index()].book;
        let at = stand.unchanged_to.seq;
        let view = book.view_at(&self.history, at, key.depth.get(), &mut self.scratch.view);
        view.expect("a message is made only of a tail that is still held");
    }

    /// A message of a book or its top that ends at `mark`, where the view is that in the scratch.
    fn push_view(
        &self,
        key: &TopicKey,
        kind: BookKind,
        levels: &Ladder,
        mark: Mark,
        stamps: Option<Stamps>,
        out: &mut Vec<u8>,
    ) {
        let (instrument, ids, codec) = (&self.instruments[key.symbol], self.ids_of(key.symbol), key.codec);
        // A snapshot's levels are the view itself, and were taken out of the scratch for the time.
        let view = if matches!(kind, BookKind::Snapshot(_)) { levels } else { &self.scratch.view };
        if key.channel == Channel::Bbo {
            let (bid, ask) = (view.bids.first().copied(), view.asks.first().copied());
            return codec.push_bbo(out, &BboMessage { instrument, ids, kind, bid, ask, mark, stamps });
        }
        let levels = if codec.shows_views() { view } else { levels };
        let checksum = codec.checksum_depth(key.depth).map_or(0, |depth| view.checksum(depth.get()));
        codec.push_book(out, &BookMessage { instrument, ids, kind, levels, checksum, mark, stamps });
    }

    /// Whether a snapshot of this topic can be made now. While a bucket is open, what the book was at its beginning may be
    /// out of reach: it was written anew meanwhile, or the history is too short. Then the bucket's end makes a snapshot
    /// for all, and those who join wait for it.
    pub fn can_snapshot(&self, id: TopicId) -> bool {
        let topic = self.topic(id);
        let symbol = topic.key.symbol;
        if topic.key.channel == Channel::Summary {
            return self.has_summary(&topic.key);
        }
        topic.key.channel == Channel::Trade
            || self.standing(symbol) == Standing::Whole && self.holds(symbol, topic.unchanged_to.seq)
    }
}

fn stored_stamps(trade: &Trade, encode: Nanos) -> Stamps {
    Stamps { engine: trade.engine, ingest: trade.ingest, encode, engine_first: None }
}
