//! From events to frames: the replicas of the books, the topics that somebody watches, and their logs.
//!
//! A publisher applies each event of the ring once, and encodes each change once for all who watch it. It knows which
//! connections read a topic but nothing of what they are or how far they have come.

use crate::{
    buckets::{Bucket, bucket_start, place_of},
    frame::{snapshot_reason, stamps, wire_trade},
    latency::{Latency, SAMPLE, Stage},
    limits::Limits,
    topic::{Topic, TopicId, TopicKey},
    trades::{self, TradeStore},
};
use book::{Book, EventView, History, Ladder, Mark};
use market::{Epoch, Event, Ids, Instrument, Instruments, Kind, Nanos, ResetReason, Side, SymbolId};
use slab::Slab;
use stats::Stats;
use std::{collections::HashMap, mem::take, sync::Arc};
use wire::message::{
    BboMessage, BookKind, BookMessage, Channel, Depth, Gap, GapReason, Interval, SnapshotReason, Trade,
    TradeKind, TradeMessage,
};

/// Whether a symbol's book can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It has not begun yet.
    Absent,
    /// It is whole and up to date.
    Whole,
    /// The feed has a hole: the book waits for a reset.
    Stale,
    /// This worker was lapped: the book waits for an image from ingest.
    Resyncing,
}

/// What is kept of a symbol, watched or not.
pub(crate) struct Replica {
    pub(crate) book: Book,
    /// The numbering of its numbers: the publisher's, unless its image is of another place in the ring.
    pub(crate) ids: Ids,
    pub(crate) standing: Standing,
    pub(crate) trades: TradeStore,
    /// Its topics, in the order of their keys: trades first, then by depth.
    pub(crate) topics: Vec<TopicId>,
    /// The book was written anew in the present exchange event.
    pub(crate) reset: Option<ResetReason>,
    /// A replay went on elsewhere, and the book has not begun there yet: what its first snapshot says.
    pub(crate) moved: Option<SnapshotReason>,
    /// The present exchange event changes the book.
    pub(crate) changes: bool,
    /// The end of the last exchange event that changed the book.
    pub(crate) changed_at: Mark,
    /// Events of ring positions below this are in the book already.
    pub(crate) skip_below: u64,
    /// For each offered interval, the last bucket in which something happened, and where it began.
    pub(crate) buckets: [Bucket; Interval::OFFERED.len()],
}

impl Replica {
    fn new(ids: Ids) -> Replica {
        Replica {
            book: Book::new(),
            ids,
            standing: Standing::Absent,
            trades: TradeStore::default(),
            topics: Vec::new(),
            reset: None,
            moved: None,
            skip_below: 0,
            changes: false,
            changed_at: Mark::default(),
            buckets: [Bucket::from(Nanos::MAX, Mark::default()); Interval::OFFERED.len()],
        }
    }
}

/// Something that concerns the clients of one symbol, or all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// The feed has a hole; the book is stale.
    FeedGap(SymbolId),
    /// The book is crossed.
    Crossed(SymbolId),
    /// Whoever waits for something of this symbol is to be looked at: its book stands, or a bucket came to nothing.
    Look(SymbolId),
    /// The numbers of this topic begin anew: whoever was to be caught up from one of before starts over, for this reason.
    Anew(TopicId, SnapshotReason),
    /// The stream of this topic cannot go on, and its dialect has no word for that: connections that read it end.
    BrokenOff(TopicKey),
    /// The feed gives no sign of life.
    FeedStalled,
    /// The feed came to its end.
    FeedEnded,
}

/// Replicas, topics and logs of one worker.
pub struct Publisher {
    /// The newest numbering that is known of.
    pub(crate) ids: Ids,
    pub(crate) instruments: Arc<Instruments>,
    pub(crate) limits: Limits,
    clock: fn() -> Nanos,
    pub(crate) replicas: Vec<Replica>,
    pub(crate) history: History,
    pub(crate) stats: Stats,
    pub(crate) topics: Slab<Topic>,
    pub(crate) by_key: HashMap<TopicKey, TopicId>,
    /// Topics with frames of this turn.
    pub(crate) touched: Vec<TopicId>,
    /// Topics whose logs hold frames of earlier turns.
    pub(crate) held: Vec<TopicId>,
    /// For each offered interval, the topics whose open bucket is not empty.
    pub(crate) open_buckets: [Vec<TopicId>; Interval::OFFERED.len()],
    pub(crate) feed_time: Nanos,
    position: u64,
    /// What happened this turn that clients have to be told besides messages.
    pub(crate) notices: Vec<Notice>,
    /// Latency of the stages up to the frame.
    pub latency: Latency,
    until_sample: u32,
    pub(crate) scratch: Scratch,
}

