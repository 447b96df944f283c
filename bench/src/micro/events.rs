//! Events to measure with.

use feed::FeedSource;
use feed_sim::{Pace, Scenario, SimConfig, Simulator};
use market::{Event, Instruments, Nanos, Seq};

/// How many events come round again and again: they stay in the second-level cache.
const CYCLE: usize = 4_096;
const START: Nanos = Nanos(1_800_000_000_000_000_000);

/// A simulated exchange without a pace, of a fixed seed.
///
/// # Errors
/// If there is no such scenario.
pub fn simulator(scenario: &str, symbols: u32) -> anyhow::Result<Simulator> {
    let scenario = Scenario::builtin(scenario)?;
    let config = SimConfig { scenario, symbols: Some(symbols), rate: None, seed: 1, start: Some(START) };
    Ok(Simulator::new(config)?.with_pace(Pace::Max))
}

/// One symbol of the scenario `even`: a book, then exchange events of one level each, for ever.
pub struct Even {
    /// The instruments of the scenario.
    pub instruments: Instruments,
    /// Writes the book.
    pub reset: Vec<Event>,
    cycle: Vec<Event>,
    seq: Seq,
}

impl Even {
    /// From the beginning.
    ///
    /// # Errors
    /// If the simulator fails.
    pub fn new() -> anyhow::Result<Even> {
        let mut simulator = simulator("even", 1)?;
        let mut events = Vec::new();
        while events.len() < 2 * CYCLE {
            simulator.poll(START, &mut events)?;
        }
        let end_of_reset = events.iter().take_while(|event| !event.last).count() + 1;
        let mut cycle = events.split_off(end_of_reset);
        cycle.truncate(CYCLE);
        let seq = events.len() as Seq;
        Ok(Even { instruments: simulator.instruments().clone(), reset: events, cycle, seq })
    }

    /// The next change of a level: an exchange event of its own.
    pub fn next(&mut self) -> Event {
        self.seq += 1;
        let timestamp = Nanos(START.0 + self.seq * 1_000);
        Event { seq: self.seq, timestamp, ..self.cycle[self.seq as usize % CYCLE] }
    }
}
