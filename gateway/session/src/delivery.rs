//! Adaptive batching: all that is pending for one client, over all its topics, goes into one write.
//!
//! A client in step with one topic gets a slice of that topic's log, without a copy. Everything else is gathered into one
//! buffer, which serves every client that is at the same places. What a socket does not take is the only thing that is kept
//! for a client.

use crate::{
    blocked::Blocked,
    gather::{Gatherer, Served, is_pending},
    outlet::{ConnId, Ending, Outlet},
    replays::Next,
    subscriber::{Place, Rest, Subscriber, Subscription},
    topic::TopicId,
    worker::{Counters, Worker},
};
use market::{Nanos, SymbolId};
use std::{ops::Range, rc::Rc, time::Duration};
use wire::message::{CloseCode, Policy, SnapshotReason, Status};

/// What the next write carries.
enum Batch {
    /// Nothing is pending.
    Nothing,
    /// One run of one topic's log, straight from there.
    Run { topic: TopicId, frames: Range<u64>, last: bool },
    /// What has been gathered.
    Gathered { last: bool },
    /// One large private message.
    Large(Rc<[u8]>),
    /// A `lossless` subscription has fallen off its log.
    TooSlow,
    /// What has been gathered, and then the connection breaks, as its client wanted.
    CutOff,
    /// The subscription at this place cannot go on, in a dialect that has no word for that.
    BrokenOff(usize),
}

impl Batch {
    /// Whether nothing is pending behind it.
    fn is_last(&self) -> bool {
        matches!(self, Batch::Run { last: true, .. } | Batch::Gathered { last: true })
    }
}

impl Worker {
    /// Writes all that is pending for a connection, until there is nothing or its socket is full.
    pub(crate) fn serve(&mut self, conn: ConnId, now: Nanos, outlet: &mut impl Outlet) {
        loop {
            let Some(subscriber) = self.subscribers.get_mut(conn.0 as usize) else { return };
            if self.blocked.holds(conn) {
                if self.is_too_far_behind(conn) {
                    self.close_slow(conn, now);
                }
                return;
            }
            if !subscriber.rest.is_none() {
                self.write_rest(conn, now, outlet);
            } else if !subscriber.answers.is_empty() {
                let answers = subscriber.answers.take();
                write(&mut self.counters, &mut self.blocked, conn, subscriber, &answers, now, outlet);
            } else if subscriber.is_closing() {
                return self.end(conn, Ending::Finished, outlet);
            } else {
                // Hardly anybody has any: the others pay for a glance.
                if !self.replays.is_empty() && self.serve_replayed(conn, now, outlet) {
                    continue;
                }
                match self.next_batch(conn, now) {
                    Batch::Nothing if self.has_replayed(conn) => {}
                    Batch::Nothing => return,
                    Batch::TooSlow => self.close_slow(conn, now),
                    Batch::BrokenOff(at) => self.break_off(conn, at, now),
                    Batch::CutOff => return self.cut_off(conn, now, outlet),
                    batch => {
                        let is_last = batch.is_last();
                        self.write_batch(conn, batch, now, outlet);
                        if is_last && !self.blocked.holds(conn) && !self.has_replayed(conn) {
                            return;
                        }
                    }
                }
            }
        }
    }

    fn write_rest(&mut self, conn: ConnId, now: Nanos, outlet: &mut impl Outlet) {
        let Some(subscriber) = self.subscribers.get_mut(conn.0 as usize) else { return };
        let taken = outlet.write(conn, subscriber.rest.bytes());
        count_write(&mut self.counters, subscriber, taken);
        let large = subscriber.rest.large_bytes();
        subscriber.rest.advance(taken);
        if subscriber.rest.is_none() {
            self.private.release(large);
        } else {
            subscriber.slow = true;
            self.blocked.insert(conn, now);
        }
    }

    /// Writes or does what is next of a client's replays. Whether there was something.
    #[inline(never)]
    fn serve_replayed(&mut self, conn: ConnId, now: Nanos, outlet: &mut impl Outlet) -> bool {
        match self.next_replayed(conn) {
            Next::Nothing => return false,
            Next::Ended => {}
            Next::Bytes(bytes) => {
                if let Some(subscriber) = self.subscribers.get_mut(conn.0 as usize) {
                    write(&mut self.counters, &mut self.blocked, conn, subscriber, &bytes, now, outlet);
                }
            }
        }
        true
    }

    fn write_batch(&mut self, conn: ConnId, batch: Batch, now: Nanos, outlet: &mut impl Outlet) {
        let Some(subscriber) = self.subscribers.get_mut(conn.0 as usize) else { return };
        if let Batch::Large(bytes) = batch {
            self.private.hold(bytes.len());
            subscriber.rest = Rest::large(bytes);
            return;
        }
        let bytes = match &batch {
            Batch::Run { topic, frames, .. } => self.publisher.topic(*topic).log.frames(frames.clone()),
            _ => &self.batch,
        };
        write(&mut self.counters, &mut self.blocked, conn, subscriber, bytes, now, outlet);
    }