/// Room that is used again for each event.
#[derive(Default)]
pub(crate) struct Scratch {
    pub(crate) levels: Ladder,
    pub(crate) view: Ladder,
    pub(crate) trades: Vec<trades::Trade>,
    pub(crate) wire_trades: Vec<Trade>,
}

/// The changes of one exchange event at one depth, worked out once for all topics that need them.
#[derive(Clone, Copy)]
struct AtDepth {
    depth: Depth,
    changed: bool,
    checksum: Checksum,
}

/// The last checksum that was worked out in an exchange event, and of how much.
#[derive(Clone, Copy, Default)]
struct Checksum(Option<(Depth, u32)>);

impl Checksum {
    fn of(&mut self, depth: Depth, book: &mut Book) -> u32 {
        match self.0 {
            Some((of, checksum)) if of == depth => checksum,
            _ => {
                let checksum = book.checksum(depth.get());
                self.0 = Some((depth, checksum));
                checksum
            }
        }
    }
}

impl Publisher {
    /// A publisher of these instruments, without books: they come with the feed, or as images. `ids` is the numbering where it begins
    /// to read.
    ///
    /// `clock` is read only to time a sample of the stages.
    pub fn new(limits: Limits, instruments: Arc<Instruments>, ids: Ids, clock: fn() -> Nanos) -> Publisher {
        Publisher {
            ids,
            replicas: instruments.iter().map(|_| Replica::new(ids)).collect(),
            history: History::new(limits.history_bytes),
            stats: Stats::new(limits.candles),
            instruments,
            limits,
            clock,
            topics: Slab::new(),
            by_key: HashMap::new(),
            touched: Vec::new(),
            held: Vec::new(),
            open_buckets: Default::default(),
            feed_time: Nanos::ZERO,
            position: 0,
            notices: Vec::new(),
            latency: Latency::default(),
            until_sample: 1,
            scratch: Scratch::default(),
        }
    }

    /// The numbering of a symbol's book and trades, with what its ids count from.
    pub fn ids_of(&self, symbol: SymbolId) -> Ids {
        self.replicas[symbol.index()].ids
    }

    /// The newest numbering that is known of. For a moment there may be symbols that are still, or already, in another one.
    pub fn epoch(&self) -> Epoch {
        self.ids.epoch
    }

    /// The instruments, in the feed's order.
    pub fn instruments(&self) -> &Arc<Instruments> {
        &self.instruments
    }

    /// Takes a longer table of instruments.
    pub fn set_instruments(&mut self, instruments: Arc<Instruments>) {
        self.replicas.resize_with(instruments.len(), || Replica::new(self.ids));
        self.instruments = instruments;
    }

    /// The ring position behind the last event taken.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Whether the book of a symbol can be told.
    pub fn standing(&self, symbol: SymbolId) -> Standing {
        self.replicas[symbol.index()].standing
    }

    /// How many books stand whole.
    pub fn books_standing(&self) -> usize {
        self.replicas.iter().filter(|replica| replica.standing == Standing::Whole).count()
    }

    /// The last exchange event's end of a symbol.
    pub fn mark(&self, symbol: SymbolId) -> Mark {
        self.replicas[symbol.index()].book.mark()
    }

    /// The end of the last exchange event that changed a symbol's book.
    pub(crate) fn changed_at(&self, symbol: SymbolId) -> Mark {
        self.replicas[symbol.index()].changed_at
    }

    /// The time, read from the clock.
    pub fn time(&self) -> Nanos {
        (self.clock)()
    }

    /// A topic.
    pub fn topic(&self, id: TopicId) -> &Topic {
        &self.topics[id.0 as usize]
    }

    /// Takes the event at a position of the ring. `now` is the time of the turn.
    pub fn event(&mut self, position: u64, event: &Event, now: Nanos) {
        self.position = position + 1;
        match event.kind {
            Kind::Level | Kind::Reset => self.numbered(position, event, now),
            Kind::Trade => {
                if self.limits.candles > 0 {
                    self.stats.event(event);
                }
                self.numbered(position, event, now);
            }
            Kind::Tick => {
                self.stats.event(event);
                self.tick(event.timestamp, now);
            }
            Kind::FeedGap => {
                let replica = &mut self.replicas[event.symbol.index()];
                if position >= replica.skip_below && replica.standing != Standing::Resyncing {
                    replica.standing = Standing::Stale;
                    self.notices.push(Notice::FeedGap(event.symbol));
                }
            }
            Kind::Jump => self.jump(position, event, now),
            Kind::Crossed => self.notices.push(Notice::Crossed(event.symbol)),
            Kind::FeedStalled => self.notices.push(Notice::FeedStalled),
            Kind::FeedEnded => {
                self.end_buckets(now);
                self.notices.push(Notice::FeedEnded);
            }
            // The table itself comes by set_instruments before any event of the new instrument is read.
            Kind::Listing => {}
        }
    }

