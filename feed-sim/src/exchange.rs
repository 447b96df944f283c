//! The exchange itself: everything that happens, in the order of its time, one exchange event after the other. It knows
//! exchange time only; how that goes with real time is the simulator's.

use crate::{
    even::Changes,
    faults::{Faults, Trouble},
    flow::Traders,
    listing::Listing,
    packet::{Numbering, Packet, Stamp},
    random::Random,
    refresh::Refreshes,
    scenario::{Flow, Rate, Scenario},
    schedule::{Schedule, Spacing},
    switch::Wished,
};
use market::{Event, Level, Price, Qty, ResetReason, Side, SymbolId};

#[derive(Debug)]
pub(crate) struct Exchange {
    venue: Venue,
    numbering: Numbering,
    schedule: Schedule,
    faults: Faults,
    refreshes: Refreshes,
    random: Random,
    symbols: u32,
    /// The books below this have been opened.
    opened: u32,
    /// The auctions below this have ended, while a phase with an auction does.
    uncrossed: u32,
    lose_next: bool,
    repeat_next: bool,
    stalled_until: u64,
    /// What the next phase begins.
    goes_over: Option<Wished>,
}

/// Where level changes and trades come from.
#[derive(Debug)]
enum Venue {
    Orders(Traders),
    Even(Changes),
}

/// What happens next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Open,
    EndPhase,
    Refresh,
    Fault(usize),
    Act,
}

impl Exchange {
    pub fn new(scenario: Scenario, rate: Option<u64>, listings: &[Listing], seed: u64) -> Exchange {
        let rate = rate.map_or(scenario.rate, Rate::PerSecond);
        let mut random = Random::new(seed, 0);
        let symbols = listings.len() as u32;
        let (venue, spacing) = match scenario.flow {
            Flow::Orders(habits) => (Venue::Orders(Traders::new(listings, habits)), Spacing::Random),
            Flow::Even(even) => {
                let spacing = Spacing::Even(even.burst);
                (Venue::Even(Changes::new(listings, even)), spacing)
            }
        };
        Exchange {
            schedule: Schedule::new(scenario.phases, rate, symbols, spacing, &mut random),
            venue,
            numbering: Numbering::new(listings.len()),
            faults: Faults::new(scenario.faults, Random::new(seed, 1)),
            refreshes: Refreshes::new(listings.len()),
            random,
            symbols,
            opened: 0,
            uncrossed: 0,
            lose_next: false,
            repeat_next: false,
            stalled_until: 0,
            goes_over: None,
        }
    }

    /// When something happens next, in nanoseconds since the start. Never goes back.
    pub fn next_at(&self) -> u64 {
        self.next().0
    }

    /// Until when nothing is delivered, in nanoseconds since the start.
    pub fn stalled_until(&self) -> u64 {
        self.stalled_until
    }

    /// Goes over to another scenario of the same kind: the present phase ends `now`, its auction if it is one, and the first of the other
    /// one follows. Books and orders stay.
    pub fn go_over(&mut self, wished: Wished, now: u64) {
        self.goes_over = Some(wished);
        self.schedule.end_at(now);
    }

    /// Asks for the book of `symbol` at `now`, in nanoseconds since the start.
    pub fn refresh(&mut self, symbol: SymbolId, now: u64) {
        self.refreshes.ask(symbol, now);
    }

    /// Lets happen what happens next: at most one exchange event.
    pub fn step(&mut self, stamp: Stamp, out: &mut Vec<Event>) {
        let (now, next) = self.next();
        match next {
            Next::Open => {
                self.begin_book(SymbolId(self.opened), stamp, out);
                self.opened += 1;
            }
            Next::EndPhase => self.end_phase(stamp, out),
            Next::Refresh => {
                if let Some(symbol) = self.refreshes.take(now) {
                    self.write_book(symbol, ResetReason::Gap, stamp, out);
                }
            }
            Next::Fault(fault) => self.fail(fault, now, stamp, out),
            Next::Act => self.act(now, stamp, out),
        }
    }

    /// Of what happens at the same time, the first in this list.
    fn next(&self) -> (u64, Next) {
        if self.opened < self.symbols {
            return (0, Next::Open);
        }
        let (due, end) = (self.schedule.due(), self.schedule.end());
        let mut next = if end <= due { (end, Next::EndPhase) } else { (due, Next::Act) };
        if let Some((at, fault)) = self.faults.next()
            && at < next.0
        {
            next = (at, Next::Fault(fault));
        }
        match self.refreshes.due() {
            Some(at) if at <= next.0 => (at, Next::Refresh),
            _ => next,
        }
    }

    fn begin_book(&mut self, symbol: SymbolId, stamp: Stamp, out: &mut Vec<Event>) {
        match &mut self.venue {
            Venue::Orders(traders) => traders.begin_book(symbol, &mut self.random),
            Venue::Even(changes) => changes.begin_book(symbol, &mut self.random),
        }
        self.write_book(symbol, ResetReason::Feed, stamp, out);
    }

