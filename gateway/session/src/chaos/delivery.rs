//! Where messages pass through: one by one, as each is copied for this client.

use super::{Chaos, Passing};
use crate::{
    gather::{Gatherer, Served, is_pending},
    subscriber::{Place, Subscription},
};

impl Chaos {
    /// Adds what is pending for a subscription, after what is to be done to it, and moves its place behind it.
    pub fn take(&mut self, gatherer: &mut Gatherer<'_>, sub: &mut Subscription) -> Served {
        gatherer.only_shared = false;
        let at = self.streams.iter().position(|stream| stream.is_of(sub.key.symbol, sub.key.channel));
        let Some(at) = at else { return gatherer.take(sub) };
        if self.streams[at].is_loose() {
            self.streams[at].let_go(gatherer.batch);
        }
        loop {
            if self.breaks {
                return Served::Full;
            }
            let is_snapshot = matches!(sub.place, Place::Snapshot(_));
            if !is_pending(gatherer.publisher, sub) || self.is_silent(at, is_snapshot, sub.sent, gatherer.now)
            {
                return Served::Done;
            }
            let next = next_length(gatherer, sub);
            if next.is_none() {
                self.streams[at].let_go(gatherer.batch);
            }
            let limit = gatherer.batch_limit;
            if !gatherer.batch.is_empty() && gatherer.batch.len() + next.unwrap_or(limit) > limit {
                return Served::Full;
            }
            if let Some(served) = self.take_one(at, gatherer, sub) {
                return served;
            }
        }
    }

    /// Takes the next message of a subscription, which is that of the stream at a place. Nothing if there may be more.
    fn take_one(&mut self, at: usize, gatherer: &mut Gatherer<'_>, sub: &mut Subscription) -> Option<Served> {
        let first_seq = sub.sent + 1;
        let mut message = std::mem::take(&mut self.message);
        message.clear();
        let served = gatherer.message_by_message(&mut message).take(sub);
        let bytes: &[u8] = match &served {
            Served::Done | Served::Full => &message,
            Served::Large(bytes) => bytes,
            _ => return Some(served),
        };
        if bytes.is_empty() {
            return Some(served);
        }
        let passing = Passing { key: &sub.key, first_seq, seq: sub.sent, bytes };
        if bytes.len() <= gatherer.batch_limit {
            self.pass(at, &passing, gatherer.batch);
        } else {
            self.pass_by(at, &passing, gatherer.batch);
            if matches!(served, Served::Large(_)) {
                return Some(served);
            }
            gatherer.batch.extend_from_slice(bytes);
        }
        self.message = message;
        None
    }
}

/// How long the next message is, if it is a shared one. One of a client's own may be large and goes alone; what waits goes before it.
fn next_length(gatherer: &Gatherer<'_>, sub: &Subscription) -> Option<usize> {
    let Place::InStep(cursor) = sub.place else { return None };
    gatherer.publisher.topic(sub.topic).log.run(cursor, 1).map(|run| run.bytes.len())
}
