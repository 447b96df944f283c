//! What is counted of the messages in the measured time.

use super::message::Message;
use hdrhistogram::Histogram;
use market::Nanos;
use std::{ops::AddAssign, time::Duration};

/// Longer latencies count as this.
const LONGEST: Duration = Duration::from_secs(100);
/// Slices of the measured time in a second.
pub const SLICES_PER_SECOND: usize = 10;

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

    /// In which of its slices a moment is.
    pub fn slice_of(self, moment: Nanos) -> Option<usize> {
        const SLICE: u128 = 1_000_000_000 / SLICES_PER_SECOND as u128;
        let is_within = (self.start..self.end()).contains(&moment);
        is_within.then(|| (moment.since(self.start).as_nanos() / SLICE) as usize)
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

/// Counts, and the latencies in nanoseconds of each slice of the window.
#[derive(Debug, Default)]
pub struct Tally {
    /// How often something happened.
    pub counts: Counts,
    /// Updates of the connection that had the fewest in a second, in that second; `None` before [`Tally::finish`].
    pub fewest_updates: Option<u64>,
    window: Option<Window>,
    slices: Vec<Slice>,
    /// What is not recorded yet: bursts arrive together, and their latencies are equal.
    last: Equal,
}

/// A slice of the measured time, by when something was read.
#[derive(Debug, Clone)]
pub struct Slice {
    /// Of the updates.
    pub latencies: Histogram<u64>,
    /// Events that they cover.
    pub events: u64,
    /// Events that were meant to happen in it, whenever they were read; of a merged message all are of the time of its
    /// oldest.
    pub meant: u64,
}

impl Default for Slice {
    fn default() -> Slice {
        let longest = LONGEST.as_nanos() as u64;
        let latencies = Histogram::new_with_bounds(1, longest, 2).expect("the bounds are valid");
        Slice { latencies, events: 0, meant: 0 }
    }
}

/// So many equal latencies in a slice, and the events of these updates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Equal {
    slice: usize,
    meant: Nanos,
    nanos: u64,
    times: u64,
    events: u64,
}

impl Tally {
    /// Nothing was counted yet of this window.
    pub fn new(window: Window) -> Tally {
        Tally { window: Some(window), ..Tally::default() }
    }

