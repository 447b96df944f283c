//! Where a subscription begins: with a snapshot, with nothing, or where a resume token left off.

use crate::{
    log::FrameNumber,
    publisher::{Publisher, Standing},
    subscriber::{Catch, Place, Subscription},
    topic::{Topic, TopicId},
};
use market::{Seq, SymbolId};
use wire::{
    message::{Channel, Depth, Interval, Policy, SnapshotReason, Subscribe},
    token::TokenEntry,
};

/// Where a subscription begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beginning {
    /// Its first place.
    pub place: Place,
    /// What the client has everything up to, as far as the stream is concerned.
    pub sent: Seq,
    /// Whether everything since its token follows.
    pub recovered: bool,
}

impl Publisher {
    /// Where a new subscription of a topic begins.
    pub fn beginning(&self, id: TopicId, subscribe: &Subscribe) -> Beginning {
        let topic = self.topic(id);
        let since = subscribe.since.as_ref().filter(|_| topic.key.channel != Channel::Summary);
        let Some(since) = since else { return self.afresh(topic, subscribe.snapshot) };
        let instrument = &self.instruments()[topic.key.symbol];
        let entry = since.find(&instrument.symbol).or_else(|| since.find(&instrument.venue_symbol));
        let Some(entry) = entry else { return self.afresh(topic, subscribe.snapshot) };
        let continues = since.epoch() == self.ids_of(topic.key.symbol).epoch;
        let refused = if continues {
            self.cannot_resume(topic, entry, subscribe.policy)
        } else {
            Some(SnapshotReason::Resume)
        };
        match refused {
            None => {
                let place = self.place_of_resumed(topic, entry.seq, subscribe.policy);
                Beginning { place, sent: entry.seq, recovered: true }
            }
            // The client sees that what comes does not continue what it has.
            Some(_) if !topic.key.codec.mends_holes() => self.afresh(topic, Some(false)),
            // Trades have no snapshot that makes up for them: what is missing is named as a gap.
            Some(_) if topic.key.channel == Channel::Trade && continues => {
                let sent = entry.seq.min(topic.tail.seq);
                Beginning { place: Place::Behind(Catch::Resume), sent, recovered: false }
            }
            Some(_) if topic.key.channel == Channel::Trade => self.afresh(topic, subscribe.snapshot),
            Some(reason) => {
                Beginning { place: Place::Snapshot(reason), sent: topic.tail.seq, recovered: false }
            }
        }
    }

    /// Where a subscription goes on whose token can be continued: under `lossless` with each message that is held.
    ///
    /// A bucket's message is a net difference, and wrong for a client that was in the middle of the bucket: there the
    /// client gets one message that is safe wherever it was.
    fn place_of_resumed(&self, topic: &Topic, from: Seq, policy: Policy) -> Place {
        let walks = policy == Policy::Lossless
            && topic.key.channel != Channel::Trade
            && topic.key.interval == Interval::EACH_EVENT;
        let next = if walks { topic.log.after_seq(from) } else { None };
        next.map_or(Place::Behind(Catch::Resume), Place::InStep)
    }

    fn afresh(&self, topic: &Topic, snapshot: Option<bool>) -> Beginning {
        let wanted = snapshot.unwrap_or(topic.key.channel != Channel::Trade) && topic.key.codec.mends_holes();
        // The first message of a book that has not begun is a snapshot for all.
        let key = &topic.key;
        let comes_anyway = match key.channel {
            Channel::Trade => false,
            Channel::Summary => !self.has_summary(key),
            _ => self.standing(key.symbol) == Standing::Absent,
        };
        let place = if wanted && !comes_anyway {
            Place::Snapshot(SnapshotReason::Subscribe)
        } else {
            Place::InStep(topic.log.head())
        };
        Beginning { place, sent: topic.tail.seq, recovered: false }
    }

    /// Why a token's entry of this epoch cannot be continued, if it cannot.
    fn cannot_resume(&self, topic: &Topic, entry: &TokenEntry, policy: Policy) -> Option<SnapshotReason> {
        let (key, log) = (&topic.key, &topic.log);
        let ahead = entry.seq > self.mark(key.symbol).seq;
        if key.channel == Channel::Trade {
            let held = self.replicas[key.symbol.index()].trades.whole_after() <= entry.seq;
            return (ahead || !held).then_some(SnapshotReason::Resume);
        }
        if ahead || self.standing(key.symbol) != Standing::Whole {
            return Some(SnapshotReason::Resume);
        }
        if key.channel == Channel::Book {
            let Some(depth) = entry.depth else { return Some(SnapshotReason::Resume) };
            if depth < key.depth {
                return Some(SnapshotReason::Modify);
            }
        }
        let held = match policy {
            Policy::Lossless => entry.seq >= topic.tail.seq || log.after_seq(entry.seq).is_some(),
            Policy::Conflate => entry.seq >= topic.tail.seq || self.holds(key.symbol, entry.seq),
        };
        (!held).then_some(SnapshotReason::Resume)
    }

    /// Whether the history of a symbol reaches back to this seq.
    pub(crate) fn holds(&self, symbol: SymbolId, seq: Seq) -> bool {
        self.replicas[symbol.index()].book.holds(&self.history, seq)
    }

    /// Where a subscription goes on whose policy may have changed, and nothing else.
    ///
    /// What a slow client did not take under `conflate` is not kept for it: it is merged up to now, also where every message
    /// counts from now on.
    pub fn place_in_same_topic(&self, old: &Subscription) -> Place {
        match old.place {
            Place::InStep(cursor)
                if old.policy == Policy::Conflate && cursor < self.topic(old.topic).log.first() =>
            {
                self.behind(old, cursor, Catch::Merge { slow: true })
            }
            place => place,
        }
    }

    /// Where a subscription goes on after its parameters changed, in its new topic.
    pub fn place_after_modify(&self, old: &Subscription, new: TopicId, policy: Policy) -> Place {
        let topic = self.topic(new);
        let same_view = old.key.depth == topic.key.depth && old.key.interval == topic.key.interval;
        let in_step = old.place == Place::InStep(self.topic(old.topic).log.head());
        match old.place {
            Place::Snapshot(reason) if same_view => Place::Snapshot(reason),
            // It was not sent anything yet: where between its token and now it really is, nobody knows.
            Place::Behind(Catch::Resume) if same_view => old.place,
            _ if same_view
                && (in_step || policy == Policy::Conflate || topic.key.channel == Channel::Trade) =>
            {
                let how = Catch::Merge { slow: !in_step };
                match old.place {
                    Place::InStep(cursor) => self.behind(old, cursor, how),
                    _ => Place::Behind(how),
                }
            }
            _ => Place::Snapshot(SnapshotReason::Modify),
        }
    }

    /// Where a subscription goes on that was to get the frame at `cursor` next, and is to be caught up instead.
    pub(crate) fn behind(&self, sub: &Subscription, cursor: FrameNumber, how: Catch) -> Place {
        let anew = self.topic(sub.topic).is_before_anew(cursor);
        anew.map_or(Place::Behind(how), Place::Snapshot)
    }

    /// The checksum of a book at a seq and depth; `None` if that is no held end of an exchange event.
    pub fn checksum_at(&mut self, symbol: SymbolId, seq: Seq, depth: Depth) -> Option<u32> {
        if self.standing(symbol) != Standing::Whole {
            return None;
        }
        let (book, view) = (&self.replicas[symbol.index()].book, &mut self.scratch.view);
        book.view_at(&self.history, seq, depth.get(), view).ok()?;
        Some(view.checksum(depth.get()))
    }
}
