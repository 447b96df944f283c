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
            // A message of its own may be a large one, which goes alone; what waits goes before it.
            let is_shared = matches!(sub.place, Place::InStep(_));
            if !is_shared {
                self.streams[at].let_go(gatherer.batch);
            }
            if gatherer.batch.len() >= gatherer.batch_limit || !is_shared && !gatherer.batch.is_empty() {
                return Served::Full;
            }
            let (first_seq, limit) = (sub.sent + 1, gatherer.batch_limit);
            let mut message = std::mem::take(&mut self.message);
            message.clear();
            let served = gatherer.message_by_message(&mut message).take(sub);
            let bytes: &[u8] = match &served {
                Served::Done | Served::Full => &message,
                Served::Large(bytes) if bytes.len() <= limit => bytes,
                Served::Large(bytes) => {
                    if sub.key.codec.is_update(bytes) {
                        self.pass_by(at);
                    } else {
                        self.streams[at].is_spoiled = false;
                    }
                    return served;
                }
                _ => return served,
            };
            if bytes.is_empty() {
                return served;
            }
            let passing = Passing { key: &sub.key, first_seq, seq: sub.sent, bytes };
            self.pass(at, &passing, gatherer.batch);
            self.message = message;
        }
    }
}
