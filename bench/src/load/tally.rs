//! What is counted of the messages in the measured time.

use super::message::Message;
use hdrhistogram::Histogram;
use market::Nanos;
use std::{ops::AddAssign, time::Duration};

/// Longer latencies count as this.
const LONGEST: Duration = Duration::from_secs(100);

/// The measured time, in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    start: Nanos,
    seconds: u64,
}

impl Window {
    /// So many seconds from `start`.
    pub fn new(start: Nanos, seconds: u64) -> Window {
        Window { start, seconds }
    }

    /// When it begins.
    pub fn start(self) -> Nanos {
        self.start
    }

    /// When it is over.
    pub fn end(self) -> Nanos {
        self.start + Duration::from_secs(self.seconds)
    }

    /// How long it is.
    pub fn seconds(self) -> u64 {
        self.seconds
    }

    /// In which of its seconds a moment is.
    pub fn second_of(self, moment: Nanos) -> Option<usize> {
        (self.start..self.end()).contains(&moment).then(|| moment.since(self.start).as_secs() as usize)
    }
}

/// How often something happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Updates and snapshots.
    pub deliveries: u64,
    /// Events that the updates cover.
    pub events: u64,
    /// Bytes read, of whatever.
    pub bytes: u64,
    /// Updates that were merged because the client was slow.
    pub conflated: u64,
    /// Snapshots.
    pub snapshots: u64,
    /// Gap messages.
    pub gaps: u64,
    /// Updates that do not continue what was sent before, with neither a snapshot nor a gap message in between.
    pub holes: u64,
    /// Text messages that are not as they should be.
    pub malformed: u64,
    /// Connections that the server closed.
    pub closed: u64,
    /// Updates that were read before they were meant to happen: the two clocks differ.
    pub early: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Counts) {
        self.deliveries += other.deliveries;
        self.events += other.events;
        self.bytes += other.bytes;
        self.conflated += other.conflated;
        self.snapshots += other.snapshots;
        self.gaps += other.gaps;
        self.holes += other.holes;
        self.malformed += other.malformed;
        self.closed += other.closed;
        self.early += other.early;
    }
}

/// Counts, and the latencies in nanoseconds of each second.
#[derive(Debug, Default)]
pub struct Tally {
    /// How often something happened.
    pub counts: Counts,
    seconds: Vec<Histogram<u64>>,
}

impl Tally {
    /// Counts a message that was read at `now`, in that second of the window; `None` is a malformed one.
    pub fn count(&mut self, message: Option<&Message<'_>>, second: usize, now: Nanos) {
        match message {
            Some(Message::Update(update)) => {
                self.counts.deliveries += 1;
                self.counts.events += (update.seq + 1).saturating_sub(update.first_seq);
                self.counts.conflated += u64::from(update.conflated);
                self.record(second, update.engine, now);
            }
            Some(Message::Snapshot { .. }) => {
                self.counts.deliveries += 1;
                self.counts.snapshots += 1;
            }
            Some(Message::Gap) => self.counts.gaps += 1,
            Some(Message::Other) => {}
            None => self.counts.malformed += 1,
        }
    }

    fn record(&mut self, second: usize, meant: Nanos, read: Nanos) {
        self.counts.early += u64::from(read < meant);
        self.second(second).saturating_record(read.since(meant).as_nanos() as u64);
    }

    /// Adds another thread's.
    pub fn add(&mut self, other: &Tally) {
        self.counts += other.counts;
        for (second, latencies) in other.seconds.iter().enumerate() {
            self.second(second).add(latencies).expect("all have the same bounds");
        }
    }

    /// The latencies of each second.
    pub fn seconds(&self) -> &[Histogram<u64>] {
        &self.seconds
    }

    /// All latencies.
    pub fn latencies(&self) -> Histogram<u64> {
        let mut all = empty();
        self.seconds.iter().for_each(|second| all.add(second).expect("all have the same bounds"));
        all
    }

    fn second(&mut self, second: usize) -> &mut Histogram<u64> {
        if self.seconds.len() <= second {
            self.seconds.resize_with(second + 1, empty);
        }
        &mut self.seconds[second]
    }
}

fn empty() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST.as_nanos() as u64, 2).expect("the bounds are valid")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_has_its_start_and_not_its_end() {
        let window = Window::new(Nanos(10_000_000_000), 2);
        let check = |moment, second| assert_eq!(window.second_of(Nanos(moment)), second, "{moment}");
        check(9_999_999_999, None);
        check(10_000_000_000, Some(0));
        check(11_999_999_999, Some(1));
        check(12_000_000_000, None);
    }

    #[test]
    fn threads_are_merged_second_by_second() {
        let mut all = Tally::default();
        for (second, latency) in [(0, 100), (2, 300)] {
            let mut thread = Tally::default();
            thread.counts.deliveries = 1;
            thread.record(second, Nanos(1_000), Nanos(1_000 + latency));
            all.add(&thread);
        }
        assert_eq!(all.counts.deliveries, 2);
        assert_eq!(all.seconds().iter().map(Histogram::max).collect::<Vec<_>>(), [100, 0, 301]);
        assert_eq!(all.latencies().len(), 2);
    }

    #[test]
    fn what_comes_before_its_time_is_seen() {
        let mut tally = Tally::default();
        tally.record(0, Nanos(10), Nanos(9));
        assert_eq!((tally.counts.early, tally.latencies().len()), (1, 1));
    }
}