    /// Nothing more happens: what is still open of messages with an interval is told.
    pub fn end_buckets(&mut self, now: Nanos) {
        self.close_buckets(|_| true, now);
        self.replicas.iter_mut().for_each(Replica::end_buckets);
    }

    fn numbered(&mut self, position: u64, event: &Event, now: Nanos) {
        let replica = &mut self.replicas[event.symbol.index()];
        if position < replica.skip_below || replica.standing == Standing::Resyncing {
            return;
        }
        match event.kind {
            Kind::Reset => {
                replica.reset = Some(event.reset_reason());
                replica.changes = true;
            }
            Kind::Trade => self.scratch.trades.push(trades::Trade {
                seq: event.seq,
                end: event.seq,
                price: event.price,
                qty: event.qty,
                side: event.side,
                id: event.number,
                timestamp: event.timestamp,
                engine: event.engine,
                ingest: event.ingest,
            }),
            _ => replica.changes = true,
        }
        if !event.last {
            return replica.book.apply(event, &mut self.history);
        }
        replica.enter_buckets(self.feed_time, replica.book.mark());
        self.latency.record(Stage::Feed, event.engine, event.ingest);
        self.latency.record(Stage::Ring, event.ingest, now);
        self.until_sample -= 1;
        if self.until_sample > 0 {
            replica.book.apply(event, &mut self.history);
            return self.close_event(event, now);
        }
        self.until_sample = SAMPLE;
        let begun = (self.clock)();
        replica.book.apply(event, &mut self.history);
        let applied = (self.clock)();
        self.close_event(event, now);
        self.latency.record(Stage::Apply, begun, applied);
        self.latency.record(Stage::Encode, applied, (self.clock)());
    }

    /// At the end of an exchange event: a message for each topic whose view changed.
    fn close_event(&mut self, last: &Event, now: Nanos) {
        let index = last.symbol.index();
        let replica = &mut self.replicas[index];
        if take(&mut replica.changes) {
            replica.changed_at = replica.book.mark();
        }
        let mut reset = None;
        let restored = replica.reset.filter(|reason| reason.restores());
        let moved = replica.moved.unwrap_or(SnapshotReason::Seek);
        if restored.is_some() && !replica.book.stands() && replica.standing == Standing::Whole {
            replica.standing = Standing::Stale;
        }
        if replica.book.stands()
            && let Some(reason) = replica.reset.take()
        {
            let before = std::mem::replace(&mut replica.standing, Standing::Whole);
            reset = Some(take(&mut replica.moved).unwrap_or_else(|| snapshot_reason(reason)));
            if before != Standing::Whole {
                self.notices.push(Notice::Look(last.symbol));
            }
            if before == Standing::Absent {
                // Nobody has anything of this book yet: it is the first snapshot of whoever waits for it.
                reset = Some(SnapshotReason::Subscribe);
                let mark = replica.book.mark();
                replica.buckets.iter_mut().for_each(|bucket| *bucket = Bucket::from(bucket.start, mark));
            }
        }
        if restored.is_some() {
            // Where the open buckets began is not known.
            let mark = replica.book.mark();
            for (bucket, interval) in replica.buckets.iter_mut().zip(Interval::OFFERED).skip(1) {
                *bucket = Bucket::joined(bucket_start(self.feed_time, interval), mark);
            }
        }
        let limit = trades_per_symbol(&self.limits, self.instruments.len());
        let gap = match reset {
            Some(SnapshotReason::FeedGap) if restored.is_some() => Some(GapReason::RecordingGap),
            Some(SnapshotReason::FeedGap) => Some(GapReason::FeedGap),
            _ => None,
        };
        if restored == Some(ResetReason::Seek) {
            replica.trades.begin_after(last.seq);
        } else if gap.is_some() {
            replica.trades.lose(last.seq, limit);
        } else if !self.scratch.trades.is_empty() {
            self.scratch.trades.iter_mut().for_each(|trade| trade.end = last.seq);
            replica.trades.extend(&self.scratch.trades, limit);
        }
        let topics = take(&mut self.replicas[index].topics);
        let mut worked_out: Option<AtDepth> = None;
        for &id in &topics {
            match self.topics[id.0 as usize].key.channel {
                Channel::Trade if restored == Some(ResetReason::Seek) => {
                    self.move_trades(id, self.replicas[index].book.mark(), moved, now);
                }
                Channel::Trade => self.publish_trades(id, gap, last, now),
                Channel::Book | Channel::Bbo => self.publish_view(id, reset, last, now, &mut worked_out),
                Channel::Stats | Channel::Summary => {}
            }
        }
        self.replicas[index].topics = topics;
        self.scratch.trades.clear();
    }