    /// Takes the next batch of a connection and moves its cursors behind it.
    fn next_batch(&mut self, conn: ConnId, now: Nanos) -> Batch {
        let Some(subscriber) = self.subscribers.get_mut(conn.0 as usize) else { return Batch::Nothing };
        let publisher = &self.publisher;
        let mut pending = (0..subscriber.subscriptions.len())
            .filter(|&at| is_pending(publisher, &subscriber.subscriptions[at]));
        let (first, second) = (pending.next(), pending.next());
        let Some(first) = first else {
            subscriber.slow = false;
            if let Some(chaos) = &mut subscriber.chaos {
                if subscriber.tell_end {
                    chaos.let_all_go();
                }
                if chaos.has_loose() {
                    return self.gather(conn, now);
                }
            }
            if !std::mem::take(&mut subscriber.tell_end) {
                return Batch::Nothing;
            }
            self.joined.forget();
            self.batch.clear();
            subscriber.native_codec().push_status(&mut self.batch, &Status::FeedEnded);
            return Batch::Gathered { last: true };
        };
        let envelope = subscriber.envelope();
        let sub = &mut subscriber.subscriptions[first];
        if second.is_none()
            && !envelope.carries_tokens()
            && subscriber.chaos.is_none()
            && let Place::InStep(cursor) = sub.place
            && (!subscriber.slow || sub.policy == Policy::Lossless)
            && let Some(run) = publisher.topic(sub.topic).log.run(cursor, self.limits.batch_bytes)
        {
            sub.advance(run.next, run.seq);
            if let Some(watch) = &mut subscriber.stats {
                let (at, log) = (publisher.time(), &publisher.topic(sub.topic).log);
                log.engines(cursor..run.next).for_each(|engine| watch.record(engine, at));
            }
            let last =
                run.next == publisher.topic(sub.topic).log.head() && !subscriber.slow && !subscriber.tell_end;
            return Batch::Run { topic: sub.topic, frames: cursor..run.next, last };
        }
        self.gather(conn, now)
    }

    fn gather(&mut self, conn: ConnId, now: Nanos) -> Batch {
        let Some(subscriber) = self.subscribers.get_mut(conn.0 as usize) else { return Batch::Nothing };
        let rotation = subscriber.rotation;
        if subscriber.chaos.is_none() && self.joined.serves(&self.publisher, subscriber) {
            return Batch::Gathered { last: false };
        }
        self.batch.clear();
        let watch = subscriber.stats.as_mut().map(|watch| (&mut **watch, self.publisher.time()));
        let mut gatherer = Gatherer {
            publisher: &mut self.publisher,
            private: &mut self.private,
            counters: &mut self.counters,
            batch: &mut self.batch,
            batch_limit: self.limits.batch_bytes,
            private_limit: self.limits.private_bytes,
            slow: subscriber.slow,
            figures: &mut subscriber.figures,
            watch,
            only_shared: true,
            now,
        };
        let count = subscriber.subscriptions.len();
        let start = start_of_rotation(&subscriber.subscriptions, subscriber.rotation);
        let (mut wait, mut full) = (false, false);
        for at in (start..count).chain(0..start) {
            let sub = &mut subscriber.subscriptions[at];
            let served = match &mut subscriber.chaos {
                None => gatherer.take(sub),
                Some(chaos) => chaos.take(&mut gatherer, sub),
            };
            match served {
                Served::Done => {}
                Served::Wait => wait = true,
                Served::Full => {
                    // The same symbol goes first next time: its trades may be through and its book not.
                    subscriber.rotation = Some(sub.key.symbol);
                    full = true;
                    break;
                }
                Served::Large(bytes) => {
                    self.joined.forget();
                    return Batch::Large(bytes);
                }
                Served::FellOff => {
                    self.joined.forget();
                    return Batch::TooSlow;
                }
                Served::BrokenOff => {
                    self.joined.forget();
                    return Batch::BrokenOff(at);
                }
            }
        }
        let only_shared = gatherer.only_shared;
        if subscriber.chaos.as_ref().is_some_and(|chaos| chaos.breaks()) {
            self.joined.forget();
            return Batch::CutOff;
        }
        let envelope = subscriber.envelope();
        let (publisher, subscriptions) = (&self.publisher, &subscriber.subscriptions);
        let has_token = subscriber.may_have_token() && publisher.has_token(subscriptions);
        if !self.batch.is_empty() && has_token {
            envelope.push_token(&mut self.batch, |out| publisher.push_token(subscriptions, out));
        }
        if only_shared {
            self.joined.note(rotation, subscriber);
        } else {
            self.joined.forget();
        }
        let last = !(wait || full || subscriber.slow || subscriber.tell_end);
        let may_be_silent = subscriber.chaos.is_some();
        if wait {
            self.make_ready(conn);
        }
        if may_be_silent {
            self.arm(conn);
        }
        if self.batch.is_empty() { Batch::Nothing } else { Batch::Gathered { last } }
    }

