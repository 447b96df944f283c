//! What the trades of a symbol add up to, told once a second of feed time: tickers, candles, averages. It is state and no
//! sequence: whoever missed something gets the present one.

use crate::{
    publisher::{Publisher, touch},
    topic::{TopicId, TopicKey},
};
use market::{Nanos, Side};
use wire::message::Summary;

impl Publisher {
    /// Tells a topic's summary, if there is something to say since the last time.
    pub(crate) fn publish_summary(&mut self, id: TopicId) {
        let topic = &mut self.topics[id.0 as usize];
        let (symbol, now) = (topic.key.symbol, self.feed_time);
        let Some(stats) = self.stats.symbol(symbol) else { return };
        let has_traded = self.stats.revision_of(symbol) > topic.told_revision;
        let book = &self.replicas[symbol.index()].book;
        let [bid, ask] = Side::BOTH.map(|side| book.best(side));
        let instrument = &self.instruments[symbol];
        let summary = Summary { instrument, stats, since: topic.told, now, bid, ask };
        if !has_traded && !topic.key.codec.closes_with(&summary) {
            return;
        }
        let mark = book.mark();
        touch(&mut self.touched, id, topic);
        topic.append(mark, |out, codec| codec.push_summary(out, &summary));
        topic.told = now;
        topic.told_revision = self.stats.revision();
    }

    /// Appends the summary as it is now.
    pub(crate) fn push_present_summary(&self, key: &TopicKey, out: &mut Vec<u8>) {
        let Some(stats) = self.stats.symbol(key.symbol) else { return };
        let book = &self.replicas[key.symbol.index()].book;
        let [bid, ask] = Side::BOTH.map(|side| book.best(side));
        let instrument = &self.instruments[key.symbol];
        let summary = Summary { instrument, stats, since: Nanos::ZERO, now: self.feed_time, bid, ask };
        key.codec.push_summary(out, &summary);
    }
}