    fn publish_trades(&mut self, id: TopicId, gap: Option<GapReason>, last: &Event, now: Nanos) {
        let replica = &self.replicas[last.symbol.index()];
        let (mark, ids) = (replica.book.mark(), replica.ids);
        let instrument = &self.instruments[last.symbol];
        let topic = &mut self.topics[id.0 as usize];
        let first_seq = topic.tail.seq + 1;
        if let Some(reason) = gap {
            let gap = Gap {
                channel: Channel::Trade,
                symbol: &instrument.symbol,
                from_seq: first_seq,
                to_seq: mark.seq,
                reason,
            };
            return append_gap(topic, id, mark, &gap, &mut self.touched, &mut self.notices);
        }
        if self.scratch.trades.is_empty() {
            return;
        }
        self.scratch.wire_trades.clear();
        self.scratch.wire_trades.extend(self.scratch.trades.iter().map(wire_trade));
        let message = TradeMessage {
            instrument,
            ids,
            kind: TradeKind::Update { first_seq },
            seq: mark.seq,
            trades: &self.scratch.wire_trades,
            stamps: topic.key.stamps.then(|| stamps(&mark, now)),
        };
        touch(&mut self.touched, id, topic);
        topic.append(mark, |out, codec| codec.push_trades(out, &message));
    }

    /// A book or its top: at once, or with an interval at the bucket's end.
    fn publish_view(
        &mut self,
        id: TopicId,
        reset: Option<SnapshotReason>,
        last: &Event,
        now: Nanos,
        worked_out: &mut Option<AtDepth>,
    ) {
        let replica = &mut self.replicas[last.symbol.index()];
        if replica.standing != Standing::Whole {
            return;
        }
        let topic = &mut self.topics[id.0 as usize];
        // A first snapshot does not wait for the end of a bucket.
        if topic.key.interval != Interval::EACH_EVENT && reset != Some(SnapshotReason::Subscribe) {
            topic.reset = reset.or(topic.reset);
            if !topic.bucket_open {
                topic.bucket_open = true;
                self.open_buckets[place_of(topic.key.interval)].push(id);
            }
            return;
        }
        let depth = topic.key.depth;
        let mark = replica.book.mark();
        let change = if let Some(reason) = reset {
            let levels = &mut self.scratch.view;
            replica.book.view(depth.get(), levels);
            let checksum =
                topic.key.codec.checksum_depth(depth).map_or(0, |depth| levels.checksum(depth.get()));
            Change { kind: BookKind::Snapshot(reason), levels, checksum, mark, now }
        } else {
            if worked_out.is_none_or(|at| at.depth != depth) {
                let changed = replica.book.event_changes(depth.get(), &mut self.scratch.levels);
                *worked_out = Some(AtDepth {
                    depth,
                    changed: changed != EventView::Unchanged,
                    checksum: Checksum::default(),
                });
            }
            let Some(at) = worked_out else { return };
            if !at.changed {
                topic.unchanged_to = mark;
                return;
            }
            let checksum = match topic.key.codec.checksum_depth(depth) {
                Some(of) if topic.key.channel == Channel::Book => at.checksum.of(of, &mut replica.book),
                _ => 0,
            };
            let kind = BookKind::Update { first_seq: topic.tail.seq + 1, merged: None };
            Change { kind, levels: &self.scratch.levels, checksum, mark, now }
        };
        touch(&mut self.touched, id, topic);
        append_view(topic, &self.instruments[last.symbol], replica, change);
    }

    /// Feed time has reached `time`: the buckets that ended make their messages.
    fn tick(&mut self, time: Nanos, now: Nanos) {
        let before = std::mem::replace(&mut self.feed_time, time);
        self.close_buckets(|interval| bucket_start(before, interval) != bucket_start(time, interval), now);
    }

