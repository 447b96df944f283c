//! What is kept of one connected client: its subscriptions as cursors, what is partly written, its budgets and timers.
//!
//! No queue of messages: what a slow client has not got yet is a place in a log, or a seq to be caught up from.

use crate::{
    answers::Answers,
    chaos::Chaos,
    limits::{Bucket, Limits},
    log::FrameNumber,
    stats,
    topic::{TopicId, TopicKey},
};
use market::{Nanos, Seq, SymbolId};
use std::{rc::Rc, time::Duration};
use wire::{
    codec::Codec,
    dialect::Dialect,
    envelope::{Decoder, Envelope},
    message::{Channel, Policy, SnapshotReason},
};

/// One subscription of one client.
pub struct Subscription {
    /// What to. A copy of the topic's key, so that a client's list is in order without asking the topics.
    pub key: TopicKey,
    /// The topic of this worker that serves it.
    pub topic: TopicId,
    /// What happens when the client is slow.
    pub policy: Policy,
    /// Where it is.
    pub place: Place,
    /// The client has everything up to here: the seq of the last message that it was sent.
    pub sent: Seq,
    /// Nothing was sent since the last heartbeat.
    pub quiet: bool,
}

impl Subscription {
    /// It has everything up to the frame `next`, which ends at `seq`.
    pub fn advance(&mut self, next: FrameNumber, seq: Seq) {
        self.place = Place::InStep(next);
        self.sent_through(seq);
    }

    /// It has everything up to `seq`.
    pub fn sent_through(&mut self, seq: Seq) {
        self.sent = seq;
        self.quiet = false;
    }
}

/// Where a subscription is in its topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In step: it gets the shared frames from this one on.
    InStep(FrameNumber),
    /// It has everything up to `sent` and gets one message of its own from there to the tail.
    Behind(Catch),
    /// It gets a snapshot once the book stands.
    Snapshot(SnapshotReason),
}

/// How a subscriber that is behind is caught up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Catch {
    /// By a message that is safe wherever between its token and now the client really is.
    Resume,
    /// By the net difference: what it was sent is known exactly.
    Merge {
        /// Because its socket did not drain: the message says so.
        slow: bool,
    },
}

/// What of the last write the socket did not take. Nothing by default: a frame boundary.
#[derive(Default)]
pub struct Rest {
    bytes: Option<Rc<[u8]>>,
    written: u32,
    /// It is a large message that others may hold too.
    large: bool,
}

impl Rest {
    /// The client's own copy of what is left of a batch.
    pub fn of_batch(bytes: &[u8]) -> Rest {
        Rest { bytes: Some(bytes.into()), written: 0, large: false }
    }

    /// A large message of which nothing is written yet.
    pub fn large(bytes: Rc<[u8]>) -> Rest {
        Rest { bytes: Some(bytes), written: 0, large: true }
    }

    /// What is still to be written.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.as_ref().map_or(&[], |bytes| &bytes[self.written as usize..])
    }

    /// Whether all is written.
    pub fn is_none(&self) -> bool {
        self.bytes.is_none()
    }

    /// How many bytes of a large private message this holds.
    pub fn large_bytes(&self) -> usize {
        self.bytes.as_ref().filter(|_| self.large).map_or(0, |bytes| bytes.len())
    }

    /// Counts bytes as written.
    pub fn advance(&mut self, count: usize) {
        self.written += u32::try_from(count).expect("a message is shorter than 4 GiB");
        if self.bytes().is_empty() {
            *self = Rest::default();
        }
    }
}

/// Figures of one connection since it was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// Bytes handed to the kernel.
    pub bytes_sent: u64,
    /// Merged messages.
    pub conflated: u64,
    /// Gap messages.
    pub gaps: u64,
    /// `verify` answered `ok`.
    pub verify_ok: u32,
    /// `verify` answered `mismatch`.
    pub verify_mismatch: u32,
}

/// What a client asks of its connection when it opens it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenOptions {
    /// Time between heartbeats; zero for none.
    pub heartbeat: Duration,
    /// Time between pings.
    pub ping: Duration,
    /// Echo messages back instead of serving the feed; over WebSocket.
    pub echo: bool,
    /// The transport.
    pub envelope: Envelope,
    /// What is spoken.
    pub dialect: Dialect,
}

impl OpenOptions {
    /// What holds when the client asks for nothing.
    pub fn new(limits: &Limits) -> OpenOptions {
        OpenOptions {
            heartbeat: limits.heartbeat,
            ping: limits.ping,
            echo: false,
            envelope: Envelope::WebSocket,
            dialect: Dialect::default(),
        }
    }
}

