//! Latency of each stage of one worker, in HDR histograms that only its thread touches.

use hdrhistogram::Histogram;
use market::Nanos;

/// A stage of the way from the exchange to the socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// From the moment at which the event was meant to happen to ingest.
    Feed,
    /// From ingest to the worker's turn that read it.
    Ring,
    /// Applying one event to the book; one exchange event in [`SAMPLE`] is timed.
    Apply,
    /// Turning one exchange event into the frames of all its topics; one in [`SAMPLE`] is timed.
    Encode,
    /// From the worker's turn that read it until the turn had written to all clients that could take it.
    Write,
    /// From the moment at which the event was meant to happen until written.
    Total,
}

/// Every which exchange event has its `apply` and `encode` timed: so that the clock is not read for each.
pub const SAMPLE: u32 = 64;

impl Stage {
    /// All, in the order of the way.
    pub const ALL: [Stage; 6] =
        [Stage::Feed, Stage::Ring, Stage::Apply, Stage::Encode, Stage::Write, Stage::Total];

    /// The name in `/v1/latency` and in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Feed => "feed",
            Stage::Ring => "ring",
            Stage::Apply => "apply",
            Stage::Encode => "encode",
            Stage::Write => "write",
            Stage::Total => "total",
        }
    }
}

/// One histogram a stage, in nanoseconds, two significant digits, up to 100 s (longer counts as that).
#[derive(Clone)]
pub struct Latency {
    stages: [Histogram<u64>; 6],
}

const LONGEST: u64 = 100_000_000_000;

impl Default for Latency {
    fn default() -> Latency {
        let empty = || Histogram::new_with_bounds(1, LONGEST, 2).expect("the bounds are valid");
        Latency { stages: std::array::from_fn(|_| empty()) }
    }
}

impl Latency {
    /// Counts one passage from `from` to `to`.
    pub fn record(&mut self, stage: Stage, from: Nanos, to: Nanos) {
        self.stages[stage as usize].saturating_record((to.0.saturating_sub(from.0)).max(1));
    }

    /// The histogram of a stage.
    pub fn stage(&self, stage: Stage) -> &Histogram<u64> {
        &self.stages[stage as usize]
    }

    /// Empties all of them.
    pub fn reset(&mut self) {
        self.stages.iter_mut().for_each(Histogram::reset);
    }

    /// Adds another's counts to these.
    pub fn add(&mut self, other: &Latency) {
        for (mine, theirs) in self.stages.iter_mut().zip(&other.stages) {
            mine.add(theirs).expect("all have the same bounds");
        }
    }
}