    /// Breaks a connection as the net does: nothing says so, and what the socket does not take is lost.
    fn cut_off(&mut self, conn: ConnId, now: Nanos, outlet: &mut impl Outlet) {
        if !self.batch.is_empty() {
            self.write_batch(conn, Batch::CutOff, now, outlet);
        }
        let ending = if self.blocked.holds(conn) { Ending::Reset } else { Ending::Finished };
        self.end(conn, ending, outlet);
    }

    /// Whether a blocked connection is further behind than `lossless` allows.
    fn is_too_far_behind(&self, conn: ConnId) -> bool {
        let behind = self.lossless_behind(&self.subscribers[conn.0 as usize]);
        behind.is_none_or(|bytes| bytes > self.limits.lossless_bytes)
    }

    /// How many bytes a client is behind with what is `lossless`; `None` if some of it is no longer held.
    fn lossless_behind(&self, subscriber: &Subscriber) -> Option<usize> {
        let mut behind = 0;
        for sub in subscriber.subscriptions.iter().filter(|sub| sub.policy == Policy::Lossless) {
            if let Place::InStep(cursor) = sub.place {
                let log = &self.publisher.topic(sub.topic).log;
                if cursor < log.first() {
                    return None;
                }
                behind += log.bytes_from(cursor);
            }
        }
        Some(behind)
    }

    /// Until when the ring should be left alone, so that `lossless` clients that are far behind can catch up: so long after the
    /// last of them has taken something. `None` if there is nobody to wait for.
    pub fn waits_until(&self, now: Nanos, patience: Duration) -> Option<Nanos> {
        let waits = self.subscribers.iter().filter_map(|(index, subscriber)| {
            let until = self.blocked.since(ConnId(index as u32))? + patience;
            let is_far = || {
                let behind = self.lossless_behind(subscriber);
                behind.is_some_and(|bytes| bytes > self.limits.least_of_lossless() / 4)
            };
            (until > now && !subscriber.is_closing() && is_far()).then_some(until)
        });
        waits.max()
    }

    /// Makes the hole in a stream visible and closes the connection, so that clients that do not count start over too.
    fn break_off(&mut self, conn: ConnId, at: usize, now: Nanos) {
        let Some(subscriber) = self.subscribers.get_mut(conn.0 as usize) else { return };
        let Subscription { key, sent, place, .. } = subscriber.subscriptions[at];
        let publisher = &self.publisher;
        let (instrument, time) = (&publisher.instruments()[key.symbol], publisher.mark(key.symbol).timestamp);
        let ids = publisher.ids_of(key.symbol);
        // What it was sent last may be of another epoch.
        let sent = if place == Place::Snapshot(SnapshotReason::Loop) { ids.between() } else { ids.of(sent) };
        key.codec.push_break(subscriber.answers.frames(), instrument, time, sent);
        let reason = "the stream has a hole; connect again and begin with a snapshot";
        self.close(conn, Some((CloseCode::PolicyViolation.code(), reason)), now);
    }

    /// Closes a connection that is too slow for `lossless`: the close frame says so, and its client can resume.
    fn close_slow(&mut self, conn: ConnId, now: Nanos) {
        self.counters.slow_closed += 1;
        self.close(conn, Some((CloseCode::SlowConsumer.code(), CloseCode::SlowConsumer.text())), now);
    }
}

/// Hands bytes to a socket that has taken all before; what it does not take is kept.
fn write(
    counters: &mut Counters,
    blocked: &mut Blocked,
    conn: ConnId,
    subscriber: &mut Subscriber,
    bytes: &[u8],
    now: Nanos,
    outlet: &mut impl Outlet,
) {
    let taken = outlet.write(conn, bytes);
    count_write(counters, subscriber, taken);
    if taken < bytes.len() {
        subscriber.rest = Rest::of_batch(&bytes[taken..]);
        subscriber.slow = true;
        blocked.insert(conn, now);
    }
}

fn count_write(counters: &mut Counters, subscriber: &mut Subscriber, taken: usize) {
    counters.writes += 1;
    counters.bytes += taken as u64;
    subscriber.figures.bytes_sent += taken as u64;
}

/// The first subscription of the symbol that is to go first.
fn start_of_rotation(subscriptions: &[Subscription], symbol: Option<SymbolId>) -> usize {
    let Some(symbol) = symbol else { return 0 };
    let at = subscriptions.partition_point(|sub| sub.key.symbol < symbol);
    if at == subscriptions.len() { 0 } else { at }
}
