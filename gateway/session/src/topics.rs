//! The life of topics: born with their first reader, trimmed after each turn, gone with their last reader.

use crate::{
    buckets::{bucket_start, place_of},
    latency::Stage,
    log::FrameNumber,
    outlet::ConnId,
    publisher::{Notice, Publisher},
    topic::{Topic, TopicId, TopicKey},
};
use market::{Nanos, Seq, SymbolId};
use std::{cmp::Reverse, mem::take};
use wire::message::{Channel, Interval, Policy};

impl Publisher {
    /// The topic of a key, made if nobody watches it yet; `conn` reads it from now on.
    pub fn subscribe(&mut self, key: TopicKey, conn: ConnId, policy: Policy) -> TopicId {
        let id = match self.by_key.get(&key) {
            Some(&id) => id,
            None => self.begin_topic(key),
        };
        self.topics[id.0 as usize].subscribers.push(conn);
        self.set_policy(id, conn, policy);
        id
    }

    /// How `conn` reads a topic from now on.
    pub fn set_policy(&mut self, id: TopicId, conn: ConnId, policy: Policy) {
        let lossless = &mut self.topics[id.0 as usize].lossless;
        lossless.retain(|&reader| reader != conn);
        if policy == Policy::Lossless {
            lossless.push(conn);
        }
    }

    fn begin_topic(&mut self, key: TopicKey) -> TopicId {
        // Where there is nothing to tell yet, the first message is a snapshot for all, if the dialect has one.
        let begins_anew = key.codec.tells_snapshots() && !self.has_summary(&key);
        let told_at = if begins_anew { Nanos::ZERO } else { self.feed_time };
        let replica = &mut self.replicas[key.symbol.index()];
        let mut topic = Topic::new(key, replica.book.mark());
        let mut bucket_open = false;
        if key.channel == Channel::Trade {
            topic.tail.seq = replica.trades.last_end();
            topic.unchanged_to = topic.tail;
        } else if key.interval == Interval::EACH_EVENT {
            replica.book.watch(key.depth.get());
        } else {
            [topic.tail, topic.unchanged_to] = match key.codec.ends_with_changes() {
                true => replica.settled_change(key.interval, self.feed_time),
                false => [replica.settled(key.interval, self.feed_time); 2],
            };
            let bucket = &replica.buckets[place_of(key.interval)];
            topic.told.at = told_at;
            // A candle closes also when nothing happens.
            bucket_open =
                key.channel == Channel::Summary || bucket.start == bucket_start(self.feed_time, key.interval);
        }
        let id = TopicId(self.topics.insert(topic) as u32);
        self.by_key.insert(key, id);
        if bucket_open {
            self.topics[id.0 as usize].bucket_open = true;
            self.open_buckets[place_of(key.interval)].push(id);
        }
        let topics = &self.topics;
        let at = replica.topics.partition_point(|&other| topics[other.0 as usize].key < key);
        replica.topics.insert(at, id);
        id
    }

    /// `conn` no longer reads the topic, which ends with its last reader.
    pub fn unsubscribe(&mut self, id: TopicId, conn: ConnId) {
        let topic = &mut self.topics[id.0 as usize];
        if let Some(at) = topic.subscribers.iter().position(|&reader| reader == conn) {
            topic.subscribers.swap_remove(at);
        }
        topic.lossless.retain(|&reader| reader != conn);
        if !topic.subscribers.is_empty() {
            return;
        }
        let key = self.topics.remove(id.0 as usize).key;
        self.by_key.remove(&key);
        let replica = &mut self.replicas[key.symbol.index()];
        replica.topics.retain(|&other| other != id);
        if key.channel != Channel::Trade && key.interval == Interval::EACH_EVENT {
            replica.book.unwatch(key.depth.get());
        }
        self.touched.retain(|&other| other != id);
        self.held.retain(|&other| other != id);
        self.open_buckets.iter_mut().for_each(|open| open.retain(|&other| other != id));
    }

    /// Every connection that reads a topic of this symbol, once.
    pub fn subscribers_of(&self, symbol: SymbolId) -> Vec<ConnId> {
        let topics = self.replicas[symbol.index()].topics.iter();
        let mut conns: Vec<ConnId> =
            topics.flat_map(|&id| self.topic(id).subscribers.iter().copied()).collect();
        conns.sort_unstable();
        conns.dedup();
        conns
    }

    /// Every connection that reads the topic of this key.
    pub fn readers_of(&self, key: &TopicKey) -> Vec<ConnId> {
        self.by_key.get(key).map_or_else(Vec::new, |&id| self.topic(id).subscribers.clone())
    }

    /// Up to where a subscriber in step with this topic has everything: nothing for it lies before.
    pub fn quiet_through(&self, id: TopicId) -> Seq {
        let topic = self.topic(id);
        let each_event = topic.key.interval == Interval::EACH_EVENT;
        if each_event { self.mark(topic.key.symbol).seq } else { topic.unchanged_to.seq }
    }

    /// Topics with frames of this turn.
    pub fn touched(&self) -> &[TopicId] {
        &self.touched
    }

    /// What clients have to be told besides messages; forgotten with this call.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        take(&mut self.notices)
    }

    /// Bytes that this turn appended to the log that got most.
    pub fn most_appended(&self) -> usize {
        let appended = |&id: &TopicId| {
            let topic = self.topic(id);
            topic.log.bytes_from(topic.turn_began)
        };
        self.touched.iter().map(appended).max().unwrap_or(0)
    }

    /// Bytes that this turn appended to logs that somebody reads under `lossless`.
    pub fn appended_for_lossless(&self) -> usize {
        let topics = self.touched.iter().map(|&id| self.topic(id));
        let read = topics.filter(|topic| !topic.lossless.is_empty());
        read.map(|topic| topic.log.bytes_from(topic.turn_began)).sum()
    }

    /// Counts the messages of this turn as written at `end`; the turn began at `now`.
    pub fn record_written(&mut self, now: Nanos, end: Nanos) {
        for &id in &self.touched {
            for engine in self.topics[id.0 as usize].engines_of_turn() {
                self.latency.record(Stage::Write, now, end);
                self.latency.record(Stage::Total, engine, end);
            }
        }
    }

    /// Ends a turn: keeps of each log what stands from `keep` on, within the bounds of a topic and of the worker.
    pub fn end_turn(&mut self, keep: impl Fn(TopicId, &Topic) -> FrameNumber) {
        let mut held = take(&mut self.held);
        for id in self.touched.drain(..) {
            let topic = &mut self.topics[id.0 as usize];
            if !std::mem::replace(&mut topic.holds, true) {
                held.push(id);
            }
        }
        let mut total = 0;
        held.retain(|&id| {
            let keep = keep(id, &self.topics[id.0 as usize]);
            let topic = &mut self.topics[id.0 as usize];
            topic.log.trim(keep, self.limits.log_bytes);
            topic.turn_began = topic.log.head();
            total += topic.log.len();
            topic.holds = topic.log.len() > 0;
            topic.holds
        });
        if total > self.limits.logs_bytes {
            // The furthest behind lose first.
            held.sort_by_key(|&id| Reverse(self.topics[id.0 as usize].log.len()));
            for &id in &held {
                let log = &mut self.topics[id.0 as usize].log;
                let over = total.saturating_sub(self.limits.logs_bytes);
                let before = log.len();
                log.trim(0, before.saturating_sub(over));
                total -= before - log.len();
            }
        }
        self.held = held;
    }
}
