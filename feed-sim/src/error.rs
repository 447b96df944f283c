//! What can be wrong with what one asks of the simulator.

use crate::{Scenario, listing::MAX_SYMBOLS, scenario::MAX_RATE};
use std::{io, path::PathBuf};

/// Why there is no such simulation. Each is for whoever configured it to mend.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// Neither a built-in scenario nor a file.
    #[error("there is no scenario '{0}', and no file of that name; built in are {known}", known = names())]
    UnknownScenario(String),
    /// The scenario file cannot be read.
    #[error("cannot read the scenario file {}: {source}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the operating system answered.
        source: io::Error,
    },
    /// The scenario file is wrong.
    #[error("{name}: {what}")]
    BadScenario {
        /// Which scenario.
        name: String,
        /// What is wrong, with the line where there is one.
        what: String,
    },
    /// Too few or too many instruments.
    #[error("{0} symbols cannot be simulated; the number is 1 to {MAX_SYMBOLS}")]
    BadSymbols(u32),
    /// A scenario in the place of one that cannot go over into it.
    #[error(
        "a running '{from}' cannot go over to '{to}': one of them is order flow, the other changes levels directly; start anew with the other one"
    )]
    OtherFlow {
        /// What runs.
        from: String,
        /// What was wanted.
        to: String,
    },
    /// Neither another scenario nor another rate.
    #[error("there is nothing to change; say a scenario, a rate, or both")]
    NoChange,
    /// Too few or too many events a second.
    #[error("a rate of {0} events a second cannot be simulated; it is 1 to {MAX_RATE}")]
    BadRate(u64),
}

fn names() -> String {
    Scenario::names().collect::<Vec<_>>().join(", ")
}
