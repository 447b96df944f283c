//! Results made by hand, for tests.

use crate::result::{Contest, Latency, Machine, Run};
use hdrhistogram::Histogram;

/// A contest without runs.
pub fn contest() -> Contest {
    Contest {
        machine: Machine { cpu: "Test <CPU> & \"co\"".into(), cores: 2, kernel: "Linux 6".into() },
        command: "bench contest".into(),
        started: "2026-01-02T03:04:05Z".into(),
        results: Vec::new(),
    }
}

/// A run in which half of the messages took `nanos`, the others twice as long; as many are delivered as follow each other.
pub fn run(scenario: &str, case: &str, server: &str, nanos: u64) -> Run {
    let mut latencies = Histogram::<u64>::new(3).expect("three digits are possible");
    (0..100).for_each(|i| latencies.record(if i < 50 { nanos } else { 2 * nanos }).expect("it resizes"));
    let rate = 1e9 / nanos as f64;
    Run {
        scenario: scenario.into(),
        case: case.into(),
        server: server.into(),
        round: 1,
        offer: None,
        connections: 50,
        topics_each: 1,
        stalled: 0,
        seconds: 5,
        deliveries_per_second: rate,
        events_per_second: rate,
        bytes_per_second: 300.0 * rate,
        latency: Latency { p50: nanos, ..Latency::of(&latencies) },
        snapshots: 0,
        conflated: 0,
        gaps: 0,
        holes: 0,
        malformed: 0,
        early: 0,
        closed: 0,
        cpu_ns_per_delivery: Some(nanos as f64 / 10.0),
        server_cores: Some(0.5),
        feed_cores: None,
        own_cores: 0.5,
        others_cores: 0.0,
        clock_difference_ns: Vec::new(),
        disturbed: false,
        private_bytes_per_connection: None,
        private_bytes_per_stalled: None,
        slowest_updates_per_second: None,
        surge_updates_per_second: None,
        surge_events_per_second: None,
        recovered_after_ms: None,
        notes: Vec::new(),
    }
}
