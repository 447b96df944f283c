//! Switches a simulator that runs to another scenario or rate, from another thread. Knows nothing of how it is carried out.

use crate::{
    SimError,
    scenario::{Flow, MAX_RATE, Rate, Scenario},
};
use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

/// Switches a simulator. All clones switch the same one; it does what is wished at its next poll.
#[derive(Debug, Clone)]
pub struct Switch(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    changed: AtomicBool,
    wished: Mutex<Wished>,
}

/// What is to be simulated.
#[derive(Debug, Clone)]
pub(crate) struct Wished {
    pub scenario: Scenario,
    /// Events a second, in place of the scenario's own rate.
    pub rate: Option<u64>,
}

impl Wished {
    /// How often something happens.
    pub fn rate(&self) -> Rate {
        self.rate.map_or(self.scenario.rate, Rate::PerSecond)
    }
}

impl Switch {
    /// For a simulator that begins with this.
    pub(crate) fn new(scenario: Scenario, rate: Option<u64>) -> Switch {
        let wished = Mutex::new(Wished { scenario, rate });
        Switch(Arc::new(Inner { changed: AtomicBool::new(false), wished }))
    }

    /// Has it go over to a built-in scenario, or go on with its own, at `rate` events a second. A rate that was chosen before stays
    /// where none is said.
    ///
    /// # Errors
    /// If there is no such scenario, the books cannot go on in it, the rate is out of range, or nothing is said.
    pub fn to(&self, scenario: Option<&str>, rate: Option<u64>) -> Result<(), SimError> {
        if scenario.is_none() && rate.is_none() {
            return Err(SimError::NoChange);
        }
        check_rate(rate)?;
        let scenario = scenario.map(Scenario::builtin).transpose()?;
        let mut wished = self.wished();
        if let Some(scenario) = scenario {
            let is_orders = |scenario: &Scenario| matches!(scenario.flow, Flow::Orders(_));
            if is_orders(&scenario) != is_orders(&wished.scenario) {
                let (from, to) = (wished.scenario.name.clone(), scenario.name);
                return Err(SimError::OtherFlow { from, to });
            }
            wished.scenario = scenario;
        }
        wished.rate = rate.or(wished.rate);
        self.0.changed.store(true, Ordering::Release);
        Ok(())
    }

    /// The name of the scenario.
    pub fn scenario(&self) -> String {
        self.wished().scenario.name.clone()
    }

    /// How many events there are a second in all symbols together, where that is said.
    pub fn rate(&self) -> Option<u64> {
        match self.wished().rate() {
            Rate::PerSecond(rate) => Some(rate),
            Rate::PerSymbolMinute(_) => None,
        }
    }

    /// What is to be simulated from now on, if that was changed since the last time.
    pub(crate) fn take(&self) -> Option<Wished> {
        self.0.changed.swap(false, Ordering::AcqRel).then(|| self.wished().clone())
    }

    fn wished(&self) -> MutexGuard<'_, Wished> {
        self.0.wished.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// # Errors
/// If there cannot be so many events a second.
pub(crate) fn check_rate(rate: Option<u64>) -> Result<(), SimError> {
    match rate {
        Some(rate) if !(1..=MAX_RATE).contains(&rate) => Err(SimError::BadRate(rate)),
        _ => Ok(()),
    }
}
