//! What the trades of a symbol add up to, told once a second of feed time: tickers, candles, averages. It is state and no
//! sequence: whoever missed something gets the present one.

use crate::{
    publisher::{Publisher, touch},
    topic::{TopicId, TopicKey},
};
use market::{Nanos, Side, SymbolId};
use stats::Revision;
use wire::{codec::Codec, message::Summary};

impl Publisher {
    /// Tells a topic's summary, if there is something to say since the last time.
    pub(crate) fn publish_summary(&mut self, id: TopicId) {
        let topic = &self.topics[id.0 as usize];
        let (key, told, told_revision) = (topic.key, topic.told, topic.told_revision);
        let mut message = Vec::new();
        self.push_summary(&key, told, told_revision, &mut message);
        if message.is_empty() {
            return;
        }
        let mark = self.mark(key.symbol);
        let topic = &mut self.topics[id.0 as usize];
        touch(&mut self.touched, id, topic);
        topic.append(mark, |out, _| out.extend_from_slice(&message));
        topic.told = self.feed_time;
        topic.told_revision = self.stats.revision();
    }

    /// Whether there is anything that a summary could tell.
    pub(crate) fn has_summary(&self, key: &TopicKey) -> bool {
        match key.codec.is_of_all() {
            true => self.stats.revision() > Revision::default(),
            false => self.stats.symbol(key.symbol).is_some(),
        }
    }

    /// Appends the summary as it is now.
    pub(crate) fn push_present_summary(&self, key: &TopicKey, out: &mut Vec<u8>) {
        self.push_summary(key, Nanos::ZERO, Revision::default(), out);
    }

    /// Appends what there is to say to those who were told last at `since`, when the trades stood at `revision`.
    fn push_summary(&self, key: &TopicKey, since: Nanos, revision: Revision, out: &mut Vec<u8>) {
        let codec = key.codec;
        if codec.is_of_all() {
            let symbols = self.stats.changed_since(revision);
            return codec
                .push_summaries(out, symbols.filter_map(|symbol| self.summary(codec, symbol, since)));
        }
        let Some(summary) = self.summary(codec, key.symbol, since) else { return };
        if self.stats.revision_of(key.symbol) > revision || codec.closes_with(&summary) {
            codec.push_summary(out, &summary);
        }
    }

    /// A symbol's summary, if it was traded and can be written.
    fn summary(&self, codec: Codec, symbol: SymbolId, since: Nanos) -> Option<Summary<'_>> {
        let stats = self.stats.symbol(symbol)?;
        let instrument = &self.instruments[symbol];
        let book = &self.replicas[symbol.index()].book;
        let [bid, ask] = Side::BOTH.map(|side| book.best(side));
        codec.can_write(instrument).then_some(Summary {
            instrument,
            stats,
            since,
            now: self.feed_time,
            bid,
            ask,
        })
    }
}
