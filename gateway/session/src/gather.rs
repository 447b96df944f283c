//! Gathering a batch: what one subscription adds to it, by where the subscription is.

use crate::{
    publisher::Publisher,
    stats::Watch,
    subscriber::{Catch, Figures, Place, Subscription},
    topic::{TopicId, TopicKey},
    worker::Counters,
};
use market::{Nanos, Seq};
use std::{collections::HashMap, rc::Rc};
use wire::message::{Channel, GapReason, Interval, Policy, SnapshotReason};

/// A private message that may serve several clients of one topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Need {
    Snapshot(SnapshotReason),
    Catch(Seq, Catch),
}

/// The private messages of a turn, and how much of large ones waits in sockets.
#[derive(Default)]
pub struct PrivateMessages {
    /// By what they tell and where they end. The number of a topic would not do: it is used again within a turn, and a
    /// message that was made before the ring was read ends too early.
    made: HashMap<(TopicKey, Seq, Need), Private>,
    /// Bytes of large private messages that wait in sockets.
    large_held: usize,
    /// Snapshots that were too large to go beside these, so that they are not made again and again before there is room.
    refused: HashMap<TopicKey, usize>,
}

impl PrivateMessages {
    /// Forgets what was made: after the turn it is out of date.
    pub fn end_turn(&mut self) {
        self.made.clear();
    }

    /// A large message of so many bytes waits in a socket from now on.
    pub fn hold(&mut self, bytes: usize) {
        self.large_held += bytes;
    }

    /// It does no longer: it is written, or its connection is gone.
    pub fn release(&mut self, bytes: usize) {
        self.large_held -= bytes;
        if bytes > 0 {
            self.refused.clear();
        }
    }
}

/// A private message.
#[derive(Clone)]
struct Private {
    bytes: Rc<[u8]>,
    /// Where it ends.
    end: Seq,
    /// When its oldest event was meant to happen; none for a snapshot.
    engine: Option<Nanos>,
}

/// What became of one subscription.
pub enum Served {
    /// All that was pending is in the batch.
    Done,
    /// The batch is full; there is more.
    Full,
    /// The batch is this one message alone.
    Large(Rc<[u8]>),
    /// A snapshot has to wait until sockets have taken earlier ones.
    Wait,
    /// A `lossless` subscription whose next frame is no longer held.
    FellOff,
    /// A subscription that cannot go on, in a dialect that has no word for that.
    BrokenOff,
}

/// Whether a visit would bring a subscription something, or bring it into step.
pub fn is_pending(publisher: &Publisher, sub: &Subscription) -> bool {
    let topic = publisher.topic(sub.topic);
    match sub.place {
        Place::InStep(cursor) => cursor != topic.log.head(),
        // A bucket's message is a net difference, and wrong for a client that was in the middle of it: who resumes at the
        // tail waits for a message of its own, as who resumes beyond it does, also where the bucket comes to nothing.
        Place::Behind(how @ Catch::Resume) if topic.key.interval != Interval::EACH_EVENT => {
            topic.stand().end_of_catch(sub.sent, how).seq > sub.sent
        }
        Place::Behind(_) => topic.tail.seq >= sub.sent,
        Place::Snapshot(_) => publisher.can_snapshot(sub.topic),
    }
}

/// Gathers one batch of one connection.
pub struct Gatherer<'a> {
    /// Topics and books.
    pub publisher: &'a mut Publisher,
    /// Private messages of this turn.
    pub private: &'a mut PrivateMessages,
    /// The worker's counters.
    pub counters: &'a mut Counters,
    /// The batch.
    pub batch: &'a mut Vec<u8>,
    /// Most bytes of a batch, unless one message is larger.
    pub batch_limit: usize,
    /// Most bytes of large private messages that may wait in sockets.
    pub private_limit: usize,
    /// The client has been slow: what waits is merged.
    pub slow: bool,
    /// The client's figures.
    pub figures: &'a mut Figures,
    /// Who counts latencies of this client, and the time that counts as that of the write.
    pub watch: Option<(&'a mut Watch, Nanos)>,
    /// Whether all that is in the batch was copied from logs.
    pub only_shared: bool,
    /// The time of the turn.
    pub now: Nanos,
}

