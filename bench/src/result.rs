//! What runs came to, as it is written to disk: the unit that reports are made of. Times are in nanoseconds and rates in
//! units a second, unless a name says otherwise.

use crate::{processor, servers::Offer};
use base64::{Engine, prelude::BASE64_STANDARD};
use hdrhistogram::{
    Histogram,
    serialization::{Serializer, V2DeflateSerializer},
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A whole contest: all of its runs, in the order in which they were made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contest {
    /// On what it was run.
    pub machine: Machine,
    /// The command that ran it.
    pub command: String,
    /// When it was begun (RFC 3339).
    pub started: String,
    /// The runs, those that were thrown away among them.
    pub results: Vec<Run>,
}

/// A machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// What its processor calls itself.
    pub cpu: String,
    /// How many cores the measuring could use.
    pub cores: usize,
    /// Name and release of the kernel.
    pub kernel: String,
}

/// What one run came to: one server under one load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The scenario, such as `S2`; `load` if it was none of the table.
    pub scenario: String,
    /// Which part of the scenario, such as `peak`; empty where it has only one.
    pub case: String,
    /// The server's name.
    pub server: String,
    /// In which round of the contest, from 1.
    pub round: u32,
    /// What the server was offered, if it was started for this.
    pub offer: Option<Offer>,
    /// Connections that read.
    pub connections: u32,
    /// Topics of each connection.
    pub topics_each: usize,
    /// Further connections that subscribed and never read.
    pub stalled: u32,
    /// How long it was measured.
    pub seconds: u64,
    /// Updates and snapshots that were read.
    pub deliveries_per_second: f64,
    /// Events that those updates cover: more than there are updates where they were merged.
    pub events_per_second: f64,
    /// Bytes that were read, of whatever.
    pub bytes_per_second: f64,
    /// From the moment at which an event was meant to happen until it was read. A merged one counts from its oldest event.
    pub latency: Latency,
    /// Snapshots that were read.
    pub snapshots: u64,
    /// Updates that were merged because the client was slow.
    pub conflated: u64,
    /// Messages that named something that could not be sent.
    pub gaps: u64,
    /// Updates before which something is missing, of which nothing was said.
    pub holes: u64,
    /// Messages that are not as they should be.
    pub malformed: u64,
    /// Updates that were read before they were meant to happen.
    pub early: u64,
    /// Connections that the server closed.
    pub closed: u64,
    /// The server's processor time for each delivery, if its processes are known.
    pub cpu_ns_per_delivery: Option<f64>,
    /// Cores that the server took.
    pub server_cores: Option<f64>,
    /// Cores that a process took which feeds the server from beside; none of the server's.
    pub feed_cores: Option<f64>,
    /// Cores that the load generator took: near 1 for each of its threads, it is itself what limits.
    pub own_cores: f64,
    /// Cores that all others took.
    pub others_cores: f64,
    /// How far the server's clock was ahead of ours before and after, where the server tells its time.
    pub clock_difference_ns: Vec<i64>,
    /// Whether it counts for nothing: others took too much of the machine, or the clocks differ.
    pub disturbed: bool,
    /// Growth of the server's own memory (private and resident) for each idle connection.
    pub private_bytes_per_connection: Option<f64>,
    /// The same for each stalled connection.
    pub private_bytes_per_stalled: Option<f64>,
    /// Updates of the connection that had the fewest in a second, in that second.
    pub slowest_updates_per_second: Option<f64>,
    /// Messages a second that were read while a surge lasted.
    pub surge_updates_per_second: Option<f64>,
    /// Events a second that these cover.
    pub surge_events_per_second: Option<f64>,
    /// How long after the end of a surge p99 was normal again, in milliseconds; the whole calm phase if it never was.
    pub recovered_after_ms: Option<f64>,
    /// What else is to be known about this run.
    pub notes: Vec<String>,
}

/// Latencies in nanoseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latency {
    /// All of them: an HdrHistogram, V2 with deflate, in base64.
    pub histogram: String,
    /// Half of them took at most this.
    pub p50: u64,
    /// 90 in 100.
    pub p90: u64,
    /// 99 in 100.
    pub p99: u64,
    /// 999 in 1,000.
    #[serde(rename = "p99.9")]
    pub p999: u64,
    /// The longest.
    pub max: u64,
}

impl Latency {
    /// Of a histogram in nanoseconds.
    pub fn of(latencies: &Histogram<u64>) -> Latency {
        let at = |quantile| latencies.value_at_quantile(quantile);
        Latency {
            histogram: encode(latencies),
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: latencies.max(),
        }
    }
}

impl Run {
    /// Scenario and part, as one name.
    pub fn title(&self) -> String {
        format!("{} {}", self.scenario, self.case).trim_end().to_owned()
    }
}

/// As `bench load` prints it.
impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Latency { p50, p90, p99, p999, max, .. } = self.latency;
        let micros = |nanos: u64| nanos as f64 / 1e3;
        writeln!(
            f,
            "{} connections and {} stalled ones, {} topics each, {} s",
            self.connections, self.stalled, self.topics_each, self.seconds
        )?;
        writeln!(
            f,
            "deliveries      {:.0}/s, {:.2} MB/s, of {:.0} events/s",
            self.deliveries_per_second,
            self.bytes_per_second / 1e6,
            self.events_per_second
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
            self.snapshots, self.conflated, self.gaps, self.holes, self.malformed, self.closed
        )?;
        if let Some((each, cores)) = self.cpu_ns_per_delivery.zip(self.server_cores) {
            writeln!(f, "server's CPU    {:.3} us a delivery, {cores:.2} of a core", each / 1e3)?;
        }
        if let Some(cores) = self.feed_cores {
            writeln!(f, "feed beside it  {cores:.2} of a core")?;
        }
        writeln!(f, "this program    {:.2} of a core", self.own_cores)?;
        for (name, bytes) in [
            ("a connection", self.private_bytes_per_connection),
            ("a stalled one", self.private_bytes_per_stalled),
        ] {
            if let Some(bytes) = bytes {
                writeln!(f, "server's memory {bytes:.0} bytes {name}, private and resident")?;
            }
        }
        if let [before, after] = self.clock_difference_ns[..] {
            let micros = |nanos: i64| nanos as f64 / 1e3;
            writeln!(f, "server's clock  {:+.1} us before, {:+.1} us after", micros(before), micros(after))?;
        }
        if self.disturbed {
            writeln!(f, "disturbed       the clocks differ or others took too much: measure again")?;
        }
        writeln!(f, "{}", processor::describe_others(self.others_cores))
    }
}

fn encode(latencies: &Histogram<u64>) -> String {
    let mut bytes = Vec::new();
    V2DeflateSerializer::new().serialize(latencies, &mut bytes).expect("a Vec takes everything");
    BASE64_STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hdrhistogram::serialization::Deserializer;

    #[test]
    fn a_histogram_can_be_read_back() {
        let mut latencies = Histogram::<u64>::new(2).unwrap();
        (1..=1_000).for_each(|value| latencies.record(value).unwrap());
        let latency = Latency::of(&latencies);
        let bytes = BASE64_STANDARD.decode(&latency.histogram).unwrap();
        let read: Histogram<u64> = Deserializer::new().deserialize(&mut &bytes[..]).unwrap();
        assert_eq!(read, latencies);
        assert_eq!((latency.p50, latency.p99, latency.max), (501, 991, 1_003));
    }
}
