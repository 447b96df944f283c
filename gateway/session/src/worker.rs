//! The worker's turn over many subscribers, without I/O or clock: events of the ring and bytes of clients go in, bytes for
//! sockets come out through an [`Outlet`].
//!
//! One turn is: [`Worker::event`] for what the ring holds, [`Worker::flush`] once for all that became pending. Between
//! turns come [`Worker::input`], [`Worker::writable`] and [`Worker::timers`]. Whoever drives it keeps these on one thread.

use crate::{
    blocked::Blocked,
    gather::{PrivateMessages, is_pending},
    joined::Joined,
    limits::Limits,
    outlet::{ConnId, Ending, Outlet},
    publisher::{Notice, Publisher, Standing},
    replays::{ReplayWish, Replays},
    subscriber::{Figures, OpenOptions, Place, Subscriber, Subscription},
    topic::{TopicId, TopicKey},
};
use book::Image;
use market::{Event, Ids, Instruments, Nanos, Seq, SymbolId};
use slab::Slab;
use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
    sync::Arc,
    time::Duration,
};
use wire::{
    dialect::{Dialect, kraken_v2},
    envelope::Envelope,
    message::{CloseCode, Quiet, SnapshotReason, Stats, Status},
};

/// Nanoseconds whose timers are done together.
const TOGETHER: u64 = 5_000_000;

/// One worker: its share of the subscribers, over replicas of all books.
pub struct Worker {
    pub(crate) limits: Limits,
    pub(crate) publisher: Publisher,
    pub(crate) subscribers: Slab<Box<Subscriber>>,
    /// Connections with something to be written.
    ready: Vec<ConnId>,
    pub(crate) blocked: Blocked,
    /// Where the next flush begins among them.
    rotation: usize,
    deadlines: BinaryHeap<Reverse<(Nanos, ConnId)>>,
    pub(crate) private: PrivateMessages,
    /// The batch that is being gathered.
    pub(crate) batch: Vec<u8>,
    /// For whom else it is right.
    pub(crate) joined: Joined,
    pub(crate) request_text: Vec<u8>,
    /// What is played to those who want it.
    pub(crate) replays: HashMap<ConnId, Replays>,
    /// What clients want of replays, until it is taken.
    pub(crate) wishes: Vec<ReplayWish>,
    /// The number of the last replay.
    pub(crate) last_replay: u64,
    /// Messages and bytes since the start, for telemetry.
    pub counters: Counters,
}

/// What a worker counts, since its start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Writes handed to sockets.
    pub writes: u64,
    /// Bytes that sockets took.
    pub bytes: u64,
    /// Merged messages.
    pub conflated: u64,
    /// Snapshots sent, of any reason.
    pub snapshots: u64,
    /// Gap messages.
    pub gaps: u64,
    /// Requests taken.
    pub requests: u64,
    /// Requests refused.
    pub refused: u64,
    /// Connections closed because they were too slow under `lossless`.
    pub slow_closed: u64,
    /// Times that this worker was lapped by the ring.
    pub lapped: u64,
    /// `verify` answered `mismatch`.
    pub verify_mismatch: u64,
    /// For how long the ring was left alone because `lossless` clients were far behind.
    pub waited: Duration,
}

/// One connection, as `/v1/subscribers` tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriberInfo {
    /// Which connection of this worker.
    pub conn: ConnId,
    /// How many subscriptions it has.
    pub topics: usize,
    /// How many numbers the furthest of them is behind its topic.
    pub lag_seq: u64,
    /// Bytes that wait for its socket, not counting what logs hold.
    pub bytes_pending: usize,
    /// Its transport.
    pub envelope: Envelope,
    /// What it speaks.
    pub dialect: Dialect,
    /// Its figures.
    pub figures: Figures,
}

