//! The simulated exchange as a feed: lets happen what is due, and tells how far it is.

use crate::{
    SimError,
    clock::Clock,
    exchange::Exchange,
    listing::{Listing, MAX_SYMBOLS, listings},
    packet::Stamp,
    scenario::Scenario,
    switch::{Switch, check_rate},
};
use feed::{FeedError, FeedSource, FeedState, FeedStatus, PauseHandle};
use market::{Epoch, Event, Instruments, Nanos, SymbolId};

/// A poll ends at the first end of an exchange event beyond so many events.
const POLL_BOUND: usize = 8_192;

/// What to simulate. Scenario, symbols, rate, seed and start fix every event but for the real time (`engine`, `ingest`) at
/// which it was meant to happen.
#[derive(Debug, Clone)]
pub struct SimConfig {
    /// What happens.
    pub scenario: Scenario,
    /// How many instruments, 1 to [`MAX_SYMBOLS`]; the scenario's number if `None`.
    pub symbols: Option<u32>,
    /// Events (level changes and trades) a second in all symbols together, 1 to 100,000,000; the scenario's if `None`.
    pub rate: Option<u64>,
    /// Of all that chance decides.
    pub seed: u64,
    /// Exchange time of the first event; that of the first poll if `None`.
    pub start: Option<Nanos>,
}

/// How exchange time goes with real time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pace {
    /// As fast. After a stall, what should have happened meanwhile follows with the times at which it was meant to.
    #[default]
    RealTime,
    /// As fast as it is polled: the clock jumps from event to event, and `engine` is the time of the poll.
    Max,
}

/// A simulated exchange.
///
/// Each symbol begins with an exchange event that resets its book. `seq` numbers the events of a symbol densely from 1, so
/// that what a scenario's faults lose or repeat can be noticed; `number` does so for trades.
#[derive(Debug)]
pub struct Simulator {
    instruments: Instruments,
    exchange: Exchange,
    clock: Clock,
    switch: Switch,
    /// Nothing before this will follow, in nanoseconds since the start.
    reached: u64,
}

impl Simulator {
    /// An exchange that starts at the first poll.
    ///
    /// # Errors
    /// If `symbols` or `rate` is out of range.
    pub fn new(config: SimConfig) -> Result<Simulator, SimError> {
        let symbols = config.symbols.unwrap_or(config.scenario.symbols);
        if !(1..=MAX_SYMBOLS).contains(&symbols) {
            return Err(SimError::BadSymbols(symbols));
        }
        check_rate(config.rate)?;
        let listings: Vec<Listing> = listings(symbols).collect();
        let instruments = listings.iter().map(|listing| listing.instrument.clone());
        Ok(Simulator {
            instruments: Instruments::new(instruments).expect("the exchange's listings are well-formed"),
            switch: Switch::new(config.scenario.clone(), config.rate),
            exchange: Exchange::new(config.scenario, config.rate, &listings, config.seed),
            clock: Clock::new(config.start),
            reached: 0,
        })
    }

    /// The same exchange at another pace.
    pub fn with_pace(mut self, pace: Pace) -> Simulator {
        self.clock.set_pace(pace);
        self
    }

    /// The switch that holds it: exchange time stands still meanwhile.
    pub fn pause_handle(&self) -> PauseHandle {
        self.clock.hold()
    }

    /// What switches it to another scenario or rate while it runs. Its books go on, and what happens from then on is no longer
    /// fixed by seed and start alone, as it depends on the moment.
    pub fn switch(&self) -> Switch {
        self.switch.clone()
    }

    fn is_stalled(&self, elapsed: u64) -> bool {
        elapsed < self.exchange.stalled_until()
    }

    /// Lets happen what is due, up to `elapsed` nanoseconds since the start.
    fn run_until(&mut self, elapsed: u64, out: &mut Vec<Event>) {
        let bound = out.len() + POLL_BOUND;
        while out.len() < bound && !self.is_stalled(elapsed) {
            let at = self.exchange.next_at();
            self.reached = at.min(elapsed);
            if at > elapsed {
                return;
            }
            let timestamp = self.clock.timestamp(at);
            let engine = self.clock.due(at).unwrap_or(timestamp);
            self.exchange.step(Stamp { timestamp, engine }, out);
        }
    }
}

impl FeedSource for Simulator {
    fn instruments(&self) -> &Instruments {
        &self.instruments
    }

    fn epoch(&self) -> Option<Epoch> {
        None
    }

    fn poll(&mut self, now: Nanos, out: &mut Vec<Event>) -> Result<FeedStatus, FeedError> {
        let before = out.len();
        if let Some(wished) = self.switch.take() {
            self.exchange.go_over(wished, self.reached);
        }
        if let Some(elapsed) = self.clock.advance(now, self.reached) {
            self.run_until(elapsed, out);
        }
        let state = if out.len() > before { FeedState::Events } else { FeedState::Idle };
        Ok(FeedStatus { state, watermark: self.clock.timestamp(self.reached) })
    }

    fn next_due(&self) -> Option<Nanos> {
        self.clock.due(self.exchange.next_at().max(self.exchange.stalled_until()))
    }

    fn refresh(&mut self, symbol: SymbolId) {
        self.exchange.refresh(symbol, self.reached);
    }
}
