//! Figures of ingest that other threads read.

use crate::{Counts, Fault, Tally};
use market::Nanos;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Brought up to date once a turn. Each figure is right by itself; two of them may be from different turns.
#[derive(Debug, Default)]
pub struct IngestStats {
    tallies: [AtomicU64; Tally::ALL.len()],
    faults: [AtomicU64; Fault::ALL.len()],
    head: AtomicU64,
    feed_time: AtomicU64,
    books_standing: AtomicU64,
    feed_stalled: AtomicBool,
    feed_ended: AtomicBool,
}

impl IngestStats {
    /// How often this happened.
    pub fn of(&self, tally: Tally) -> u64 {
        self.tallies[tally as usize].load(Ordering::Relaxed)
    }

    /// How often the feed did this.
    pub fn faults(&self, fault: Fault) -> u64 {
        self.faults[fault as usize].load(Ordering::Relaxed)
    }

    /// The position in the ring of the next event; all below it can be read.
    pub fn head(&self) -> u64 {
        self.head.load(Ordering::Acquire)
    }

    /// The feed time that the sequencer has reached.
    pub fn feed_time(&self) -> Nanos {
        Nanos(self.feed_time.load(Ordering::Relaxed))
    }

    /// How many books are whole and not stale.
    pub fn books_standing(&self) -> u64 {
        self.books_standing.load(Ordering::Relaxed)
    }

    /// Whether the feed has given neither event nor watermark for too long.
    pub fn is_feed_stalled(&self) -> bool {
        self.feed_stalled.load(Ordering::Relaxed)
    }

    /// Whether the feed came to its end.
    pub fn is_feed_ended(&self) -> bool {
        self.feed_ended.load(Ordering::Relaxed)
    }

    pub(crate) fn set_counts(&self, counts: &Counts) {
        let all = self.tallies.iter().zip(counts.tallies).chain(self.faults.iter().zip(counts.faults));
        all.for_each(|(figure, count)| figure.store(count, Ordering::Relaxed));
    }

    pub(crate) fn set_progress(&self, head: u64, feed_time: Nanos, books_standing: usize) {
        self.feed_time.store(feed_time.0, Ordering::Relaxed);
        self.books_standing.store(books_standing as u64, Ordering::Relaxed);
        self.head.store(head, Ordering::Release);
    }

    pub(crate) fn set_feed(&self, stalled: bool, ended: bool) {
        self.feed_stalled.store(stalled, Ordering::Relaxed);
        self.feed_ended.store(ended, Ordering::Relaxed);
    }
}
