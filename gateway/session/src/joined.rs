//! Batches that serve several clients: whoever reads the same frames of the same topics gets the same bytes.

use crate::{
    log::FrameNumber,
    publisher::Publisher,
    subscriber::{Place, Subscriber, Subscription},
    topic::TopicId,
};
use market::{Seq, SymbolId};

/// A place in a topic's log from which all was taken up to another one, or up to where the batch was full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Start {
    topic: TopicId,
    cursor: FrameNumber,
    head: FrameNumber,
}

/// Of the batch that was gathered last: from where, and where it led to. Empty if it is nobody else's.
#[derive(Default)]
pub struct Joined {
    from: Vec<Start>,
    to: Vec<(FrameNumber, Seq)>,
    /// Where the client's topics were visited from, before and after.
    rotation: [Option<SymbolId>; 2],
    /// The places of the client that is being served.
    asked: Vec<Start>,
}

impl Joined {
    /// The batch is no longer what it was: it was written over, or numbers of topics may have been used again.
    pub fn forget(&mut self) {
        self.from.clear();
    }

    /// Whether the batch is just what this client is to get; if so, its cursors move behind it. To be called before a batch is
    /// gathered for it, and then [`Joined::note`] after that.
    pub fn serves(&mut self, publisher: &Publisher, subscriber: &mut Subscriber) -> bool {
        self.asked.clear();
        if !subscriber.slow {
            let starts = subscriber.subscriptions.iter().map_while(|sub| start(publisher, sub));
            self.asked.extend(starts);
        }
        if self.asked.len() < subscriber.subscriptions.len() {
            // Somebody with messages of its own.
            self.asked.clear();
        }
        if self.asked.is_empty() || self.asked != self.from || self.rotation[0] != subscriber.rotation {
            return false;
        }
        for (sub, &(next, seq)) in subscriber.subscriptions.iter_mut().zip(&self.to) {
            if sub.place != Place::InStep(next) {
                sub.advance(next, seq);
            }
        }
        subscriber.rotation = self.rotation[1];
        true
    }

    /// A batch was gathered for the client that was asked about; before that its topics were visited from `rotation`.
    pub fn note(&mut self, rotation: Option<SymbolId>, subscriber: &Subscriber) {
        std::mem::swap(&mut self.from, &mut self.asked);
        self.rotation = [rotation, subscriber.rotation];
        self.to.clear();
        self.to.extend(subscriber.subscriptions.iter().map_while(|sub| match sub.place {
            Place::InStep(next) => Some((next, sub.sent)),
            _ => None,
        }));
        if self.to.len() < self.from.len() {
            self.from.clear();
        }
    }
}

/// Where a subscription stands that only walks its log.
fn start(publisher: &Publisher, sub: &Subscription) -> Option<Start> {
    let Place::InStep(cursor) = sub.place else { return None };
    Some(Start { topic: sub.topic, cursor, head: publisher.topic(sub.topic).log.head() })
}
