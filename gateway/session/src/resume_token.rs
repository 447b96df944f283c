//! The token with which a client comes back, as the gateway knows it: through where it has everything of each symbol.

use crate::{
    gather::is_pending,
    publisher::{Publisher, Standing},
    subscriber::{Place, Subscription},
};
use market::Seq;
use wire::{message::Channel, token};

impl Publisher {
    /// Whether a token can say where a client with these subscriptions is. A token has one number for all channels of a
    /// symbol. While one of them waits for a snapshot and another has gone on, no number is right for both: the client keeps
    /// the token that it has, from which it misses nothing. A book is told apart by the depth that the token leaves out.
    pub(crate) fn has_token(&self, subscriptions: &[Subscription]) -> bool {
        let waits = |sub: &&Subscription| self.waits_for_snapshot(sub) && !is_state(sub);
        subscriptions.chunk_by(|a, b| a.key.symbol == b.key.symbol).all(|of_symbol| {
            let mut waiting = of_symbol.iter().filter(waits);
            of_symbol.iter().all(|sub| waits(&sub)) || waiting.all(|sub| sub.key.channel == Channel::Book)
        })
    }

    /// Appends the token of a client with these subscriptions, which are in the order of their keys, if it has one. What
    /// waits for a snapshot is left out.
    pub(crate) fn push_token(&self, subscriptions: &[Subscription], out: &mut Vec<u8>) {
        token::push_epoch(out, self.epoch());
        let symbols = subscriptions.chunk_by(|a, b| a.key.symbol == b.key.symbol);
        let entries = symbols.filter_map(|of_symbol| {
            if self.ids_of(of_symbol[0].key.symbol).epoch != self.epoch() {
                return None;
            }
            let begun = || of_symbol.iter().filter(|sub| self.has_begun(sub) && !is_state(sub));
            let seq = begun().map(|sub| self.has_all_through(sub)).min()?;
            // A dialect may have several books of one symbol.
            let book = begun().filter(|sub| sub.key.channel == Channel::Book).max_by_key(|sub| sub.key.depth);
            let symbol = &self.instruments()[of_symbol[0].key.symbol].symbol;
            Some((symbol, book.map(|sub| sub.key.depth), seq))
        });
        for (at, (symbol, depth, seq)) in entries.enumerate() {
            token::push_entry(out, at == 0, symbol, depth, seq);
        }
    }

    /// Whether a client has something of a subscription. A book that has not begun begins with a snapshot for everyone; trades
    /// begin with the next one.
    fn has_begun(&self, sub: &Subscription) -> bool {
        !self.waits_for_snapshot(sub) && (sub.sent > 0 || sub.key.channel == Channel::Trade)
    }

    /// Whether what a client has of a subscription, if anything, does not count: it starts over.
    fn waits_for_snapshot(&self, sub: &Subscription) -> bool {
        match sub.place {
            Place::Snapshot(_) => true,
            Place::InStep(cursor) => self.topic(sub.topic).is_before_anew(cursor).is_some(),
            Place::Behind(_) => false,
        }
    }

    /// Through where a client has everything of a subscription: nothing for it lies between what it was sent and here.
    pub(crate) fn has_all_through(&self, sub: &Subscription) -> Seq {
        let quiet = !matches!(sub.place, Place::Snapshot(_))
            && !is_pending(self, sub)
            // What happens to a book that cannot be told makes no messages.
            && self.standing(sub.key.symbol) == Standing::Whole;
        if quiet { self.quiet_through(sub.topic).max(sub.sent) } else { sub.sent }
    }
}

/// Whether a subscription tells what is now, and not what happened: no number says where a client is in it.
fn is_state(sub: &Subscription) -> bool {
    sub.key.channel == Channel::Summary
}
