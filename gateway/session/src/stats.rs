//! What a connection is told about itself, if it asks for it: the channel `stats`.

use hdrhistogram::Histogram;
use market::Nanos;
use std::time::Duration;
use wire::message::Stats;

/// How often.
pub const EVERY: Duration = Duration::from_secs(10);

/// Shorter latencies count as this, in nanoseconds.
const SHORTEST: u64 = 1_000;
/// Longer latencies count as this.
const LONGEST: u64 = 100_000_000_000;

/// The figures that are kept of a connection only when it wants them: about 10 KiB.
pub struct Watch {
    /// From engine to write, of each message since the last time.
    latencies: Histogram<u32>,
    due: Nanos,
}

impl Watch {
    /// Begins to watch.
    pub fn new(now: Nanos) -> Watch {
        let latencies = Histogram::new_with_bounds(SHORTEST, LONGEST, 2).expect("the bounds are valid");
        Watch { latencies, due: now + EVERY }
    }

    /// When the figures are to be told next.
    pub fn due(&self) -> Nanos {
        self.due
    }

    /// Counts a message whose (oldest) event was meant to happen at `engine` and that is written at `at`.
    pub fn record(&mut self, engine: Nanos, at: Nanos) {
        self.latencies.saturating_record(at.since(engine).as_nanos() as u64);
    }

    /// If they are due, puts the latencies of the time that is over into `stats`, and begins anew.
    pub fn take(&mut self, now: Nanos, stats: Stats) -> Option<Stats> {
        if self.due > now {
            return None;
        }
        self.due = now + EVERY;
        let at = |quantile| match self.latencies.len() {
            0 => 0,
            _ => self.latencies.value_at_quantile(quantile),
        };
        let stats = Stats { p50: at(0.5), p99: at(0.99), p999: at(0.999), ..stats };
        self.latencies.reset();
        Some(stats)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latencies_are_those_since_the_last_time() {
        let now = Nanos(1_000_000_000_000);
        let mut watch = Watch::new(now);
        watch.record(now, now + Duration::from_millis(5));
        assert_eq!(watch.take(now + Duration::from_secs(9), Stats::default()), None);
        let told = watch.take(now + EVERY, Stats::default()).unwrap();
        assert!((4_900_000..5_100_000).contains(&told.p50), "{told:?}");
        let told = watch.take(now + EVERY * 2, Stats { gaps: 3, ..Stats::default() }).unwrap();
        assert_eq!((told.p50, told.gaps), (0, 3));
    }
}