impl Gatherer<'_> {
    /// Adds what is pending for a subscription and moves its place behind it.
    pub fn take(&mut self, sub: &mut Subscription) -> Served {
        if !is_pending(self.publisher, sub) {
            return Served::Done;
        }
        match sub.place {
            Place::InStep(cursor) => self.walk(sub, cursor),
            Place::Behind(_) if sub.key.channel == Channel::Trade => self.trades(sub),
            // It is state and no sequence: the present one is all there is to say.
            Place::Behind(_) if sub.key.channel == Channel::Summary => {
                self.snapshot(sub, SnapshotReason::SlowConsumer)
            }
            Place::Behind(how) => self.catch_up(sub, how),
            Place::Snapshot(reason) => self.snapshot(sub, reason),
        }
    }

    /// One that takes what is pending message by message, each call the next one: into `batch`, or as a large one.
    pub fn message_by_message<'b>(&'b mut self, batch: &'b mut Vec<u8>) -> Gatherer<'b> {
        Gatherer {
            publisher: self.publisher,
            private: self.private,
            counters: self.counters,
            batch,
            // At least one is taken, and where there is more the batch is full.
            batch_limit: 1,
            private_limit: self.private_limit,
            slow: self.slow,
            figures: self.figures,
            watch: self.watch.as_mut().map(|(watch, at)| (&mut **watch, *at)),
            only_shared: false,
            now: self.now,
        }
    }

    fn walk(&mut self, sub: &mut Subscription, cursor: u64) -> Served {
        let lossless = sub.policy == Policy::Lossless;
        let topic = self.publisher.topic(sub.topic);
        let room = self.batch_limit.saturating_sub(self.batch.len());
        let merges = self.slow && !lossless && sub.key.channel != Channel::Trade;
        let run = if merges { None } else { topic.log.run(cursor, room) };
        let Some(run) = run else {
            if lossless {
                return Served::FellOff;
            }
            sub.place = self.publisher.behind(sub, cursor, Catch::Merge { slow: true });
            return self.take(sub);
        };
        if run.bytes.len() > room && !self.batch.is_empty() {
            return Served::Full;
        }
        self.batch.extend_from_slice(run.bytes);
        if let Some((watch, at)) = &mut self.watch {
            topic.log.engines(cursor..run.next).for_each(|engine| watch.record(engine, *at));
        }
        sub.advance(run.next, run.seq);
        if run.next == topic.log.head() { Served::Done } else { Served::Full }
    }

    fn trades(&mut self, sub: &mut Subscription) -> Served {
        let reason = match sub.place {
            Place::Behind(Catch::Resume) => GapReason::Resume,
            _ => GapReason::SlowConsumer,
        };
        if self.batch.len() >= self.batch_limit {
            return Served::Full;
        }
        self.only_shared = false;
        let sent = self.publisher.push_trades_after(
            &sub.key,
            sub.sent,
            reason,
            self.now,
            self.batch_limit,
            self.batch,
        );
        self.figures.gaps += sent.gaps;
        self.counters.gaps += sent.gaps;
        if sent.gaps > 0 && !sub.key.codec.mends_holes() {
            return Served::BrokenOff;
        }
        if let (Some((watch, at)), Some(engine)) = (&mut self.watch, sent.first_engine) {
            watch.record(engine, *at);
        }
        if !sent.all {
            sub.sent_through(sent.through);
            return Served::Full;
        }
        let topic = self.publisher.topic(sub.topic);
        sub.advance(topic.log.head(), topic.tail.seq);
        Served::Done
    }

    fn catch_up(&mut self, sub: &mut Subscription, how: Catch) -> Served {
        let topic = self.publisher.topic(sub.topic);
        let end = topic.stand().end_of_catch(sub.sent, how).seq;
        if end == sub.sent {
            sub.place = Place::InStep(topic.log.head());
            return Served::Done;
        }
        let need = Need::Catch(sub.sent, how);
        let Some(message) = self.make(sub.topic, need) else {
            sub.place = Place::Snapshot(match how {
                Catch::Resume => SnapshotReason::Resume,
                Catch::Merge { slow: true } => SnapshotReason::SlowConsumer,
                Catch::Merge { slow: false } => SnapshotReason::Modify,
            });
            return self.take(sub);
        };
        let served = self.add(sub, message);
        let merged =
            how == (Catch::Merge { slow: true }) && matches!(served, Served::Done | Served::Large(_));
        self.figures.conflated += u64::from(merged);
        self.counters.conflated += u64::from(merged);
        served
    }

    fn snapshot(&mut self, sub: &mut Subscription, reason: SnapshotReason) -> Served {
        if !sub.key.codec.mends_holes() {
            return Served::BrokenOff;
        }
        if self.has_to_wait(&sub.key) {
            return Served::Wait;
        }
        let Some(message) = self.make(sub.topic, Need::Snapshot(reason)) else { return Served::Done };
        let bytes = message.bytes.len();
        let served = self.add(sub, message);
        if matches!(served, Served::Wait) {
            self.private.refused.insert(sub.key, bytes);
        }
        self.counters.snapshots += u64::from(matches!(served, Served::Done | Served::Large(_)));
        served
    }

    /// Adds a private message, after which the subscription is in step, or waits beyond the tail.
    fn add(&mut self, sub: &mut Subscription, Private { bytes: message, end, engine }: Private) -> Served {
        self.only_shared = false;
        let alone = message.len() > self.batch_limit;
        if !self.batch.is_empty() && self.batch.len() + message.len() > self.batch_limit {
            return Served::Full;
        }
        if alone && !self.has_room(message.len()) {
            return Served::Wait;
        }
        let topic = self.publisher.topic(sub.topic);
        if end == topic.tail.seq {
            sub.advance(topic.log.head(), end);
        } else {
            // Beyond the tail: the next shared message would say some of it again.
            sub.sent_through(end);
        }
        if let (Some((watch, at)), Some(engine)) = (&mut self.watch, engine) {
            watch.record(engine, *at);
        }
        if alone {
            return Served::Large(message);
        }
        self.batch.extend_from_slice(&message);
        Served::Done
    }

    /// Whether a large message may wait in a socket besides those that do.
    fn has_room(&self, bytes: usize) -> bool {
        let held = self.private.large_held;
        held == 0 || held + bytes <= self.private_limit
    }

    /// Whether there is still no room for this topic's snapshot.
    fn has_to_wait(&self, key: &TopicKey) -> bool {
        self.private.refused.get(key).is_some_and(|&bytes| !self.has_room(bytes))
    }

    /// The private message for a need, made at most once a turn. `None` if the history does not reach that far.
    fn make(&mut self, topic: TopicId, need: Need) -> Option<Private> {
        let stand = self.publisher.topic(topic).stand();
        let end = match need {
            Need::Snapshot(_) => stand.tail.seq,
            Need::Catch(from, how) => stand.end_of_catch(from, how).seq,
        };
        let key = (stand.key, end, need);
        if let Some(message) = self.private.made.get(&key) {
            return Some(message.clone());
        }
        let mut bytes = Vec::new();
        let engine = match need {
            Need::Snapshot(reason) => {
                self.publisher.push_snapshot(&stand, reason, self.now, &mut bytes);
                None
            }
            Need::Catch(from, how) => {
                let range = self.publisher.push_catch(&stand, from, how, self.now, &mut bytes).ok()?;
                Some(range.first_engine)
            }
        };
        let message = Private { bytes: bytes.into(), end, engine };
        self.private.made.insert(key, message.clone());
        Some(message)
    }
}
