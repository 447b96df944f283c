//! Carries out one case on one server.

use super::surge;
use crate::{
    load::{Load, Report, Target, Terms, Topics, measure},
    result::Run,
    scenario::Case,
    servers::{Flow, Server},
};

/// Of what is offered, so much has to arrive.
const DELIVERED: f64 = 0.99;
/// At a rate that is delivered p50 grows by no more than this from the first second to the last: a factor, and nanoseconds.
const GROWTH: (u64, u64) = (2, 20_000_000);
/// A load generator that takes more of a core than this is itself what limits.
const BUSY: f64 = 0.95;

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
    /// Whether all that was offered at such a rate arrived, and nothing piled up. Where a message covers an interval, events
    /// count; else only messages of one event each do.
    pub fn delivers(&self, case: &Case, rate: u64) -> bool {
        let counts = self.report.tally.counts;
        let arrived = match case.interval_ms {
            0 => counts.deliveries - counts.conflated - counts.snapshots,
            _ => counts.events,
        };
        let due = case.due_per_second(rate) * self.run.seconds as f64;
        arrived as f64 >= DELIVERED * due && counts.holes == 0 && !self.piles_up()
    }

    fn piles_up(&self) -> bool {
        let medians: Vec<u64> =
            self.report.tally.seconds().map(|second| second.value_at_quantile(0.5)).collect();
        let (factor, nanos) = GROWTH;
        medians.first().zip(medians.last()).is_some_and(|(first, last)| *last > factor * first + nanos)
    }
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
}