/// One connected client.
pub struct Subscriber {
    /// What comes from the client.
    pub decoder: Decoder,
    /// Whether messages are echoed.
    pub echo: bool,
    /// What it speaks.
    pub dialect: Dialect,
    /// Its subscriptions, ordered by key.
    pub subscriptions: Vec<Subscription>,
    /// The symbol at which the next batch begins, when the last one was full.
    pub rotation: Option<SymbolId>,
    /// What is said to it besides data.
    pub answers: Answers,
    /// The feed has ended: it is told so once it has all that was pending.
    pub tell_end: bool,
    /// What of the last write the socket did not take.
    pub rest: Rest,
    /// Its socket was full and has not caught up since: what waits is merged.
    pub slow: bool,
    /// When it is being closed: nothing but the rest and the answers is written, until this moment at the latest.
    pub closes_by: Nanos,
    /// Whether it stands in the list of those to be written to.
    pub ready: bool,
    /// Requests.
    pub requests: Bucket,
    /// `ping` and `verify`.
    pub probes: Bucket,
    /// Refused by the limits in a row.
    pub refusals: u32,
    /// Whether a request came yet.
    pub greeted: bool,
    /// Over Socket.IO: whether it has joined the namespace.
    pub joined: bool,
    /// In Kraken's dialect: whether it is told of instruments.
    pub hears_instruments: bool,
    /// Its figures.
    pub figures: Figures,
    /// What it wants to be told of itself.
    pub stats: Option<Box<stats::Watch>>,
    /// What it wants to be done to its messages.
    pub chaos: Option<Box<Chaos>>,
    /// Its timers.
    pub timers: Timers,
}

/// When something is due for a connection.
#[derive(Debug, Clone, Copy)]
pub struct Timers {
    /// In milliseconds, as all the following; zero for never.
    heartbeat_every: u32,
    ping_every: u32,
    heartbeat_at: Nanos,
    ping_at: Nanos,
    /// The last pong, or the opening.
    pub last_pong: Nanos,
    /// The earliest entry of this connection in the worker's list of deadlines.
    pub armed: Nanos,
}

impl Timers {
    /// Timers of a connection that opens now. `spread` in 0..256 sets them apart from those of others, so that not all
    /// clients of a storm are served in one moment for ever after.
    pub fn new(now: Nanos, options: &OpenOptions, spread: u8) -> Timers {
        let part = |every: Duration| every / 2 + every / 512 * u32::from(spread);
        let mut timers = Timers {
            heartbeat_every: millis(options.heartbeat),
            ping_every: millis(options.ping),
            heartbeat_at: now + part(options.heartbeat),
            ping_at: now + part(options.ping),
            last_pong: now,
            armed: Nanos::MAX,
        };
        timers.disable_zero();
        timers
    }

    fn disable_zero(&mut self) {
        if self.heartbeat_every == 0 {
            self.heartbeat_at = Nanos::MAX;
        }
        if self.ping_every == 0 {
            self.ping_at = Nanos::MAX;
        }
    }

    /// Changes how often heartbeats come.
    pub fn set_heartbeat(&mut self, now: Nanos, every: Duration) {
        self.heartbeat_every = millis(every);
        self.heartbeat_at = now + every;
        self.disable_zero();
    }

    /// The next moment at which something is due.
    pub fn next(&self) -> Nanos {
        self.heartbeat_at.min(self.ping_at)
    }

    /// Whether a heartbeat is due; if so, the next one is set.
    pub fn take_heartbeat(&mut self, now: Nanos) -> bool {
        take(&mut self.heartbeat_at, self.heartbeat_every, now)
    }

    /// Whether a ping is due; if so, the next one is set.
    pub fn take_ping(&mut self, now: Nanos) -> bool {
        take(&mut self.ping_at, self.ping_every, now)
    }

    /// Whether the client has not answered so many pings in a row.
    pub fn is_dead(&self, now: Nanos, missed: u32) -> bool {
        let patience = Duration::from_millis(self.ping_every.into()) * missed;
        !patience.is_zero() && now.since(self.last_pong) > patience
    }
}

fn take(at: &mut Nanos, every: u32, now: Nanos) -> bool {
    let due = *at <= now;
    if due {
        *at = now + Duration::from_millis(every.into());
    }
    due
}

