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
        let rate = per_ns(rate, symbols);
        let step = Step::new(spacing, rate);
        let mut schedule = Schedule { phases, spacing, rate, current: 0, end: 0, due: 0, step };
        schedule.begin(0, random);
        schedule
    }

    /// The phase ends now already.
    pub fn end_at(&mut self, now: u64) {
        self.end = now;
    }

    /// The phase is over, and others follow.
    pub fn replace(
        &mut self,
        phases: Vec<Phase>,
        rate: Rate,
        symbols: u32,
        spacing: Spacing,
        random: &mut Random,
    ) {
        (self.phases, self.rate, self.spacing) = (phases, per_ns(rate, symbols), spacing);
        self.begin(0, random);
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

/// So many events in so many nanoseconds.
fn per_ns(rate: Rate, symbols: u32) -> (u64, u64) {
    match rate {
        Rate::PerSecond(events) => (events, SECOND),
        Rate::PerSymbolMinute(events) => (events * u64::from(symbols), 60 * SECOND),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(rate: u64, spacing: Spacing, phases: &[(u64, u64)], random: &mut Random) -> Schedule {
        let phase = |&(seconds, rate_percent)| Phase { rate_percent, ..Phase::plain(seconds) };
        Schedule::new(phases.iter().map(phase).collect(), Rate::PerSecond(rate), 1, spacing, random)
    }

    #[test]
    fn random_distances_keep_the_rate_where_events_are_nanoseconds_apart() {
        for rate in [1_000, 3_000_000, 100_000_000] {
            let mut random = Random::new(1, 0);
            let mut schedule = schedule(rate, Spacing::Random, &[(86_400, 100)], &mut random);
            let events = 300_000;
            (0..events).for_each(|_| schedule.came(1, &mut random));
            let wanted = events * SECOND / rate;
            assert!(schedule.due().abs_diff(wanted) < wanted / 100, "{} instead of {wanted}", schedule.due());
        }
    }

    #[test]
    fn even_distances_do_not_drift() {
        let mut random = Random::new(1, 0);
        let mut schedule = schedule(7, Spacing::Even(3), &[(86_400, 100)], &mut random);
        for n in 0..10_000 {
            assert_eq!(schedule.due(), n * 3 * SECOND / 7);
            schedule.came(1, &mut random);
        }
    }

    #[test]
    fn phases_follow_one_another_and_begin_again() {
        let mut random = Random::new(1, 0);
        let mut schedule = schedule(10, Spacing::Even(1), &[(5, 100), (2, 400)], &mut random);
        for (start, end, percent) in [(0, 5, 100), (5, 7, 400), (7, 12, 100)] {
            assert_eq!((schedule.due(), schedule.end()), (start * SECOND, end * SECOND));
            assert_eq!(schedule.phase().rate_percent, percent);
            schedule.next_phase(&mut random);
        }
    }
}
