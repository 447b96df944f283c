//! A replay goes on elsewhere: it was moved, or begins its next round. Numbers begin anew, and nobody is told of both sides as if
//! they were one.

use crate::{
    frame::stamps,
    publisher::{Notice, Publisher, Standing, touch},
    topic::{Told, TopicId},
};
use book::Mark;
use market::{Event, Nanos, ResetReason};
use stats::Stats;
use std::mem::take;
use wire::message::{Channel, SnapshotReason, TradeKind, TradeMessage};

impl Publisher {
    /// A replay goes on elsewhere: nothing of what was before holds there, and the books come as resets. Symbols whose image is of
    /// behind the jump are there already.
    pub(crate) fn jump(&mut self, position: u64, jump: &Event, now: Nanos) {
        let reason = match jump.reset_reason() {
            ResetReason::Loop => SnapshotReason::Loop,
            _ => SnapshotReason::Seek,
        };
        if reason == SnapshotReason::Loop {
            self.end_buckets(now);
        }
        self.ids = jump.jump_ids();
        self.feed_time = jump.timestamp;
        self.stats = Stats::new(self.limits.candles);
        let mark = Mark { timestamp: jump.timestamp, ..Mark::default() };
        for index in 0..self.replicas.len() {
            if self.replicas[index].skip_below <= position {
                self.leave(index, reason, mark, now);
            }
        }
        for (_, topic) in self.topics.iter_mut().filter(|(_, topic)| topic.key.channel == Channel::Summary) {
            let at = if topic.key.codec.tells_snapshots() { Nanos::ZERO } else { jump.timestamp };
            topic.told = Told { at, ..Told::default() };
        }
        let topics = &self.topics;
        let is_open = |id: &TopicId| topics.get(id.0 as usize).is_some_and(|topic| topic.bucket_open);
        self.open_buckets.iter_mut().for_each(|open| open.retain(is_open));
    }

    /// A symbol goes on elsewhere; until its book begins there it is at `mark`.
    fn leave(&mut self, index: usize, reason: SnapshotReason, mark: Mark, now: Nanos) {
        let replica = &mut self.replicas[index];
        replica.ids = self.ids;
        replica.book.clear(&mut self.history);
        replica.trades.begin_after(0);
        replica.reset = None;
        if replica.standing == Standing::Whole {
            replica.standing = Standing::Stale;
        }
        if replica.standing != Standing::Absent {
            replica.moved = Some(reason);
        }
        let topics = take(&mut replica.topics);
        for &id in &topics {
            if self.topics[id.0 as usize].key.channel == Channel::Summary {
                continue;
            }
            self.begin_anew(id, reason);
            let topic = &mut self.topics[id.0 as usize];
            topic.bucket_open = false;
            topic.reset = None;
            match topic.key.channel {
                // Of a symbol that begins later there is no book that would say where its trades go on.
                Channel::Trade => self.move_trades(id, mark, reason, now),
                _ => topic.pass(mark),
            }
        }
        self.replicas[index].topics = topics;
    }

    /// The numbers of a topic begin anew with its next message.
    pub(crate) fn begin_anew(&mut self, id: TopicId, reason: SnapshotReason) {
        let topic = &mut self.topics[id.0 as usize];
        topic.anew = Some((topic.log.head(), reason));
        self.notices.push(Notice::Anew(id, reason));
    }

    /// Trades go on behind `mark`, and readers start over from there.
    pub(crate) fn move_trades(&mut self, id: TopicId, mark: Mark, reason: SnapshotReason, now: Nanos) {
        let topic = &mut self.topics[id.0 as usize];
        if !topic.key.codec.names_gaps() {
            topic.pass(mark);
            if !topic.key.codec.mends_holes() {
                self.notices.push(Notice::BrokenOff(topic.key));
            }
            return;
        }
        let message = TradeMessage {
            instrument: &self.instruments[topic.key.symbol],
            ids: self.replicas[topic.key.symbol.index()].ids,
            kind: TradeKind::Snapshot(reason),
            seq: mark.seq,
            trades: &[],
            stamps: topic.key.stamps.then(|| stamps(&mark, now)),
        };
        touch(&mut self.touched, id, topic);
        topic.append(mark, |out, codec| codec.push_trades(out, &message));
    }
}
