//! Faults that a client wants to be done to what it is sent, so that it can see whether it notices them: messages are left out,
//! sent twice, out of order or wrong, a subscription is silent, the connection breaks. What is done follows from a seed and the
//! messages alone, and is written down.
//!
//! Here is what is done to one connection's subscriptions; `stream` is the dice of one of them, `delivery` where messages pass through,
//! `request` how it is asked for. It works on a copy that is this client's own: those with whom it shares a topic see nothing of it.

mod delivery;
mod request;
mod stream;

use crate::topic::TopicKey;
use market::{Nanos, Seq, SymbolId};
use std::collections::VecDeque;
use stream::{Fate, Held, Stream};
use wire::message::{Channel, ChaosAct, ChaosPlan};

/// Channels of a symbol to which something can be done.
const CHANNELS: [Channel; 3] = [Channel::Trade, Channel::Book, Channel::Bbo];

/// Most subscriptions of one connection to which something is done.
const MOST_STREAMS: usize = 64 * CHANNELS.len();

/// Deeds that are told of one connection; the report of so many is half a megabyte.
const MOST_DEEDS: usize = 5_000;

/// Most bytes of messages that wait for the next one of their subscription, of one connection.
const MOST_HELD: usize = 64 << 10;

/// What is done to one connection.
#[derive(Default)]
pub struct Chaos {
    streams: Vec<Stream>,
    deeds: VecDeque<Deed>,
    /// As often as each act of [`ChaosAct::ALL`] was done.
    counts: [u64; ChaosAct::ALL.len()],
    /// The connection is to break.
    breaks: bool,
    /// The message that is being passed.
    message: Vec<u8>,
}

/// Something that was done to a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Deed {
    act: ChaosAct,
    symbol: SymbolId,
    channel: Channel,
    numbers: Numbers,
}

/// Which message it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Numbers {
    /// Of its subscription since chaos began, from 1 on.
    message: u64,
    /// What it covers; no first one where it is the last message before something.
    first_seq: Option<Seq>,
    seq: Seq,
}

/// A message on its way to the client.
#[derive(Clone, Copy)]
struct Passing<'a> {
    /// Of which topic.
    key: &'a TopicKey,
    first_seq: Seq,
    seq: Seq,
    /// Wrapped for the transport.
    bytes: &'a [u8],
}

impl Chaos {
    /// From now on this is done to a subscription of this symbol, `name`, and channel, whether there is one already or it is still to
    /// come. Its messages count from 1. Whether there was room for it.
    fn begin(&mut self, symbol: SymbolId, name: &str, channel: Channel, plan: ChaosPlan) -> bool {
        let at = self.streams.iter().position(|stream| stream.is_of(symbol, channel));
        match at {
            Some(at) => self.streams[at].begin(name, plan),
            None if plan.is_off() => {}
            None if self.streams.len() >= MOST_STREAMS => return false,
            None => self.streams.push(Stream::new(symbol, name, channel, plan)),
        }
        true
    }

    /// The subscription has ended: what waited of it is of no use to anyone, and what is wrong with it no matter any more.
    pub fn forget(&mut self, symbol: SymbolId, channel: Channel) {
        if let Some(stream) = self.find(symbol, channel) {
            (stream.held, stream.is_spoiled) = (None, false);
        }
    }

    fn find(&mut self, symbol: SymbolId, channel: Channel) -> Option<&mut Stream> {
        self.streams.iter_mut().find(|stream| stream.is_of(symbol, channel))
    }

    /// Whether a message of this subscription waits for the next one.
    pub fn holds(&self, key: &TopicKey) -> bool {
        self.streams.iter().any(|stream| stream.is_of(key.symbol, key.channel) && stream.held.is_some())
    }

    /// Whether no token would be right that says how far the client was sent everything: it was not. From the last one it misses nothing.
    pub fn withholds_tokens(&self) -> bool {
        self.streams.iter().any(|stream| stream.is_spoiled || stream.held.is_some())
    }

    /// Whether the connection is to break behind what was gathered.
    pub fn breaks(&self) -> bool {
        self.breaks
    }