impl Worker {
    /// A worker without subscribers. `clock` is read only to time a sample of the stages.
    pub fn new(
        limits: Limits,
        instruments: Arc<Instruments>,
        ids: impl Into<Ids>,
        clock: fn() -> Nanos,
    ) -> Worker {
        Worker {
            publisher: Publisher::new(limits.clone(), instruments, ids.into(), clock),
            limits,
            subscribers: Slab::new(),
            ready: Vec::new(),
            blocked: Blocked::default(),
            rotation: 0,
            deadlines: BinaryHeap::new(),
            private: PrivateMessages::default(),
            batch: Vec::new(),
            joined: Joined::default(),
            request_text: Vec::new(),
            replays: HashMap::new(),
            wishes: Vec::new(),
            last_replay: 0,
            counters: Counters::default(),
        }
    }

    /// Books, topics and latency.
    pub fn publisher(&self) -> &Publisher {
        &self.publisher
    }

    /// Books, topics and latency, to ask for snapshots.
    pub fn publisher_mut(&mut self) -> &mut Publisher {
        &mut self.publisher
    }

    /// How many connections there are.
    pub fn connections(&self) -> usize {
        self.subscribers.len()
    }

    /// How many subscriptions there are, of all connections.
    pub fn subscriptions(&self) -> usize {
        self.subscribers.iter().map(|(_, subscriber)| subscriber.subscriptions.len()).sum()
    }

    /// Every connection with its figures.
    pub fn subscribers(&self) -> impl Iterator<Item = SubscriberInfo> {
        self.subscribers.iter().map(|(index, subscriber)| SubscriberInfo {
            conn: ConnId(index as u32),
            topics: subscriber.subscriptions.len(),
            lag_seq: self.lag_of(subscriber),
            bytes_pending: subscriber.rest.bytes().len() + subscriber.answers.len(),
            envelope: subscriber.envelope(),
            dialect: subscriber.dialect,
            figures: subscriber.figures,
        })
    }

    fn lag_of(&self, subscriber: &Subscriber) -> Seq {
        let lag = |sub: &Subscription| self.publisher.topic(sub.topic).tail.seq.saturating_sub(sub.sent);
        subscriber.subscriptions.iter().map(lag).max().unwrap_or(0)
    }

    /// Whether every client was sent all that there is for it, and its socket has taken it.
    pub fn is_settled(&self) -> bool {
        self.subscribers.iter().all(|(_, subscriber)| {
            let pending = |sub: &Subscription| is_pending(&self.publisher, sub);
            let told = subscriber.rest.is_none() && subscriber.answers.is_empty() && !subscriber.tell_end;
            subscriber.is_closing() || (told && !subscriber.subscriptions.iter().any(pending))
        })
    }

    /// Takes a connection whose handshake, if its transport has one, is done. The transport gives it a number that it does not use
    /// for another one before this one has ended or gone.
    pub fn open(&mut self, now: Nanos, options: &OpenOptions) -> ConnId {
        let entry = self.subscribers.vacant_entry();
        let conn = ConnId(entry.key() as u32);
        // Neighbours get far apart places by a multiplicative hash.
        let spread = (conn.0.wrapping_mul(0x9E37_79B9) >> 24) as u8;
        entry.insert(Box::new(Subscriber::new(now, &self.limits, options, spread)));
        self.arm(conn);
        conn
    }

    /// The connection is gone: its subscriptions end, and what it has not read is forgotten.
    pub fn gone(&mut self, conn: ConnId) {
        if let Some(subscriber) = self.subscribers.try_remove(conn.0 as usize) {
            self.blocked.remove(conn);
            self.private.release(subscriber.rest.large_bytes());
            self.drop_replays(conn);
            for subscription in subscriber.subscriptions {
                self.publisher.unsubscribe(subscription.topic, conn);
            }
        }
    }

    /// Takes the event at a position of the ring.
    pub fn event(&mut self, position: u64, event: &Event, now: Nanos) {
        self.publisher.event(position, event, now);
    }

    /// Whether a turn has appended so much that it should flush before it reads on.
    pub fn wants_flush(&self) -> bool {
        self.publisher.most_appended() > self.limits.log_bytes / 2
    }

