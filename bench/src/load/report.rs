//! What a load came to, for people and for programs.

use super::{Usage, clocks::Difference, tally::Tally, tally::Window};
use crate::processor;
use hdrhistogram::serialization::{V2DeflateSerializer, interval_log::IntervalLogWriterBuilder};
use serde_json::{Value, json};
use std::{fmt, fs::File, io, path::Path, time::Duration};

/// Clocks that differ by more than this, in nanoseconds, spoil latencies.
const TOLERABLE_DIFFERENCE: i64 = 20_000;
const QUANTILES: [(&str, f64); 4] = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999)];

/// What a load came to.
#[derive(Debug)]
pub struct Report {
    /// How many there were.
    pub connections: u32,
    /// Of all connections.
    pub subscriptions: usize,
    /// When it was measured.
    pub window: Window,
    /// What was counted.
    pub tally: Tally,
    /// What it took from the processor.
    pub usage: Usage,
    /// How far the gateway's clock was ahead, before and after.
    pub clocks: [Difference; 2],
}

impl Report {
    /// As one JSON object; times in ns.
    pub fn json(&self) -> Value {
        let latencies = self.tally.latencies();
        let mut latency: serde_json::Map<String, Value> = QUANTILES
            .iter()
            .map(|&(name, at)| (name.into(), latencies.value_at_quantile(at).into()))
            .collect();
        latency.insert("max".into(), latencies.max().into());
        let counts = self.tally.counts;
        json!({
            "connections": self.connections,
            "subscriptions": self.subscriptions,
            "seconds": self.window.seconds(),
            "deliveries": counts.deliveries,
            "deliveries_per_second": self.per_second(counts.deliveries),
            "bytes_per_second": self.per_second(counts.bytes),
            "latency_ns": latency,
            "snapshots": counts.snapshots,
            "conflated": counts.conflated,
            "gaps": counts.gaps,
            "holes": counts.holes,
            "malformed": counts.malformed,
            "closed": counts.closed,
            "early": counts.early,
            "server_cpu_ns_per_delivery": self.cpu_per_delivery(),
            "server_cores": self.server_cores(),
            "own_cores": self.usage.own,
            "others_cores": self.usage.others,
            "clock_difference_ns": self.clocks.map(|difference| difference.nanos),
        })
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

    fn cpu_per_delivery(&self) -> Option<f64> {
        self.usage.server.map(|nanos| nanos as f64 / self.tally.counts.deliveries as f64)
    }

    fn server_cores(&self) -> Option<f64> {
        self.usage.server.map(|nanos| nanos as f64 / 1e9 / self.window.seconds() as f64)
    }

    fn clocks_differ(&self) -> bool {
        self.clocks.iter().any(|clock| clock.nanos.abs() > TOLERABLE_DIFFERENCE + clock.uncertain)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.tally.counts;
        let latencies = self.tally.latencies();
        let micros = |nanos: u64| nanos as f64 / 1e3;
        writeln!(
            f,
            "{} connections, {} subscriptions, {} s",
            self.connections,
            self.subscriptions,
            self.window.seconds()
        )?;
        writeln!(
            f,
            "deliveries      {:.0}/s, {:.2} MB/s, {} in all",
            self.per_second(counts.deliveries),
            self.per_second(counts.bytes) / 1e6,
            counts.deliveries
        )?;
        write!(f, "latency in us  ")?;
        for (name, at) in QUANTILES {
            write!(f, " {name} {:.1}", micros(latencies.value_at_quantile(at)))?;
        }
        writeln!(f, " max {:.1}", micros(latencies.max()))?;
        writeln!(
            f,
            "among them      {} snapshots, {} merged; besides {} gap messages, {} holes, {} malformed, {} closed",
            counts.snapshots, counts.conflated, counts.gaps, counts.holes, counts.malformed, counts.closed
        )?;
        if let Some((each, cores)) = self.cpu_per_delivery().zip(self.server_cores()) {
            writeln!(f, "gateway's CPU   {:.3} us a delivery, {cores:.2} of a core", each / 1e3)?;
        }
        writeln!(f, "this program    {:.2} of a core", self.usage.own)?;
        let [before, after] = self.clocks;
        let verdict = if self.clocks_differ() { "; that is too much to trust the latencies" } else { "" };
        writeln!(f, "gateway's clock {before} before, {after} after{verdict}")?;
        writeln!(f, "{}", processor::describe_others(self.usage.others))
    }
}
