//! State transfer: a worker that the ring has overtaken gets its books anew from ingest.

use crate::{
    buckets::{Bucket, bucket_start},
    publisher::{Change, Notice, Publisher, Standing, append_gap, append_view, touch},
    topic::TopicId,
};
use book::{Image, Mark};
use market::{Nanos, SymbolId};
use wire::message::{BookKind, Channel, Gap, GapReason, Interval, SnapshotReason};

impl Publisher {
    /// The ring has overtaken this worker: all books wait for images. Which are wanted, the watched ones first.
    pub fn lapped(&mut self) -> Vec<SymbolId> {
        self.scratch.trades.clear();
        for replica in &mut self.replicas {
            replica.standing = Standing::Resyncing;
            replica.reset = None;
        }
        let mut symbols: Vec<SymbolId> = (0..self.replicas.len() as u32).map(SymbolId).collect();
        symbols.sort_by_key(|symbol| self.replicas[symbol.index()].topics.is_empty());
        symbols
    }

    /// Takes the image of a book that is resyncing: its subscribers get one snapshot, its trades are named as a gap.
    pub fn install(&mut self, image: &Image, now: Nanos) {
        // It was taken at or behind where this worker reads, so time can only have gone back because a replay was moved.
        self.feed_time = image.feed_time;
        self.ids = image.ids;
        let (feed_time, mark) = (self.feed_time, image.mark);
        let replica = &mut self.replicas[image.symbol.index()];
        if replica.standing != Standing::Resyncing {
            return;
        }
        if std::mem::replace(&mut replica.ids, image.ids) != image.ids {
            // Nothing else begins a numbering.
            replica.moved = Some(SnapshotReason::Loop);
        }
        replica.skip_below = image.position;
        replica.standing = match &image.levels {
            Some(levels) => {
                replica.book.restore(levels, mark, &mut self.history);
                if image.stale { Standing::Stale } else { Standing::Whole }
            }
            None => {
                replica.book.clear(&mut self.history);
                Standing::Absent
            }
        };
        replica.trades.begin_after(mark.seq);
        replica.changed_at = mark;
        for (bucket, interval) in replica.buckets.iter_mut().zip(Interval::OFFERED).skip(1) {
            *bucket = Bucket::joined(bucket_start(feed_time, interval), mark);
        }
        match replica.standing {
            Standing::Whole => self.notices.push(Notice::Look(image.symbol)),
            Standing::Stale => self.notices.push(Notice::FeedGap(image.symbol)),
            Standing::Absent | Standing::Resyncing => {}
        }
        let replica = &mut self.replicas[image.symbol.index()];
        let moved = replica.moved;
        if replica.standing == Standing::Whole {
            replica.moved = None;
        }
        for id in replica.topics.clone() {
            self.publish_image(id, mark, moved, now);
        }
    }

    fn publish_image(&mut self, id: TopicId, mark: Mark, moved: Option<SnapshotReason>, now: Nanos) {
        let topic = &mut self.topics[id.0 as usize];
        topic.reset = None;
        if topic.key.channel == Channel::Summary || (moved.is_none() && topic.tail.seq == mark.seq) {
            return;
        }
        // Numbers go back where a replay was moved while this worker did not read.
        let moved = moved.or_else(|| (topic.tail.seq > mark.seq).then_some(SnapshotReason::Seek));
        if let Some(reason) = moved {
            self.begin_anew(id, reason);
        }
        let topic = &mut self.topics[id.0 as usize];
        let replica = &self.replicas[topic.key.symbol.index()];
        let instrument = &self.instruments[topic.key.symbol];
        if let (Channel::Trade, Some(reason)) = (topic.key.channel, moved) {
            self.move_trades(id, mark, reason, now);
        } else if topic.key.channel == Channel::Trade {
            let gap = Gap {
                channel: Channel::Trade,
                symbol: &instrument.symbol,
                from_seq: topic.tail.seq + 1,
                to_seq: mark.seq,
                reason: GapReason::Lagged,
            };
            append_gap(topic, id, mark, &gap, &mut self.touched, &mut self.notices);
        } else if replica.standing == Standing::Whole && !topic.key.codec.mends_holes() {
            topic.pass(mark);
            self.notices.push(Notice::BrokenOff(topic.key));
        } else if replica.standing == Standing::Whole {
            let (depth, levels) = (topic.key.depth, &mut self.scratch.view);
            replica.book.view(depth.get(), levels);
            let checksum =
                topic.key.codec.checksum_depth(depth).map_or(0, |depth| levels.checksum(depth.get()));
            let reason = moved.unwrap_or(SnapshotReason::Lagged);
            let kind = BookKind::Snapshot(reason);
            let change = Change { kind, levels, checksum, mark, now };
            touch(&mut self.touched, id, topic);
            append_view(topic, instrument, replica, change);
        }
    }
}
