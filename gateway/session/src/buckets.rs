//! Buckets of feed time: where the streams of a symbol stand that have an interval.

use crate::publisher::Replica;
use book::Mark;
use market::Nanos;
use wire::message::Interval;

/// A bucket of feed time of one symbol.
#[derive(Clone, Copy)]
pub(crate) struct Bucket {
    /// Its beginning.
    pub(crate) start: Nanos,
    /// The last exchange event's end before it.
    pub(crate) before: Mark,
    /// The last exchange event before it that changed the book.
    changed_before: Mark,
    /// Where it began is not known: the book came as an image in its midst.
    joined: bool,
}

impl Bucket {
    /// The bucket that holds `start`, before which there is nothing but what ends at `mark`.
    pub(crate) fn from(start: Nanos, mark: Mark) -> Bucket {
        Bucket { start, before: mark, changed_before: mark, joined: false }
    }

    /// The bucket that holds `start`, of which nothing is known up to `mark`.
    pub(crate) fn joined(start: Nanos, mark: Mark) -> Bucket {
        Bucket { joined: true, ..Bucket::from(start, mark) }
    }

    /// The bucket that holds `start`, before which `before` is the end and `changed_before` that of the last change.
    fn after(start: Nanos, before: Mark, changed_before: Mark) -> Bucket {
        Bucket { changed_before, ..Bucket::from(start, before) }
    }
}

impl Replica {
    /// An exchange event has ended at feed time `now`; before it the book stood at `before`.
    pub(crate) fn enter_buckets(&mut self, now: Nanos, before: Mark) {
        for (bucket, interval) in self.buckets.iter_mut().zip(Interval::OFFERED).skip(1) {
            let start = bucket_start(now, interval);
            if bucket.start != start {
                *bucket = Bucket::after(start, before, self.changed_at);
            }
        }
    }

    /// The feed has ended, and the buckets with it.
    pub(crate) fn end_buckets(&mut self) {
        let mark = self.book.mark();
        self.buckets
            .iter_mut()
            .for_each(|bucket| *bucket = Bucket::after(bucket.start, mark, self.changed_at));
    }

    /// Where a stream with an interval begins at feed time `now`: at the end of the last exchange event before the open bucket.
    pub(crate) fn settled(&self, interval: Interval, now: Nanos) -> Mark {
        let bucket = &self.buckets[place_of(interval)];
        if bucket.start == bucket_start(now, interval) { bucket.before } else { self.book.mark() }
    }

    /// Where a stream with an interval stands whose messages end with the last change: with which, and through where there is none.
    /// Streams with several such intervals agree on it wherever a bucket of each of them ends.
    pub(crate) fn settled_change(&self, interval: Interval, now: Nanos) -> [Mark; 2] {
        let bucket = &self.buckets[place_of(interval)];
        let is_open = bucket.start == bucket_start(now, interval);
        [if is_open { bucket.changed_before } else { self.changed_at }, self.settled(interval, now)]
    }

    /// Whether what is settled is known. It is not in a bucket in which this book came as an image.
    pub(crate) fn is_settled(&self, interval: Interval, now: Nanos) -> bool {
        let bucket = &self.buckets[place_of(interval)];
        !bucket.joined || bucket.start != bucket_start(now, interval)
    }
}

/// The beginning of the bucket that holds a moment.
pub(crate) fn bucket_start(time: Nanos, interval: Interval) -> Nanos {
    time.floor(interval.duration().as_nanos() as u64)
}

/// Where an interval stands among those offered.
pub(crate) fn place_of(interval: Interval) -> usize {
    Interval::OFFERED.iter().position(|&offered| offered == interval).unwrap_or(0)
}