    /// Ends the open buckets of all topics with such intervals.
    fn close_buckets(&mut self, ended: impl Fn(Interval) -> bool, now: Nanos) {
        for (index, interval) in Interval::OFFERED.iter().enumerate() {
            if *interval == Interval::EACH_EVENT || !ended(*interval) {
                continue;
            }
            let mut open = take(&mut self.open_buckets[index]);
            open.retain(|&id| {
                // A topic that went while its bucket was open left its number behind.
                let topic = self.topics.get(id.0 as usize).filter(|topic| topic.bucket_open);
                let is_summary = topic.is_some_and(|topic| topic.key.channel == Channel::Summary);
                match is_summary {
                    true => self.publish_summary(id),
                    false => self.close_bucket(id, now),
                }
                is_summary
            });
            self.open_buckets[index] = open;
        }
    }

    fn close_bucket(&mut self, id: TopicId, now: Nanos) {
        // A topic that went while its bucket was open left its number behind.
        let Some(topic) = self.topics.get_mut(id.0 as usize).filter(|topic| topic.bucket_open) else {
            return;
        };
        topic.bucket_open = false;
        let replica = &mut self.replicas[topic.key.symbol.index()];
        if replica.standing != Standing::Whole {
            return;
        }
        let here = replica.book.mark();
        let depth = topic.key.depth;
        let levels = &mut self.scratch.levels;
        let reset = topic.reset.take();
        let codec = topic.key.codec;
        let mark = if codec.ends_with_changes() { replica.changed_at } else { here };
        let from = topic.unchanged_to.seq;
        let changed = if codec.names_all_touched() {
            replica.book.catch_up(&self.history, from, here.seq, depth.get(), levels)
        } else {
            replica.book.changes(&self.history, from, here.seq, depth.get(), levels)
        };
        let kind = match (reset, changed) {
            (None, Ok(_)) if levels.is_empty() => {
                self.notices.push(Notice::Look(topic.key.symbol));
                return topic.unchanged_to = here;
            }
            (None, Ok(_)) => BookKind::Update { first_seq: topic.tail.seq + 1, merged: None },
            _ if !codec.mends_holes() => {
                topic.pass(mark);
                return self.notices.push(Notice::BrokenOff(topic.key));
            }
            (reset, _) => BookKind::Snapshot(reset.unwrap_or(SnapshotReason::Lagged)),
        };
        if matches!(kind, BookKind::Snapshot(_)) || codec.shows_views() {
            replica.book.view(depth.get(), levels);
        }
        let checksum = codec.checksum_depth(depth).map_or(0, |depth| replica.book.checksum(depth.get()));
        let change = Change { kind, levels, checksum, mark, now };
        touch(&mut self.touched, id, topic);
        append_view(topic, &self.instruments[topic.key.symbol], replica, change);
    }
}

/// What a message of a book or its top says, before it is known for which topic.
pub(crate) struct Change<'a> {
    pub(crate) kind: BookKind,
    pub(crate) levels: &'a Ladder,
    pub(crate) checksum: u32,
    pub(crate) mark: Mark,
    pub(crate) now: Nanos,
}

pub(crate) fn append_view(topic: &mut Topic, instrument: &Instrument, replica: &Replica, change: Change<'_>) {
    let Change { kind, levels, checksum, mark, now } = change;
    let Replica { ids, book, .. } = replica;
    let ids = *ids;
    let stamps = topic.key.stamps.then(|| stamps(&mark, now));
    if topic.key.channel == Channel::Bbo {
        let [bid, ask] = Side::BOTH.map(|side| book.best(side));
        let message = BboMessage { instrument, ids, kind, bid, ask, mark, stamps };
        topic.append(mark, |out, codec| codec.push_bbo(out, &message));
    } else {
        let message = BookMessage { instrument, ids, kind, levels, checksum, mark, stamps };
        topic.append(mark, |out, codec| codec.push_book(out, &message));
    }
}

/// Names a gap to all who read trades, where the dialect has a word for it, or ends their connections where it has to.
pub(crate) fn append_gap(
    topic: &mut Topic,
    id: TopicId,
    mark: Mark,
    gap: &Gap<'_>,
    touched: &mut Vec<TopicId>,
    notices: &mut Vec<Notice>,
) {
    if topic.key.codec.names_gaps() {
        touch(touched, id, topic);
        return topic.append(mark, |out, codec| codec.push_gap(out, gap));
    }
    topic.pass(mark);
    if !topic.key.codec.mends_holes() {
        notices.push(Notice::BrokenOff(topic.key));
    }
}

pub(crate) fn touch(touched: &mut Vec<TopicId>, id: TopicId, topic: &Topic) {
    if topic.log.head() == topic.turn_began {
        touched.push(id);
    }
}

/// How many trades each symbol may keep.
fn trades_per_symbol(limits: &Limits, symbols: usize) -> usize {
    limits.trades_bytes / size_of::<trades::Entry>() / symbols.max(1)
}
