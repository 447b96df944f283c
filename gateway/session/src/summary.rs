//! What the trades of a symbol add up to, told once in an interval of feed time: tickers, candles, averages. It is state and
//! no sequence: whoever missed something gets the present one.

use crate::{
    publisher::{Publisher, touch},
    topic::{Told, TopicId, TopicKey},
};
use market::{Nanos, Side, SymbolId};
use stats::Revision;
use wire::{codec::Codec, message::Summary};

impl Publisher {
    /// Tells a topic's summary, if there is something to say since the last time.
    pub(crate) fn publish_summary(&mut self, id: TopicId) {
        let topic = &self.topics[id.0 as usize];
        let (key, told) = (topic.key, topic.told);
        let mut message = Vec::new();
        self.push_summary(&key, &told, &mut message);
        if message.is_empty() {
            return;
        }
        let mark = self.mark(key.symbol);
        let topic = &mut self.topics[id.0 as usize];
        touch(&mut self.touched, id, topic);
        topic.append(mark, |out, _| out.extend_from_slice(&message));
        let book = &self.replicas[key.symbol.index()].book;
        topic.told = Told {
            at: self.feed_time,
            revision: self.stats.revision(),
            top: Side::BOTH.map(|side| book.best(side)),
        };
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
        self.push_summary(key, &Told::default(), out);
    }

    /// Appends what there is to say to those who were told this last.
    fn push_summary(&self, key: &TopicKey, told: &Told, out: &mut Vec<u8>) {
        let codec = key.codec;
        if codec.is_of_all() {
            let symbols = self.stats.changed_since(told.revision);
            return codec
                .push_summaries(out, symbols.filter_map(|symbol| self.summary(codec, symbol, told.at)));
        }
        let Some(summary) = self.summary(codec, key.symbol, told.at) else { return };
        let is_new = self.stats.revision_of(key.symbol) > told.revision
            || codec.closes_with(&summary)
            || codec.follows_top() && [summary.bid, summary.ask] != told.top;
        if is_new {
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
