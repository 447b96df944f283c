//! What a load came to, and how that becomes a run as it is written to disk.

use super::{
    clocks::Difference,
    measure::{Memory, Usage},
    tally::{Tally, Window},
};
use crate::{
    processor,
    result::{Latency, Run},
};
use hdrhistogram::serialization::{V2DeflateSerializer, interval_log::IntervalLogWriterBuilder};
use std::{fs::File, io, path::Path, time::Duration};

/// Clocks that differ by more than this, in nanoseconds, spoil latencies.
const TOLERABLE_DIFFERENCE: i64 = 20_000;

/// Of so many stalled connections the memory of one can be told.
const ENOUGH: u32 = 100;

/// What a load came to.
#[derive(Debug)]
pub struct Report {
    /// How many connections read.
    pub connections: u32,
    /// Topics of each of them.
    pub topics_each: usize,
    /// How many further ones never read.
    pub stalled: u32,
    /// When it was measured.
    pub window: Window,
    /// What was counted.
    pub tally: Tally,
    /// What it took from the processor.
    pub usage: Usage,
    /// What the server held.
    pub memory: Memory,
    /// How far the server's clock was ahead, before and after, where it tells.
    pub clocks: Vec<Difference>,
}

impl Report {
    /// In the form that is written to disk. Which scenario and which server it was, the caller knows.
    pub fn run(&self) -> Run {
        let counts = self.tally.counts;
        let others = self.usage.others;
        let cores = |nanos| nanos as f64 / 1e9 / self.window.seconds() as f64;
        Run {
            scenario: "load".into(),
            case: String::new(),
            server: String::new(),
            round: 1,
            offer: None,
            connections: self.connections,
            topics_each: self.topics_each,
            stalled: self.stalled,
            seconds: self.window.seconds(),
            deliveries_per_second: self.per_second(counts.deliveries),
            events_per_second: self.per_second(counts.events),
            bytes_per_second: self.per_second(counts.bytes),
            latency: Latency::of(&self.tally.latencies()),
            snapshots: counts.snapshots,
            conflated: counts.conflated,
            gaps: counts.gaps,
            holes: counts.holes,
            malformed: counts.malformed,
            early: counts.early,
            closed: counts.closed,
            cpu_ns_per_delivery: self.cpu_ns_per_delivery(),
            server_cores: self.usage.server.map(cores),
            feed_cores: self.usage.feed.map(cores),
            own_cores: self.usage.own,
            others_cores: others,
            clock_difference_ns: self.clocks.iter().map(|difference| difference.nanos).collect(),
            disturbed: others > processor::TOLERABLE || self.clocks_differ(),
            private_bytes_per_connection: None,
            private_bytes_per_stalled: self.private_bytes_per_stalled(),
            slowest_updates_per_second: self.tally.fewest_updates.map(|updates| updates as f64),
            surge_updates_per_second: None,
            surge_events_per_second: None,
            recovered_after_ms: None,
            notes: Vec::new(),
        }
    }

    /// By how much the server's own memory has grown for each connection that reads, from before the first until the end.
    pub fn private_bytes_per_connection(&self) -> Option<f64> {
        let Memory { before, end, .. } = self.memory;
        per_one(before?, end?, self.connections)
    }

    /// By how much it has grown for each stalled connection, once those that read were open. Of a few connections that
    /// would say more about what else grows meanwhile.
    fn private_bytes_per_stalled(&self) -> Option<f64> {
        let Memory { open, end, .. } = self.memory;
        if self.stalled < ENOUGH { None } else { per_one(open?, end?, self.stalled) }
    }

    fn cpu_ns_per_delivery(&self) -> Option<f64> {
        let deliveries = self.tally.counts.deliveries;
        self.usage.server.filter(|_| deliveries > 0).map(|nanos| nanos as f64 / deliveries as f64)
    }

    /// Writes the latencies of each second, as tools for HdrHistogram read them.
    pub fn write_interval_log(&self, path: &Path) -> io::Result<()> {
        let mut file = io::BufWriter::new(File::create(path)?);
        let mut serializer = V2DeflateSerializer::new();
        let mut log = IntervalLogWriterBuilder::new()
            .add_comment(
                "latency in ns, from the moment at which an event was meant to happen until it was read",
            )
            .begin_log_with(&mut file, &mut serializer)?;
        let start = Duration::from_nanos(self.window.start().0);
        for (second, latencies) in (0..).zip(self.tally.seconds()) {
            let begin = start + Duration::from_secs(second);
            log.write_histogram(&latencies, begin, Duration::from_secs(1), None)
                .map_err(|error| io::Error::other(format!("{error:?}")))?;
        }
        Ok(())
    }

    fn per_second(&self, count: u64) -> f64 {
        count as f64 / self.window.seconds() as f64
    }

    fn clocks_differ(&self) -> bool {
        self.clocks.iter().any(|clock| clock.nanos.abs() > TOLERABLE_DIFFERENCE + clock.uncertain)
    }
}

fn per_one(before: u64, after: u64, count: u32) -> Option<f64> {
    (count > 0).then(|| (after as f64 - before as f64) / f64::from(count))
}
