//! What a load came to, for people and for programs.

use super::{Usage, clocks::Difference, tally::Tally, tally::Window};
use crate::{
    processor,
    result::{Latency, Run},
};
use hdrhistogram::serialization::{V2DeflateSerializer, interval_log::IntervalLogWriterBuilder};
use std::{fmt, fs::File, io, path::Path, time::Duration};

/// Clocks that differ by more than this, in nanoseconds, spoil latencies.
const TOLERABLE_DIFFERENCE: i64 = 20_000;

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
    /// How far the server's clock was ahead, before and after, where it tells.
    pub clocks: Vec<Difference>,
}

impl Report {
    /// In the form that is written to disk. Which scenario and which server it was, the caller knows.
    pub fn run(&self) -> Run {
        let counts = self.tally.counts;
        let others = self.usage.others;
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
            cpu_ns_per_delivery: self
                .usage
                .server
                .map(|nanos| nanos as f64 / counts.deliveries.max(1) as f64),
            server_cores: self.usage.server.map(|nanos| nanos as f64 / 1e9 / self.window.seconds() as f64),
            own_cores: self.usage.own,
            others_cores: others,
            clock_difference_ns: self.clocks.iter().map(|difference| difference.nanos).collect(),
            disturbed: others > processor::TOLERABLE || self.clocks_differ(),
            private_bytes_per_connection: None,
            private_bytes_per_stalled: None,
            slowest_updates_per_second: None,
            recovered_after_ms: None,
            notes: Vec::new(),
        }
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
            log.write_histogram(latencies, begin, Duration::from_secs(1), None)
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

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let run = self.run();
        let Latency { p50, p90, p99, p999, max, .. } = run.latency;
        let micros = |nanos: u64| nanos as f64 / 1e3;
        writeln!(
            f,
            "{} connections and {} stalled ones, {} topics each, {} s",
            run.connections, run.stalled, run.topics_each, run.seconds
        )?;
        writeln!(
            f,
            "deliveries      {:.0}/s, {:.2} MB/s, {} in all",
            run.deliveries_per_second,
            run.bytes_per_second / 1e6,
            self.tally.counts.deliveries
        )?;
        writeln!(
            f,
            "latency in us   p50 {:.1} p90 {:.1} p99 {:.1} p99.9 {:.1} max {:.1}",
            micros(p50),
            micros(p90),
            micros(p99),
            micros(p999),
            micros(max)
        )?;
        writeln!(
            f,
            "among them      {} snapshots, {} merged; besides {} gap messages, {} holes, {} malformed, {} closed",
            run.snapshots, run.conflated, run.gaps, run.holes, run.malformed, run.closed
        )?;
        if let Some((each, cores)) = run.cpu_ns_per_delivery.zip(run.server_cores) {
            writeln!(f, "server's CPU    {:.3} us a delivery, {cores:.2} of a core", each / 1e3)?;
        }
        writeln!(f, "this program    {:.2} of a core", run.own_cores)?;
        if let [before, after] = self.clocks[..] {
            let verdict = if self.clocks_differ() { "; that is too much to trust the latencies" } else { "" };
            writeln!(f, "server's clock  {before} before, {after} after{verdict}")?;
        }
        writeln!(f, "{}", processor::describe_others(run.others_cores))
    }
}