    /// Counts a message that was read at `now`, in that slice of the window; `None` is a malformed one.
    #[inline]
    pub fn count(&mut self, message: Option<&Message<'_>>, slice: usize, now: Nanos) {
        match message {
            Some(Message::Update(update)) => {
                self.counts.deliveries += 1;
                let events = (update.seq + 1).saturating_sub(update.first_seq);
                self.counts.events += events;
                self.counts.conflated += u64::from(update.conflated);
                self.record(slice, update.engine, now, events);
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

    fn record(&mut self, slice: usize, meant: Nanos, read: Nanos, events: u64) {
        self.counts.early += u64::from(read < meant);
        let nanos = read.since(meant).as_nanos() as u64;
        if (self.last.slice, self.last.meant, self.last.nanos) != (slice, meant, nanos) {
            self.settle();
            self.last = Equal { slice, meant, nanos, times: 0, events: 0 };
        }
        self.last.times += 1;
        self.last.events += events;
    }

    fn settle(&mut self) {
        let Equal { slice, meant, nanos, times, events } = std::mem::take(&mut self.last);
        if times == 0 {
            return;
        }
        let slice = self.slice(slice);
        slice.latencies.saturating_record_n(nanos, times);
        slice.events += events;
        if let Some(slice) = self.window.and_then(|window| window.slice_of(meant)) {
            self.slice(slice).meant += events;
        }
    }

    /// Nothing more is counted; `fewest` are the updates of each connection in the second in which it had the fewest.
    pub fn finish(&mut self, fewest: impl Iterator<Item = u64>) {
        self.settle();
        self.fewest_updates = fewest.min();
    }

    /// Adds another thread's, when both are finished.
    pub fn add(&mut self, other: &Tally) {
        self.counts += other.counts;
        self.fewest_updates = self.fewest_updates.into_iter().chain(other.fewest_updates).min();
        for (at, slice) in other.slices.iter().enumerate() {
            let all = self.slice(at);
            all.latencies.add(&slice.latencies).expect("all have the same bounds");
            all.events += slice.events;
            all.meant += slice.meant;
        }
    }

    /// The slices, up to the last one in which something was read.
    pub fn slices(&self) -> &[Slice] {
        &self.slices
    }

    /// The latencies of each second.
    pub fn seconds(&self) -> impl Iterator<Item = Histogram<u64>> {
        self.slices.chunks(SLICES_PER_SECOND).map(sum)
    }

    /// All latencies.
    pub fn latencies(&self) -> Histogram<u64> {
        sum(&self.slices)
    }

    fn slice(&mut self, slice: usize) -> &mut Slice {
        if self.slices.len() <= slice {
            self.slices.resize_with(slice + 1, Slice::default);
        }
        &mut self.slices[slice]
    }
}

/// The latencies of several slices.
pub fn sum(slices: &[Slice]) -> Histogram<u64> {
    let mut all = Slice::default().latencies;
    slices.iter().for_each(|slice| all.add(&slice.latencies).expect("all have the same bounds"));
    all
}

/// How many updates one connection had in the second in which it had the fewest.
#[derive(Debug, Default)]
pub struct Served {
    second: usize,
    updates: u64,
    fewest: Option<u64>,
}

impl Served {
    /// So many updates in a slice, at or behind the last one.
    pub fn count(&mut self, slice: usize, updates: u64) {
        self.go_to(slice / SLICES_PER_SECOND);
        self.updates += updates;
    }

    /// The fewest in any of so many seconds.
    pub fn fewest(&mut self, seconds: u64) -> u64 {
        self.go_to(seconds as usize);
        self.fewest.unwrap_or(0)
    }

    fn go_to(&mut self, second: usize) {
        if second > self.second {
            // A second that was left out altogether had none.
            let least = if second > self.second + 1 { 0 } else { self.updates };
            self.fewest = Some(self.fewest.map_or(least, |fewest| fewest.min(least)));
            (self.second, self.updates) = (second, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_has_its_start_and_not_its_end() {
        let window = Window::new(Nanos(10_000_000_000), 2);
        let check = |moment, slice| assert_eq!(window.slice_of(Nanos(moment)), slice, "{moment}");
        check(9_999_999_999, None);
        check(10_000_000_000, Some(0));
        check(10_100_000_000, Some(1));
        check(11_999_999_999, Some(19));
        check(12_000_000_000, None);
    }

    #[test]
    fn threads_are_merged_second_by_second() {
        let mut all = Tally::default();
        for (slice, latency, updates) in [(3, 100, 5), (25, 300, 4)] {
            let mut thread = Tally::default();
            thread.counts.deliveries = 1;
            thread.record(slice, Nanos(1_000), Nanos(1_000 + latency), 1);
            thread.finish([9, updates].into_iter());
            all.add(&thread);
        }
        assert_eq!((all.counts.deliveries, all.fewest_updates), (2, Some(4)));
        assert_eq!(all.seconds().map(|second| second.max()).collect::<Vec<_>>(), [100, 0, 301]);
        assert_eq!(all.latencies().len(), 2);
    }

    #[test]
    fn equal_latencies_are_all_recorded() {
        let mut tally = Tally::default();
        for (slice, latency) in [(0, 5), (0, 5), (1, 5), (1, 7), (0, 5)] {
            tally.record(slice, Nanos(100), Nanos(100 + latency), 2);
        }
        tally.finish(std::iter::empty());
        let slices = tally.slices().iter().map(|slice| (slice.latencies.len(), slice.events));
        assert_eq!(slices.collect::<Vec<_>>(), [(3, 6), (2, 4)]);
        assert_eq!(tally.latencies().count_at(7), 1);
    }

    #[test]
    fn what_is_late_is_of_the_slice_in_which_it_was_meant_to_be() {
        let mut tally = Tally::new(Window::new(Nanos(1_000_000_000), 1));
        tally.record(5, Nanos(1_150_000_000), Nanos(1_510_000_000), 7);
        tally.record(5, Nanos(999_999_999), Nanos(1_510_000_000), 3);
        tally.finish(std::iter::empty());
        assert_eq!(tally.slices().iter().map(|slice| slice.meant).collect::<Vec<_>>(), [0, 7, 0, 0, 0, 0]);
        assert_eq!(tally.slices()[5].events, 10);
    }

    #[test]
    fn what_comes_before_its_time_is_seen() {
        let mut tally = Tally::default();
        tally.record(0, Nanos(10), Nanos(9), 1);
        tally.finish(std::iter::empty());
        assert_eq!((tally.counts.early, tally.latencies().len()), (1, 1));
    }

    #[test]
    fn a_connection_is_served_as_badly_as_in_its_worst_second() {
        let check = |counts: &[(usize, u64)], seconds, fewest| {
            let mut served = Served::default();
            counts.iter().for_each(|&(slice, updates)| served.count(slice, updates));
            assert_eq!(served.fewest(seconds), fewest, "{counts:?}");
        };
        check(&[(0, 5), (9, 5), (10, 7), (29, 8)], 3, 7);
        check(&[(0, 5), (25, 5)], 3, 0);
        check(&[(0, 5), (11, 5)], 3, 0);
        check(&[(11, 5)], 2, 0);
        check(&[], 3, 0);
    }
}