    /// The same where `lossless` clients are waited for: what a turn appends must not be more than one of them may be behind, whatever
    /// it is subscribed to.
    pub fn wants_flush_for_lossless(&self) -> bool {
        self.publisher.appended_for_lossless() > self.limits.least_of_lossless() / 2
    }

    /// The ring has overtaken this worker: all books wait for images from ingest, the watched ones first.
    pub fn lapped(&mut self) -> Vec<SymbolId> {
        self.counters.lapped += 1;
        self.publisher.lapped()
    }

    /// Takes the image of a book that this worker asked for.
    pub fn install(&mut self, image: &Image, now: Nanos) {
        self.publisher.install(image, now);
    }

    /// Takes a longer table of instruments.
    pub fn set_instruments(&mut self, instruments: Arc<Instruments>) {
        self.publisher.set_instruments(instruments);
        self.tell_instruments();
    }

    /// Ends a turn: tells notices, writes to each connection all that is pending for it, forgets frames that nobody
    /// needs any more. `end` reads the clock for the latency of this turn's messages, once they are written.
    pub fn flush(&mut self, now: Nanos, outlet: &mut impl Outlet, end: impl FnOnce() -> Nanos) {
        self.tell_notices();
        for at in 0..self.publisher.touched().len() {
            let topic = self.publisher.touched()[at];
            for at in 0..self.publisher.topic(topic).subscribers.len() {
                let conn = self.publisher.topic(topic).subscribers[at];
                if !self.blocked.holds(conn) {
                    self.make_ready(conn);
                }
            }
            // Who cannot be written to is looked at only where it may be too far behind by now.
            for at in 0..self.publisher.topic(topic).lossless.len() {
                let conn = self.publisher.topic(topic).lossless[at];
                if self.blocked.holds(conn) {
                    self.make_ready(conn);
                }
            }
        }
        let wrote = !self.ready.is_empty();
        self.serve_ready(now, outlet);
        if wrote {
            self.publisher.record_written(now, end());
        }
        self.end_turn();
    }

    /// Forgets the frames that no `lossless` subscriber still needs, and the private messages of this turn.
    fn end_turn(&mut self) {
        let subscribers = &self.subscribers;
        self.publisher.end_turn(|id, topic| {
            let cursors = topic.lossless.iter().filter_map(|conn| {
                let subscriptions = &subscribers.get(conn.0 as usize)?.subscriptions;
                match subscriptions.iter().find(|sub| sub.topic == id)?.place {
                    Place::InStep(cursor) => Some(cursor),
                    Place::Behind(_) | Place::Snapshot(_) => None,
                }
            });
            cursors.min().unwrap_or(u64::MAX)
        });
        self.private.end_turn();
        self.joined.forget();
    }

    fn serve_ready(&mut self, now: Nanos, outlet: &mut impl Outlet) {
        let mut ready = std::mem::take(&mut self.ready);
        if !ready.is_empty() {
            self.rotation = (self.rotation + 1) % ready.len();
            ready.rotate_left(self.rotation);
        }
        for &conn in &ready {
            if let Some(subscriber) = self.subscribers.get_mut(conn.0 as usize) {
                subscriber.ready = false;
                self.serve(conn, now, outlet);
            }
        }
        ready.clear();
        // Whoever became ready while being served (a snapshot that has to wait its turn) is served next turn.
        ready.append(&mut self.ready);
        self.ready = ready;
    }

    /// Marks a connection as one to be written to at the next flush.
    pub(crate) fn make_ready(&mut self, conn: ConnId) {
        if let Some(subscriber) = self.subscribers.get_mut(conn.0 as usize)
            && !subscriber.ready
        {
            subscriber.ready = true;
            self.ready.push(conn);
        }
    }

    /// The connection's socket takes bytes again.
    pub fn writable(&mut self, conn: ConnId, now: Nanos, outlet: &mut impl Outlet) {
        if self.subscribers.contains(conn.0 as usize) {
            self.blocked.remove(conn);
            self.serve(conn, now, outlet);
        }
    }