    fn write_book(&mut self, symbol: SymbolId, reason: ResetReason, stamp: Stamp, out: &mut Vec<Event>) {
        let mut packet = self.numbering.packet(symbol, stamp, out);
        packet.reset(reason);
        match &self.venue {
            Venue::Orders(traders) => write_levels(&mut packet, |side| traders.levels(symbol, side)),
            Venue::Even(changes) => write_levels(&mut packet, |side| changes.levels(symbol, side)),
        }
        packet.finish();
    }

    /// One action of the venue, which may be lost or repeated on its way.
    fn act(&mut self, now: u64, stamp: Stamp, out: &mut Vec<Event>) {
        let start = out.len();
        match &mut self.venue {
            Venue::Orders(traders) => {
                let symbol = traders.next_symbol(&mut self.random);
                let mut packet = self.numbering.packet(symbol, stamp, out);
                traders.act(symbol, now, self.schedule.phase(), &mut self.random, &mut packet);
                let events = packet.finish();
                self.schedule.came(events, &mut self.random);
            }
            Venue::Even(changes) => {
                let mut packet = self.numbering.packet(changes.next_symbol(), stamp, out);
                let burst_is_over = changes.act(&mut self.random, &mut packet);
                packet.finish();
                if burst_is_over {
                    self.schedule.came(1, &mut self.random);
                }
            }
        }
        if std::mem::take(&mut self.repeat_next) {
            out.extend_from_within(start..);
        }
        if std::mem::take(&mut self.lose_next) {
            out.truncate(start);
        }
    }

    /// The auctions of a phase end one after the other at the same time, then the next phase begins.
    fn end_phase(&mut self, stamp: Stamp, out: &mut Vec<Event>) {
        match &mut self.venue {
            Venue::Orders(traders) if self.schedule.phase().auction && self.uncrossed < self.symbols => {
                let symbol = SymbolId(self.uncrossed);
                let mut packet = self.numbering.packet(symbol, stamp, out);
                traders.uncross(symbol, &mut packet);
                packet.finish();
                self.uncrossed += 1;
            }
            _ => {
                self.uncrossed = 0;
                match self.goes_over.take() {
                    None => self.schedule.next_phase(&mut self.random),
                    Some(wished) => self.begin_scenario(wished),
                }
            }
        }
    }

    fn begin_scenario(&mut self, wished: Wished) {
        let rate = wished.rate();
        let Scenario { flow, phases, faults, .. } = wished.scenario;
        let spacing = match (&mut self.venue, flow) {
            (Venue::Orders(traders), Flow::Orders(habits)) => {
                traders.change_habits(habits);
                Spacing::Random
            }
            (Venue::Even(changes), Flow::Even(even)) => {
                changes.change_burst(even.burst);
                Spacing::Even(even.burst)
            }
            // The switch does not let them go over into one another.
            _ => return,
        };
        self.faults.replace(faults, self.schedule.end());
        self.schedule.replace(phases, rate, self.symbols, spacing, &mut self.random);
    }

    fn fail(&mut self, fault: usize, now: u64, stamp: Stamp, out: &mut Vec<Event>) {
        match self.faults.happen(fault, self.symbols) {
            Trouble::Lose => self.lose_next = true,
            Trouble::Repeat => self.repeat_next = true,
            Trouble::Reset(symbol) => self.begin_book(symbol, stamp, out),
            Trouble::Stall { until } => self.stalled_until = until,
            Trouble::Cross { fault, symbol } => {
                if let Some(ask) = self.best(symbol, Side::Ask) {
                    self.write_level(symbol, Side::Bid, ask, stamp, out);
                    self.faults.crossed(fault, now, symbol, ask.price);
                }
            }
            Trouble::Mend { symbol, price } => {
                let level = Level { price, qty: self.qty_at(symbol, Side::Bid, price) };
                self.write_level(symbol, Side::Bid, level, stamp, out);
            }
        }
    }

    fn write_level(
        &mut self,
        symbol: SymbolId,
        side: Side,
        level: Level,
        stamp: Stamp,
        out: &mut Vec<Event>,
    ) {
        let mut packet = self.numbering.packet(symbol, stamp, out);
        packet.level(side, level);
        packet.finish();
    }

    fn best(&self, symbol: SymbolId, side: Side) -> Option<Level> {
        match &self.venue {
            Venue::Orders(traders) => traders.levels(symbol, side).next(),
            Venue::Even(changes) => changes.levels(symbol, side).next(),
        }
    }

    fn qty_at(&self, symbol: SymbolId, side: Side, price: Price) -> Qty {
        match &self.venue {
            Venue::Orders(traders) => traders.qty_at(symbol, side, price),
            Venue::Even(changes) => changes.qty_at(symbol, side, price),
        }
    }
}

fn write_levels<L: Iterator<Item = Level>>(packet: &mut Packet<'_>, levels: impl Fn(Side) -> L) {
    for side in Side::BOTH {
        levels(side).for_each(|level| packet.level(side, level));
    }
}
