//! What is told of a run: each figure with its name, its unit, and which way is better.

use super::unit::Unit;
use crate::result::Run;

/// A figure of a run.
#[derive(Debug)]
pub struct Metric {
    /// What it is called.
    pub name: &'static str,
    /// In what it is measured.
    pub unit: Unit,
    /// Whether less of it is better.
    pub less_is_better: bool,
    /// The figure, if this run has it.
    pub of: fn(&Run) -> Option<f64>,
}

/// Messages that were read.
pub const DELIVERIES: Metric = Metric {
    name: "deliveries",
    unit: Unit::PerSecond,
    less_is_better: false,
    of: |run| Some(run.deliveries_per_second),
};
/// Events that these messages cover.
pub const EVENTS: Metric = Metric {
    name: "events covered",
    unit: Unit::PerSecond,
    less_is_better: false,
    of: |run| Some(run.events_per_second),
};
/// Half of the messages took at most so long.
pub const P50: Metric = latency("p50", |run| some_latency(run.latency.p50));
/// 99 in 100.
pub const P99: Metric = latency("p99", |run| some_latency(run.latency.p99));
/// 999 in 1,000.
pub const P999: Metric = latency("p99.9", |run| some_latency(run.latency.p999));
/// The server's processor time for each delivery.
pub const CPU: Metric = Metric {
    name: "CPU a delivery",
    unit: Unit::Nanos,
    less_is_better: true,
    of: |run| run.cpu_ns_per_delivery,
};
/// The server's own memory for each idle connection.
pub const IDLE_BYTES: Metric = Metric {
    name: "memory a connection",
    unit: Unit::Bytes,
    less_is_better: true,
    of: |run| run.private_bytes_per_connection,
};
/// The server's own memory for each stalled connection.
pub const STALLED_BYTES: Metric = Metric {
    name: "memory a stalled client",
    unit: Unit::Bytes,
    less_is_better: true,
    of: |run| run.private_bytes_per_stalled,
};
/// Updates of the client that had the fewest in a second, in that second.
pub const SLOWEST: Metric = Metric {
    name: "fewest updates of a client",
    unit: Unit::PerSecond,
    less_is_better: false,
    of: |run| run.slowest_updates_per_second,
};
/// Messages that were read while a surge lasted.
pub const SURGE_DELIVERIES: Metric = Metric {
    name: "deliveries in the surge",
    unit: Unit::PerSecond,
    less_is_better: false,
    of: |run| run.surge_updates_per_second,
};
/// Events that these messages cover.
pub const SURGE_EVENTS: Metric = Metric {
    name: "events covered in the surge",
    unit: Unit::PerSecond,
    less_is_better: false,
    of: |run| run.surge_events_per_second,
};
/// From the end of a surge until p99 was normal.
pub const RECOVERY: Metric =
    Metric { name: "recovery", unit: Unit::Millis, less_is_better: true, of: |run| run.recovered_after_ms };
/// Messages that are missing without notice.
pub const HOLES: Metric =
    Metric { name: "holes", unit: Unit::Count, less_is_better: true, of: |run| Some(run.holes as f64) };

/// There is no latency where nothing was delivered.
fn some_latency(nanos: u64) -> Option<f64> {
    (nanos > 0).then_some(nanos as f64)
}

const fn latency(name: &'static str, of: fn(&Run) -> Option<f64>) -> Metric {
    Metric { name, unit: Unit::Nanos, less_is_better: true, of }
}
