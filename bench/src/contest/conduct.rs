//! Carries out one case on one server.

use super::surge;
use crate::{
    load::{Counts, Load, Report, Target, Terms, Topics, measure, sum},
    result::Run,
    scenario::Case,
    servers::{Flow, Server},
};
use std::{thread, time::Duration};

/// Of what is offered, so much has to arrive as it was sent.
const DELIVERED: f64 = 0.99;
/// So much of it arrives in the measured time, whatever is on its way at the beginning and at the end.
const ARRIVES: f64 = 0.9;
/// By so much messages may be later at the end than at the beginning, in nanoseconds, beyond the part of the measured time
/// that need not be delivered.
const JITTER: f64 = 20e6;
/// A load generator that takes more of a core than this is itself what limits.
const BUSY: f64 = 0.95;

/// How long a server runs before its memory is looked at.
const SETTLED: Duration = Duration::from_secs(14);

/// How cases are carried out.
#[derive(Debug, Clone, Copy)]
pub struct Conduct {
    /// How long to measure, where the case does not say.
    pub seconds: u64,
}

/// What one run came to.
#[derive(Debug)]
pub struct Measured {
    /// In the form that is written down.
    pub run: Run,
    /// All that was counted.
    pub report: Report,
}

impl Conduct {
    /// Starts the server, loads it, and ends it.
    ///
    /// # Errors
    /// If the server cannot be started or does not take the load.
    pub fn measure(
        self,
        case: &Case,
        server: &dyn Server,
        rate: u64,
        round: u32,
    ) -> anyhow::Result<Measured> {
        let offer = case.offer(rate);
        let running = server.start(&offer)?;
        if case.is_idle {
            // By then it has what it takes for itself: pools, and histograms of the last seconds.
            thread::sleep(SETTLED);
        }
        let report = measure(&self.load(case)?, &Target::of(&running))?;
        drop(running);
        let mut run = Run {
            scenario: case.scenario.into(),
            case: case.name.into(),
            server: server.name().into(),
            round,
            offer: Some(offer),
            ..report.run()
        };
        if case.is_idle {
            run.private_bytes_per_connection = report.private_bytes_per_connection();
        }
        if case.flow == Flow::Surge {
            add_surge(&mut run, &report, case.due_per_second(rate));
        }
        if run.own_cores > BUSY {
            run.notes.push("the load generator took a whole core: the server may do more".into());
        }
        Ok(Measured { run, report })
    }

    fn load(self, case: &Case) -> anyhow::Result<Load> {
        Ok(Load {
            connections: case.connections,
            threads: 1,
            stalled: case.stalled,
            topics: Topics::random(case.topics_each, case.topics)?,
            terms: Terms { interval_ms: case.interval_ms, ..Terms::default() },
            warmup: case.warmup,
            seconds: case.seconds.unwrap_or(self.seconds),
        })
    }
}

impl Measured {
    /// Whether all that was offered at such a rate was delivered. What was not is missing, or was merged, or is on its way:
    /// then messages are later and later.
    pub fn delivers(&self, case: &Case, rate: u64) -> bool {
        let due = case.due_per_second(rate) * self.run.seconds as f64;
        is_whole(&self.report.tally.counts, case.interval_ms, due) && !self.lags()
    }

    /// Whether messages are later and later: by the medians of the first and the last quarter of the time.
    fn lags(&self) -> bool {
        let slices = self.report.tally.slices();
        let quarter = slices.len().div_ceil(4);
        let median = |slices| sum(slices).value_at_quantile(0.5) as f64;
        let (first, last) = (median(&slices[..quarter]), median(&slices[slices.len() - quarter..]));
        last - first > (1.0 - DELIVERED) * 1e9 * self.run.seconds as f64 + JITTER
    }
}

/// Whether nothing is missing or merged of about so many events. Where a message covers an interval, merging is no loss.
fn is_whole(counts: &Counts, interval_ms: u32, due: f64) -> bool {
    let events = counts.events as f64;
    let single = (counts.deliveries - counts.conflated - counts.snapshots) as f64;
    counts.holes == 0
        && counts.gaps == 0
        && counts.closed == 0
        && events >= ARRIVES * due
        && (interval_ms > 0 || single >= DELIVERED * events)
}

fn add_surge(run: &mut Run, report: &Report, calm: f64) {
    match surge::find(report.tally.slices(), calm) {
        Some(surge) => {
            run.surge_updates_per_second = Some(surge.updates_per_second);
            run.surge_events_per_second = Some(surge.events_per_second);
            run.recovered_after_ms = Some(surge.recovered_after_ms);
        }
        None => run.notes.push("the surge did not lie in the measured time".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{CASES, Rate};

    #[test]
    fn every_case_is_a_load() {
        for case in CASES {
            let load = Conduct { seconds: 2 }.load(case).unwrap();
            assert_eq!(load.topics.each(), case.topics_each as usize, "{}", case.title());
            assert!(matches!(case.rate, Rate::Fixed(1..) | Rate::Highest(1..) | Rate::OfHighest(1..)));
        }
    }

    #[test]
    fn events_of_merged_messages_are_not_delivered() {
        let check = |deliveries, conflated, events, interval_ms, expected| {
            let counts = Counts { deliveries, conflated, events, ..Counts::default() };
            assert_eq!(is_whole(&counts, interval_ms, 1_000.0), expected, "{counts:?}");
        };
        check(1_000, 0, 1_000, 0, true);
        check(991, 1, 1_000, 0, true);
        // A single message that stands for half of all.
        check(501, 1, 1_000, 0, false);
        check(100, 0, 1_000, 10, true);
        check(800, 0, 800, 0, false);
    }

    #[test]
    fn what_is_missing_is_not_delivered() {
        let check = |spoil: fn(&mut Counts)| {
            let mut counts = Counts { deliveries: 1_000, events: 1_000, ..Counts::default() };
            assert!(is_whole(&counts, 0, 1_000.0));
            spoil(&mut counts);
            assert!(!is_whole(&counts, 0, 1_000.0), "{counts:?}");
        };
        check(|counts| counts.holes = 1);
        check(|counts| counts.gaps = 1);
        check(|counts| counts.closed = 1);
    }
}