    fn tell_notices(&mut self) {
        for notice in self.publisher.take_notices() {
            match notice {
                Notice::Look(symbol) => self.each_subscriber_of(symbol, Worker::make_ready),
                Notice::FeedGap(symbol) => self.tell_symbol(symbol, |symbol| Status::FeedGap { symbol }),
                Notice::Crossed(symbol) => self.tell_symbol(symbol, |symbol| Status::Crossed { symbol }),
                Notice::Anew(topic, reason) => self.start_over(topic, reason),
                Notice::BrokenOff(key) => self.break_off_all(&key),
                Notice::FeedStalled => self.tell_all(&Status::FeedStalled),
                Notice::FeedEnded => self.tell_end(),
            }
        }
    }

    /// Whoever was to be caught up from a number that a topic has left behind gets a snapshot.
    fn start_over(&mut self, topic: TopicId, reason: SnapshotReason) {
        for &conn in &self.publisher.topic(topic).subscribers {
            let subscriptions = &mut self.subscribers[conn.0 as usize].subscriptions;
            if let Some(sub) = subscriptions.iter_mut().find(|sub| sub.topic == topic)
                && matches!(sub.place, Place::Behind(_))
            {
                sub.place = Place::Snapshot(reason);
            }
        }
    }

    /// All who read a topic are to be told that it cannot go on.
    fn break_off_all(&mut self, key: &TopicKey) {
        for conn in self.publisher.readers_of(key) {
            let subscriptions = &mut self.subscribers[conn.0 as usize].subscriptions;
            if let Some(sub) = subscriptions.iter_mut().find(|sub| sub.key == *key) {
                sub.place = match sub.place {
                    Place::InStep(cursor) => {
                        let anew = self.publisher.topic(sub.topic).is_before_anew(cursor);
                        Place::Snapshot(anew.unwrap_or(SnapshotReason::Lagged))
                    }
                    Place::Snapshot(reason) => Place::Snapshot(reason),
                    Place::Behind(_) => Place::Snapshot(SnapshotReason::Lagged),
                };
            }
            self.make_ready(conn);
        }
    }

    fn each_subscriber_of(&mut self, symbol: SymbolId, mut each: impl FnMut(&mut Worker, ConnId)) {
        for conn in self.publisher.subscribers_of(symbol) {
            each(self, conn);
        }
    }

    fn tell_symbol(&mut self, symbol: SymbolId, status: impl Fn(&str) -> Status<'_>) {
        let instruments = self.publisher.instruments().clone();
        let status = status(&instruments[symbol].symbol);
        self.each_subscriber_of(symbol, |worker, conn| {
            worker.tell(conn, &status);
        });
    }

    fn tell_all(&mut self, status: &Status<'_>) {
        for conn in self.conns() {
            self.tell(conn, status);
        }
    }

    /// The end of the feed is told to each client behind all that it has not got yet.
    fn tell_end(&mut self) {
        for conn in self.conns() {
            let subscriber = &mut self.subscribers[conn.0 as usize];
            if subscriber.hears_statuses() && !subscriber.is_closing() {
                subscriber.tell_end = true;
                self.make_ready(conn);
            }
        }
    }

    pub(crate) fn conns(&self) -> Vec<ConnId> {
        self.subscribers.iter().map(|(index, _)| ConnId(index as u32)).collect()
    }

    /// Tells a connection something besides its data, unless it does not even take its answers: what this announces, a
    /// later snapshot says again. Whether it did.
    fn tell(&mut self, conn: ConnId, status: &Status<'_>) -> bool {
        let limit = self.limits.answer_bytes;
        let Some(subscriber) = self.subscribers.get_mut(conn.0 as usize) else { return false };
        if subscriber.is_closing() || !subscriber.hears_statuses() {
            return false;
        }
        let before = subscriber.answers.len();
        subscriber.native_codec().push_status(subscriber.answers.frames(), status);
        if subscriber.answers.len() > limit {
            subscriber.answers.truncate(before);
            return false;
        }
        self.make_ready(conn);
        true
    }

