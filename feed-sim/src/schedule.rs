//! When the next thing happens: the phases of a scenario, and the distances between events in each. Times are nanoseconds
//! since the start.

use crate::{
    random::Random,
    scenario::{Phase, Rate},
};

const SECOND: u64 = 1_000_000_000;

/// Which distances events have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spacing {
    /// As chance has it, in proportion to how many events came at once.
    Random,
    /// Exactly even, so many at once.
    Even(u64),
}

#[derive(Debug)]
pub(crate) struct Schedule {
    phases: Vec<Phase>,
    spacing: Spacing,
    /// So many events in so many nanoseconds.
    rate: (u64, u64),
    current: usize,
    end: u64,
    due: u64,
    step: Step,
}

/// The distance from one event to the next.
#[derive(Debug)]
enum Step {
    /// The mean in 2^-16 ns, and the fraction of a nanosecond that `due` has not taken yet.
    Random { mean: u64, fraction: u64 },
    /// Whole nanoseconds, and a remainder in parts of `events`, carried on so that no event is late.
    Even { whole: u64, rest: u64, events: u64, carried: u64 },
}

impl Step {
    fn new(spacing: Spacing, (events, ns): (u64, u64)) -> Step {
        match spacing {
            Spacing::Random => {
                let mean = (u128::from(ns) << 16) / u128::from(events);
                Step::Random { mean: mean as u64, fraction: 0 }
            }
            Spacing::Even(at_once) => {
                let ns = ns * at_once;
                Step::Even { whole: ns / events, rest: ns % events, events, carried: 0 }
            }
        }
    }

    /// The distance behind `count` events that came at once.
    fn next(&mut self, count: usize, random: &mut Random) -> u64 {
        match self {
            Step::Random { mean, fraction } => {
                let drawn = (u128::from(*mean) * u128::from(random.exponential())) >> 32;
                let distance = drawn * count as u128 + u128::from(*fraction);
                *fraction = distance as u64 & 0xFFFF;
                (distance >> 16) as u64
            }
            Step::Even { whole, rest, events, carried } => {
                *carried += *rest;
                let extra = u64::from(*carried >= *events);
                *carried -= *events * extra;
                *whole + extra
            }
        }
    }
}

impl Schedule {
    pub fn new(
        phases: Vec<Phase>,
        rate: Rate,
        symbols: u32,
        spacing: Spacing,
        random: &mut Random,
    ) -> Schedule {
        let rate = match rate {
            Rate::PerSecond(events) => (events, SECOND),
            Rate::PerSymbolMinute(events) => (events * u64::from(symbols), 60 * SECOND),
        };
        let step = Step::new(spacing, rate);
        let mut schedule = Schedule { phases, spacing, rate, current: 0, end: 0, due: 0, step };
        schedule.begin(0, random);
        schedule
    }

    /// When the next event is due. One that is not before the end of the phase belongs to the next phase.
    pub fn due(&self) -> u64 {
        self.due
    }

    /// When the phase ends.
    pub fn end(&self) -> u64 {
        self.end
    }

    pub fn phase(&self) -> &Phase {
        &self.phases[self.current]
    }

    /// So many events came at the time that was due.
    pub fn came(&mut self, count: usize, random: &mut Random) {
        self.due += self.step.next(count, random);
    }

    /// The phase is over.
    pub fn next_phase(&mut self, random: &mut Random) {
        self.begin((self.current + 1) % self.phases.len(), random);
    }

    fn begin(&mut self, phase: usize, random: &mut Random) {
        let start = self.end;
        let (events, ns) = self.rate;
        self.current = phase;
        self.step = Step::new(self.spacing, (events * self.phase().rate_percent, ns * 100));
        self.end = start + self.phase().seconds * SECOND;
        self.due = match self.spacing {
            Spacing::Random => start + self.step.next(1, random),
            Spacing::Even(_) => start,
        };
    }
}