fn millis(every: Duration) -> u32 {
    u32::try_from(every.as_millis()).unwrap_or(u32::MAX)
}

impl Subscriber {
    /// A client that has just connected.
    pub fn new(now: Nanos, limits: &Limits, options: &OpenOptions, spread: u8) -> Subscriber {
        Subscriber {
            decoder: Decoder::new(options.envelope, limits.inbound_message),
            echo: options.echo,
            dialect: options.dialect,
            subscriptions: Vec::new(),
            rotation: None,
            answers: Answers::new(options.envelope),
            tell_end: false,
            rest: Rest::default(),
            slow: false,
            closes_by: Nanos::MAX,
            ready: false,
            requests: Bucket::full(),
            probes: Bucket::full(),
            refusals: 0,
            greeted: false,
            joined: false,
            hears_instruments: false,
            figures: Figures::default(),
            stats: None,
            chaos: None,
            timers: Timers::new(now, options, spread),
        }
    }

    /// Whether it is being closed.
    pub fn is_closing(&self) -> bool {
        self.closes_by != Nanos::MAX
    }

    /// Whether it is told besides its data what happens: by heartbeats and statuses, which are words of the native protocol.
    pub fn hears_statuses(&self) -> bool {
        !self.echo && self.dialect.is_native()
    }

    /// How it is told what is said in the words of the native protocol.
    pub fn native_codec(&self) -> Codec {
        Codec::native(self.dialect.encoding_of_notices(), self.envelope())
    }

    /// Whether its batches end with a token, where there is one.
    pub fn may_have_token(&self) -> bool {
        self.envelope().carries_tokens() && !self.chaos.as_ref().is_some_and(|chaos| chaos.withholds_tokens())
    }

    /// How its messages are wrapped.
    pub fn envelope(&self) -> Envelope {
        self.answers.envelope()
    }

    /// The place of a subscription of this channel and symbol, whatever its parameters.
    pub fn find(&self, channel: Channel, symbol: SymbolId) -> Option<usize> {
        self.subscriptions.iter().position(|sub| sub.key.symbol == symbol && sub.key.channel == channel)
    }

    /// Adds a subscription in its place, which it returns.
    pub fn insert(&mut self, subscription: Subscription) -> usize {
        if self.subscriptions.is_empty() {
            // Most have but one, and there are many of them.
            self.subscriptions.reserve_exact(1);
        }
        let at = self.subscriptions.partition_point(|other| other.key < subscription.key);
        self.subscriptions.insert(at, subscription);
        at
    }

    /// When something is due next, closing included.
    pub fn deadline(&self) -> Nanos {
        let stats = self.stats.as_ref().map_or(Nanos::MAX, |watch| watch.due());
        let wakes = self.chaos.as_ref().map_or(Nanos::MAX, |chaos| chaos.wakes_at());
        if self.is_closing() { self.closes_by } else { self.timers.next().min(stats).min(wakes) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_of_clients_that_come_at_once_are_spread() {
        let options = OpenOptions {
            heartbeat: Duration::from_secs(1),
            ping: Duration::from_secs(20),
            ..OpenOptions::new(&Limits::default())
        };
        let now = Nanos(1_000_000_000);
        let at = |spread| Timers::new(now, &options, spread).next();
        assert!(at(0) >= now + Duration::from_millis(500));
        assert!(at(255) <= now + Duration::from_secs(1));
        assert!(at(255).since(at(0)) > Duration::from_millis(490));
    }

    #[test]
    fn zero_switches_heartbeats_and_pings_off() {
        let options = OpenOptions {
            heartbeat: Duration::ZERO,
            ping: Duration::ZERO,
            ..OpenOptions::new(&Limits::default())
        };
        let mut timers = Timers::new(Nanos(0), &options, 7);
        assert_eq!(timers.next(), Nanos::MAX);
        assert!(!timers.take_heartbeat(Nanos(1 << 60)) && !timers.is_dead(Nanos(1 << 60), 3));
    }

    #[test]
    fn a_rest_ends_when_all_is_written() {
        let mut rest = Rest::of_batch(b"abc");
        rest.advance(1);
        assert_eq!((rest.bytes(), rest.large_bytes()), (&b"bc"[..], 0));
        rest.advance(2);
        assert!(rest.is_none() && rest.bytes().is_empty());
    }

    #[test]
    fn what_is_kept_of_a_client_fits_into_256_bytes() {
        assert!(size_of::<Subscriber>() <= 256, "{}", size_of::<Subscriber>());
    }
}
