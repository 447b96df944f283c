//! What a storm came to, for people and as JSON.

use super::crowd::Answers;
use crate::load::{SLICES_PER_SECOND, Tally, sum};
use serde::Serialize;
use std::{fmt, time::Duration};

/// What a storm came to. Times are in milliseconds.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// Which storm.
    what: &'static str,
    /// How many came.
    clients: u64,
    /// Until the first of them was answered.
    first_ms: f64,
    /// Until half of them were.
    median_ms: f64,
    /// Until 99 in 100 were.
    p99_ms: f64,
    /// Until all were.
    last_ms: f64,
    /// Answered with all that was missing.
    recovered: u64,
    /// Answered with a snapshot.
    snapshots: u64,
    /// Answered with something that does not continue what they had.
    holes: u64,
    /// Connections that failed and were tried again.
    refused: u64,
    /// The gateway's processor time in it.
    server_cpu_ms: f64,
    /// This program's.
    own_cpu_ms: f64,
    /// What those saw that read steadily.
    steady: Steady,
}

/// Latency of those that read steadily, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Steady {
    /// 99 in 100 messages before the storm.
    p99_before_ms: f64,
    /// 99 in 100 from its beginning until all were answered.
    p99_in_storm_ms: f64,
    /// The longest in that time.
    max_in_storm_ms: f64,
}

impl Steady {
    /// Of what was read before the storm, and from its beginning until the last one was answered.
    pub fn of(tally: &Tally, calm: Duration, last: Duration) -> Steady {
        const SLICE: f64 = 1.0 / SLICES_PER_SECOND as f64;
        let slices = tally.slices();
        let begin = ((calm.as_secs_f64() / SLICE) as usize).min(slices.len());
        let length = (last.as_secs_f64() / SLICE).ceil() as usize;
        let end = (begin + length).min(slices.len());
        let (before, storm) = (sum(&slices[..begin]), sum(&slices[begin..end]));
        Steady {
            p99_before_ms: millis(before.value_at_quantile(0.99)),
            p99_in_storm_ms: millis(storm.value_at_quantile(0.99)),
            max_in_storm_ms: millis(storm.max()),
        }
    }
}

impl Outcome {
    /// Of these answers, the processor time in nanoseconds of the gateway and of this program, and what others saw.
    pub fn new(what: &'static str, answers: &Answers, cpu: [u64; 2], steady: Steady) -> Outcome {
        let [server_cpu_ms, own_cpu_ms] = cpu.map(millis);
        let times = &answers.times;
        Outcome {
            what,
            clients: times.len(),
            first_ms: millis(times.min()),
            median_ms: millis(times.value_at_quantile(0.5)),
            p99_ms: millis(times.value_at_quantile(0.99)),
            last_ms: millis(times.max()),
            recovered: answers.recovered,
            snapshots: answers.snapshots,
            holes: answers.holes,
            refused: answers.refused,
            server_cpu_ms,
            own_cpu_ms,
            steady,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Outcome { what, clients, first_ms, median_ms, p99_ms, last_ms, .. } = self;
        let Outcome { recovered, snapshots, holes, refused, server_cpu_ms, own_cpu_ms, steady, .. } = self;
        let Steady { p99_before_ms, p99_in_storm_ms, max_in_storm_ms } = steady;
        writeln!(f, "{clients} {what}")?;
        writeln!(
            f,
            "answered in ms  first {first_ms:.1} median {median_ms:.1} p99 {p99_ms:.1} last {last_ms:.1}"
        )?;
        writeln!(
            f,
            "among them      {recovered} with all that was missing, {snapshots} with a snapshot, {holes} holes; \
             {refused} refused before"
        )?;
        let each = server_cpu_ms * 1e3 / *clients as f64;
        writeln!(
            f,
            "CPU             gateway {server_cpu_ms:.0} ms, {each:.1} us a client; this program {own_cpu_ms:.0} ms"
        )?;
        writeln!(
            f,
            "steady readers  p99 {p99_before_ms:.2} ms before, {p99_in_storm_ms:.2} ms in the storm, at most {max_in_storm_ms:.2} ms"
        )
    }
}

fn millis(nanos: u64) -> f64 {
    nanos as f64 / 1e6
}