    /// Says something to a connection that its transport begins with, before anything else.
    pub fn greet(&mut self, conn: ConnId, greeting: impl FnOnce(&mut Vec<u8>)) {
        if let Some(subscriber) = self.subscribers.get_mut(conn.0 as usize) {
            greeting(subscriber.answers.frames());
            self.make_ready(conn);
        }
    }

    /// Announces the end to every connection and closes it: `retry_after` says for each when to come back.
    pub fn shut_down(
        &mut self,
        now: Nanos,
        reason: &str,
        mut retry_after: impl FnMut() -> Duration,
        outlet: &mut impl Outlet,
    ) {
        for conn in self.conns() {
            let retry_after = retry_after();
            let retry_after_ms = retry_after.as_millis() as u64;
            if self.tell(conn, &Status::Shutdown { retry_after_ms, reason }) {
                let answers = &mut self.subscribers[conn.0 as usize].answers;
                answers.envelope().push_retry(answers.frames(), retry_after);
            }
            self.close(conn, Some((CloseCode::GoingAway.code(), CloseCode::GoingAway.text())), now);
            self.serve(conn, now, outlet);
        }
    }

    /// Begins to close a connection: its subscriptions end now, and what is partly written, its answers and a close frame
    /// still go out.
    pub(crate) fn close(&mut self, conn: ConnId, status: Option<(u16, &str)>, now: Nanos) {
        let Some(subscriber) = self.subscribers.get_mut(conn.0 as usize) else { return };
        if subscriber.is_closing() {
            return;
        }
        let envelope = subscriber.envelope();
        if let Some((code, reason)) = status
            && !envelope.has_close_codes()
            && code != CloseCode::GoingAway.code()
        {
            let closing = Status::Closing { code, reason };
            subscriber.native_codec().push_status(subscriber.answers.frames(), &closing);
        }
        envelope.push_close(subscriber.answers.frames(), status);
        subscriber.closes_by = now + self.limits.drain;
        for subscription in std::mem::take(&mut subscriber.subscriptions) {
            self.publisher.unsubscribe(subscription.topic, conn);
        }
        self.drop_replays(conn);
        self.arm(conn);
    }

    /// Forgets a connection and has its socket closed.
    pub(crate) fn end(&mut self, conn: ConnId, ending: Ending, outlet: &mut impl Outlet) {
        self.gone(conn);
        outlet.end(conn, ending);
    }

    /// The next moment at which [`Worker::timers`] is worth calling if nothing else is to be done: the heartbeats and pings of
    /// a few milliseconds are done together, so that thousands of silent connections do not wake the worker one by one.
    pub fn next_deadline(&self) -> Option<Nanos> {
        self.deadlines.peek().map(|Reverse((at, _))| Nanos(at.0.div_ceil(TOGETHER).saturating_mul(TOGETHER)))
    }

    /// Sees to that a connection's deadline stands in the list.
    pub(crate) fn arm(&mut self, conn: ConnId) {
        if let Some(subscriber) = self.subscribers.get_mut(conn.0 as usize) {
            let at = subscriber.deadline();
            if at < subscriber.timers.armed {
                subscriber.timers.armed = at;
                self.deadlines.push(Reverse((at, conn)));
            }
        }
    }

    /// Does what is due: heartbeats, pings, connections that gave no answer or do not drain while being closed.
    pub fn timers(&mut self, now: Nanos, outlet: &mut impl Outlet) {
        while let Some(&Reverse((at, conn))) = self.deadlines.peek()
            && at <= now
        {
            self.deadlines.pop();
            let Some(subscriber) = self.subscribers.get_mut(conn.0 as usize) else { continue };
            // Entries of an earlier connection of this number, or that an earlier one made useless.
            if subscriber.timers.armed != at {
                continue;
            }
            subscriber.timers.armed = Nanos::MAX;
            self.due(conn, now, outlet);
            self.arm(conn);
        }
    }

