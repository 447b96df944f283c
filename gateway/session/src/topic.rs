//! A topic: one stream of shared messages of a worker, its log, and who reads it.

use crate::{
    log::{FrameNumber, Log},
    outlet::ConnId,
    subscriber::Catch,
};
use book::Mark;
use market::{Level, Nanos, Seq, SymbolId};
use stats::Revision;
use std::cmp::Ordering;
use wire::{
    codec::Codec,
    message::{Channel, Depth, Interval, SnapshotReason},
};

/// A topic of one worker. Numbers are used again once a topic has gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicId(pub u32);

/// What makes two subscriptions share their bytes.
///
/// Ordered by symbol, within a symbol trades first: they come before the book that they changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TopicKey {
    /// Whose.
    pub symbol: SymbolId,
    /// What.
    pub channel: Channel,
    /// How deep a book; 1 for its top, all for trades.
    pub depth: Depth,
    /// How much feed time a message covers; each event for trades.
    pub interval: Interval,
    /// Whether messages carry `ts`.
    pub stamps: bool,
    /// How its messages are written.
    pub codec: Codec,
}

impl Ord for TopicKey {
    fn cmp(&self, other: &TopicKey) -> Ordering {
        let order = |key: &TopicKey| {
            let parameters = (key.depth, key.interval, key.channel, key.stamps, key.codec);
            (key.symbol, key.channel != Channel::Trade, parameters)
        };
        order(self).cmp(&order(other))
    }
}

impl PartialOrd for TopicKey {
    fn partial_cmp(&self, other: &TopicKey) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Where a stream of messages stands: all that is to be known for making one that ends there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stand {
    /// Of what.
    pub key: TopicKey,
    /// Where the last message ended.
    pub tail: Mark,
    /// The view here is that at the tail: nothing in between made a message.
    pub unchanged_to: Mark,
}

impl Stand {
    /// Where a message ends that catches up a client which has everything up to `from`. That is the tail, unless the client
    /// resumed there or beyond: then it was in the middle of a bucket that came to nothing, and may hold what came to nothing.
    /// Where all that is touched is named, no bucket comes to nothing.
    pub fn end_of_catch(&self, from: Seq, how: Catch) -> Mark {
        let may_come_to_nothing =
            self.key.interval != Interval::EACH_EVENT && !self.key.codec.names_all_touched();
        let in_bucket = how == Catch::Resume && may_come_to_nothing;
        if in_bucket && from >= self.tail.seq { self.unchanged_to } else { self.tail }
    }
}

/// What a summary told last; by default, that it was not told yet.
#[derive(Debug, Clone, Copy, Default)]
pub struct Told {
    /// As of which feed time.
    pub at: Nanos,
    /// Where the trades stood.
    pub revision: Revision,
    /// The best of each side.
    pub top: [Option<Level>; 2],
}

/// The state of a topic.
pub struct Topic {
    /// Which.
    pub key: TopicKey,
    /// Its frames.
    pub log: Log,
    /// Where its last message ended; at birth, the last exchange event's end (with an interval, the bucket's start).
    pub tail: Mark,
    /// The view here is that at the tail: nothing in between made a message.
    pub unchanged_to: Mark,
    /// The frame number at which the present turn began.
    pub turn_began: u64,
    /// With an interval: something happened in the open bucket.
    pub bucket_open: bool,
    /// With an interval: the book was written anew in the open bucket, for this reason.
    pub reset: Option<SnapshotReason>,
    /// Its numbers begin anew with this frame, for this reason: those before it are of another place of a replay.
    pub anew: Option<(FrameNumber, SnapshotReason)>,
    /// Of a summary: what it told last.
    pub told: Told,
    /// The connections that read it.
    pub subscribers: Vec<ConnId>,
    /// Those of them for which frames are kept until they have them.
    pub lossless: Vec<ConnId>,
    /// Whether its log may hold frames of earlier turns.
    pub holds: bool,
}

impl Topic {
    /// A topic without messages whose numbering begins after `tail`.
    pub fn new(key: TopicKey, tail: Mark) -> Topic {
        Topic {
            key,
            log: Log::default(),
            tail,
            unchanged_to: tail,
            turn_began: 0,
            bucket_open: false,
            reset: None,
            anew: None,
            told: Told::default(),
            subscribers: Vec::new(),
            lossless: Vec::new(),
            holds: false,
        }
    }

    /// Appends the message that ends at `mark`, as `message` appends it.
    pub fn append(&mut self, mark: Mark, message: impl FnOnce(&mut Vec<u8>, Codec)) {
        let codec = self.key.codec;
        self.log.append(mark.seq, mark.engine, |out| message(out, codec));
        self.pass(mark);
    }

    /// Nobody who is in step needs anything of what lies before `mark`.
    pub fn pass(&mut self, mark: Mark) {
        self.tail = mark;
        self.unchanged_to = mark;
    }

    /// Why whoever gets this frame next has nothing of the present numbers, and cannot be caught up from what it has; `None` if it
    /// can.
    pub fn is_before_anew(&self, cursor: FrameNumber) -> Option<SnapshotReason> {
        self.anew.filter(|&(begin, _)| cursor <= begin).map(|(_, reason)| reason)
    }

    /// Where it stands.
    pub fn stand(&self) -> Stand {
        Stand { key: self.key, tail: self.tail, unchanged_to: self.unchanged_to }
    }

    /// Engine times of the messages that this turn appended.
    pub fn engines_of_turn(&self) -> impl Iterator<Item = Nanos> {
        self.log.engines_from(self.turn_began)
    }
}
