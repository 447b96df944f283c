//! Timed rounds, and what they came to.

use crate::cores;
use anyhow::{Context, ensure};
use market::clock;
use std::{
    fmt,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

/// Something to be measured.
#[derive(Clone, Copy)]
pub struct Item {
    /// `part/what`.
    pub name: &'static str,
    /// What it should come to; `None` for what is there to compare with.
    pub target: Option<Target>,
    /// Measures it.
    pub measure: fn(&Setup) -> anyhow::Result<Samples>,
}

/// What an item should come to.
#[derive(Debug, Clone, Copy)]
pub enum Target {
    /// At most so many nanoseconds.
    Nanos(f64),
    /// At least so many millions a second.
    MillionsPerSecond(f64),
}

impl Target {
    /// Whether the median is as it should be.
    pub fn is_reached(self, samples: &Samples) -> bool {
        match self {
            Target::Nanos(nanos) => samples.median() <= nanos,
            Target::MillionsPerSecond(millions) => 1e3 / samples.median() >= millions,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&match self {
            Target::Nanos(nanos) => format!("<= {nanos} ns"),
            Target::MillionsPerSecond(millions) => format!(">= {millions} M/s"),
        })
    }
}

/// How to measure.
#[derive(Debug)]
pub struct Setup {
    /// Timed rounds, at least 1.
    pub rounds: usize,
    /// Cores to measure on, at least one. The measuring thread is on the first.
    pub cores: Vec<usize>,
}

impl Setup {
    /// Times rounds of so many items. The first one warms up and does not count; `round` says how long the timed part
    /// of it took.
    pub fn measure(&self, items: usize, mut round: impl FnMut() -> Duration) -> Samples {
        round();
        let nanos = |time: Duration| time.as_nanos() as f64 / items as f64;
        let mut sorted: Vec<f64> = (0..self.rounds).map(|_| nanos(round())).collect();
        sorted.sort_by(f64::total_cmp);
        Samples { sorted, note: String::new() }
    }

    /// What was not measured, and why.
    pub fn skipped(&self, why: String) -> Samples {
        Samples { sorted: Vec::new(), note: why }
    }

    /// Runs `there` again and again on the second core while `here` measures on the first.
    ///
    /// # Errors
    /// If there is only one core.
    pub fn beside<T>(&self, mut there: impl FnMut() + Send, here: impl FnOnce() -> T) -> anyhow::Result<T> {
        ensure!(
            self.cores.len() > 1,
            "a hop between cores needs two of them, and this process may use only one"
        );
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            // A thread begins on the core of the one that starts it.
            cores::pin(self.cores[1])?;
            thread::Builder::new()
                .spawn_scoped(scope, || {
                    while !stop.load(Ordering::Relaxed) {
                        there();
                    }
                })
                .context("start a thread")?;
            let _stop = StopAtEnd(&stop);
            cores::pin(self.cores[0])?;
            Ok(here())
        })
    }
}

/// Ends the other thread however the measuring ends.
struct StopAtEnd<'a>(&'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// How long `work` takes.
pub fn time(work: impl FnOnce()) -> Duration {
    let start = clock::now();
    work();
    clock::now().since(start)
}

/// What the rounds came to, in nanoseconds an item.
#[derive(Debug)]
pub struct Samples {
    sorted: Vec<f64>,
    /// What else was seen.
    pub note: String,
}

impl Samples {
    /// Whether nothing was measured; the following are not asked for then.
    pub fn is_empty(&self) -> bool {
        self.sorted.is_empty()
    }

    /// The middle one; of two in the middle, the slower.
    pub fn median(&self) -> f64 {
        self.sorted[self.sorted.len() / 2]
    }

    /// The fastest round.
    pub fn min(&self) -> f64 {
        self.sorted[0]
    }

    /// The slowest round.
    pub fn max(&self) -> f64 {
        self.sorted[self.sorted.len() - 1]
    }

    /// A hop is half of a round trip.
    pub fn halved(mut self) -> Samples {
        self.sorted.iter_mut().for_each(|nanos| *nanos /= 2.0);
        self
    }

    /// With a remark.
    pub fn with_note(self, note: impl Into<String>) -> Samples {
        Samples { note: note.into(), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETUP: Setup = Setup { rounds: 3, cores: Vec::new() };

    fn measured(millis: [u64; 4]) -> Samples {
        let mut times = millis.into_iter().map(Duration::from_millis);
        SETUP.measure(1_000_000, || times.next().expect("one more round than asked for"))
    }

    #[test]
    fn the_first_round_does_not_count() {
        let samples = measured([900, 30, 10, 20]);
        assert_eq!((samples.min(), samples.median(), samples.max()), (10.0, 20.0, 30.0));
        assert_eq!(samples.halved().median(), 10.0);
    }

    #[test]
    fn a_target_is_reached_on_its_bound() {
        let samples = measured([0, 20, 20, 20]);
        let check = |target: Target, reached| assert_eq!(target.is_reached(&samples), reached, "{target}");
        check(Target::Nanos(20.0), true);
        check(Target::Nanos(19.9), false);
        check(Target::MillionsPerSecond(50.0), true);
        check(Target::MillionsPerSecond(51.0), false);
    }
}