    fn due(&mut self, conn: ConnId, now: Nanos, outlet: &mut impl Outlet) {
        let missed = self.limits.missed_pings;
        let Some(subscriber) = self.subscribers.get_mut(conn.0 as usize) else { return };
        if subscriber.is_closing() {
            if subscriber.closes_by <= now {
                self.end(conn, Ending::Reset, outlet);
            }
            return;
        }
        if let Some(chaos) = &mut subscriber.chaos {
            chaos.wake(now);
        }
        let heartbeat = subscriber.timers.take_heartbeat(now);
        if subscriber.timers.take_ping(now) {
            let envelope = subscriber.envelope();
            if envelope.answers_pings() && subscriber.timers.is_dead(now, missed) {
                let code = CloseCode::PolicyViolation.code();
                self.close(conn, Some((code, "no pong came; answer pings to stay connected")), now);
            } else {
                envelope.push_ping(subscriber.answers.frames());
            }
        }
        if heartbeat {
            self.heartbeat(conn, now);
        }
        self.tell_stats(conn, now);
        self.serve(conn, now, outlet);
    }

    /// Tells a connection its own figures, if it wants them and they are due.
    fn tell_stats(&mut self, conn: ConnId, now: Nanos) {
        let lag_seq = self.lag_of(&self.subscribers[conn.0 as usize]);
        let subscriber = &mut self.subscribers[conn.0 as usize];
        if subscriber.is_closing() {
            return;
        }
        let Some(watch) = subscriber.stats.as_mut() else { return };
        let Figures { conflated, gaps, bytes_sent, .. } = subscriber.figures;
        let stats = Stats { lag_seq, conflated, gaps, bytes_sent, ..Stats::default() };
        if let Some(stats) = watch.take(now, stats)
            && !self.blocked.holds(conn)
        {
            subscriber.native_codec().push_stats(subscriber.answers.frames(), &stats);
        }
    }

    /// Names each quiet subscription with how far its client may count.
    fn heartbeat(&mut self, conn: ConnId, now: Nanos) {
        let Some(subscriber) = self.subscribers.get_mut(conn.0 as usize) else { return };
        if self.blocked.holds(conn) || subscriber.is_closing() {
            return;
        }
        if subscriber.dialect == Dialect::Kraken && !subscriber.subscriptions.is_empty() {
            return subscriber.answers.say(kraken_v2::push_heartbeat);
        }
        if !subscriber.hears_statuses() {
            return;
        }
        let publisher = &self.publisher;
        let instruments = publisher.instruments();
        let codec = subscriber.native_codec();
        let may_have_token = subscriber.may_have_token();
        let (subscriptions, chaos) = (&mut subscriber.subscriptions, &subscriber.chaos);
        let is_held = |sub: &Subscription| chaos.as_ref().is_some_and(|chaos| chaos.holds(&sub.key));
        let quiet = subscriptions.iter().filter(|sub| sub.quiet && !is_held(sub)).filter_map(|sub| {
            let waits = !matches!(sub.place, Place::Snapshot(_)) && !is_pending(publisher, sub);
            (waits && publisher.standing(sub.key.symbol) == Standing::Whole).then(|| Quiet {
                channel: sub.key.channel,
                symbol: &instruments[sub.key.symbol].symbol,
                seq: sub.sent,
                through: publisher.has_all_through(sub),
            })
        });
        codec.push_heartbeat(subscriber.answers.frames(), now, quiet);
        let envelope = subscriber.answers.envelope();
        if may_have_token && publisher.has_token(subscriptions) {
            envelope.push_token(subscriber.answers.frames(), |out| publisher.push_token(subscriptions, out));
        }
        subscriptions.iter_mut().for_each(|sub| sub.quiet = true);
    }
}