    /// Nothing follows what waits for the next message.
    pub fn let_all_go(&mut self) {
        self.streams.iter_mut().for_each(Stream::loosen);
    }

    /// Whether something waits for no next message any more.
    pub fn has_loose(&self) -> bool {
        self.streams.iter().any(Stream::is_loose)
    }

    /// When a subscription is silent no longer.
    pub fn wakes_at(&self) -> Nanos {
        self.streams.iter().filter_map(Stream::silent_until).min().unwrap_or(Nanos::MAX)
    }

    /// Ends what silence is over.
    pub fn wake(&mut self, now: Nanos) {
        self.streams.iter_mut().for_each(|stream| stream.wake(now));
    }

    /// Takes the next message of the stream at a place, and appends what the client is sent of it.
    fn pass(&mut self, at: usize, passing: &Passing<'_>, out: &mut Vec<u8>) {
        let Passing { key, first_seq, seq, bytes } = *passing;
        let held_bytes: usize = self.streams.iter().map(Stream::held_bytes).sum();
        let stream = &mut self.streams[at];
        if !key.codec.is_update(bytes) {
            stream.let_go(out);
            // A book begins anew with it. Trades that are missing are missing still.
            stream.is_spoiled &= key.channel == Channel::Trade;
            return out.extend_from_slice(bytes);
        }
        if stream.plan.is_off() {
            stream.let_go(out);
            return out.extend_from_slice(bytes);
        }
        let (fate, pick) = stream.roll();
        self.breaks |= stream.is_over();
        let numbers = Numbers { message: stream.messages, first_seq: Some(first_seq), seq };
        if let Some(held) = stream.held.take() {
            out.extend_from_slice(bytes);
            out.extend_from_slice(&held.bytes);
            stream.is_spoiled = true;
            return self.note(at, ChaosAct::Reorder, held.numbers);
        }
        match fate {
            Fate::Drop => {
                stream.is_spoiled = true;
                self.note(at, ChaosAct::Drop, numbers);
            }
            Fate::Repeat => {
                out.extend_from_slice(bytes);
                out.extend_from_slice(bytes);
                self.note(at, ChaosAct::Repeat, numbers);
            }
            Fate::Reorder if held_bytes + bytes.len() <= MOST_HELD => {
                stream.held = Some(Held { numbers, bytes: bytes.into(), is_loose: false });
            }
            Fate::Corrupt if let Some(wrong) = key.codec.tampered(bytes, key.depth, pick) => {
                out.extend_from_slice(&wrong);
                stream.is_spoiled = true;
                self.note(at, ChaosAct::Corrupt, numbers);
            }
            Fate::Pass | Fate::Reorder | Fate::Corrupt => out.extend_from_slice(bytes),
        }
    }

    /// The next message of the stream at a place is too large to be touched: it counts all the same. Appends what goes before it.
    fn pass_by(&mut self, at: usize, passing: &Passing<'_>, out: &mut Vec<u8>) {
        let stream = &mut self.streams[at];
        stream.let_go(out);
        if !passing.key.codec.is_update(passing.bytes) {
            stream.is_spoiled &= passing.key.channel == Channel::Trade;
        } else if !stream.plan.is_off() {
            stream.roll();
            self.breaks |= stream.is_over();
        }
    }

    /// Whether the stream at a place is silent now. Its silence begins with the first message that would break it.
    fn is_silent(&mut self, at: usize, is_snapshot: bool, sent: Seq, now: Nanos) -> bool {
        let stream = &mut self.streams[at];
        if !is_snapshot && stream.begins_silence(now) {
            let numbers = Numbers { message: stream.messages, first_seq: None, seq: sent };
            self.note(at, ChaosAct::Stall, numbers);
        }
        let stream = &mut self.streams[at];
        stream.wake(now);
        stream.silent_until().is_some()
    }

    fn note(&mut self, at: usize, act: ChaosAct, numbers: Numbers) {
        self.counts[act as usize] += 1;
        if self.deeds.len() == MOST_DEEDS {
            self.deeds.pop_front();
        }
        let Stream { symbol, channel, .. } = self.streams[at];
        self.deeds.push_back(Deed { act, symbol, channel, numbers });
    }
}

#[cfg(test)]
mod tests;
