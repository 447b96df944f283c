//! What goes wrong, and when: decided ahead by a stream of chance of its own, so that the same orders flow with faults and
//! without.

use crate::{
    random::{ONE, Random},
    scenario::{Fault, FaultKind},
};
use market::{Price, SymbolId};

const MILLISECOND: u64 = 1_000_000;

#[derive(Debug)]
pub(crate) struct Faults {
    list: Vec<Planned>,
    random: Random,
}

/// A fault of the scenario, and its next occurrence.
#[derive(Debug)]
struct Planned {
    fault: Fault,
    /// In nanoseconds since the start.
    at: u64,
    /// The bid that crosses a book now, to be mended next.
    crossing: Option<(SymbolId, Price)>,
    /// Only what it crossed is still to be mended.
    is_last: bool,
}

/// What has to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Lose the next exchange event.
    Lose,
    /// Send the next exchange event twice.
    Repeat,
    /// Begin this book anew.
    Reset(SymbolId),
    /// Deliver nothing until then, in nanoseconds since the start.
    Stall { until: u64 },
    /// Cross this book: tell [`Faults::crossed`] if that could be done.
    Cross { fault: usize, symbol: SymbolId },
    /// This bid no longer crosses the book.
    Mend { symbol: SymbolId, price: Price },
}

impl Faults {
    pub fn new(faults: Vec<Fault>, mut random: Random) -> Faults {
        let list = plan(faults, 0, &mut random);
        Faults { list, random }
    }

    /// Others take the place of these from `now` on, in nanoseconds since the start. What is crossed is mended when it would have been.
    pub fn replace(&mut self, faults: Vec<Fault>, now: u64) {
        self.list.retain(|planned| planned.crossing.is_some());
        self.list.iter_mut().for_each(|planned| planned.is_last = true);
        self.list.extend(plan(faults, now, &mut self.random));
    }

    /// When the next fault happens, and which it is.
    pub fn next(&self) -> Option<(u64, usize)> {
        self.list.iter().zip(0..).map(|(planned, fault)| (planned.at, fault)).min()
    }

    /// Lets fault number `fault` happen in one of `symbols`, and plans its next occurrence.
    pub fn happen(&mut self, fault: usize, symbols: u32) -> Trouble {
        let symbol = SymbolId(self.random.below(u64::from(symbols)) as u32);
        let planned = &mut self.list[fault];
        let now = planned.at;
        planned.at += distance(&planned.fault, &mut self.random);
        if let Some((symbol, price)) = planned.crossing.take() {
            if planned.is_last {
                planned.at = u64::MAX;
            }
            return Trouble::Mend { symbol, price };
        }
        match planned.fault.kind {
            FaultKind::Gap => Trouble::Lose,
            FaultKind::Repeat => Trouble::Repeat,
            FaultKind::Reset => Trouble::Reset(symbol),
            FaultKind::Stall => {
                let until = now + planned.fault.for_ms * MILLISECOND;
                planned.at = planned.at.max(until);
                Trouble::Stall { until }
            }
            FaultKind::Crossed => Trouble::Cross { fault, symbol },
        }
    }

    /// A book was crossed at `now` by a bid at `price`.
    pub fn crossed(&mut self, fault: usize, now: u64, symbol: SymbolId, price: Price) {
        let planned = &mut self.list[fault];
        planned.crossing = Some((symbol, price));
        planned.at = now + planned.fault.for_ms * MILLISECOND;
    }
}

fn plan(faults: Vec<Fault>, now: u64, random: &mut Random) -> Vec<Planned> {
    let plan =
        |fault: Fault| Planned { at: now + distance(&fault, random), crossing: None, is_last: false, fault };
    faults.into_iter().map(plan).collect()
}

fn distance(fault: &Fault, random: &mut Random) -> u64 {
    let drawn = u128::from(fault.every_ms * MILLISECOND) * u128::from(random.exponential());
    (drawn / u128::from(ONE)) as u64 + 1
}
