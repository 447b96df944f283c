//! The scenario file as it is written, and the check that it fits together.

use super::{Flow, Rate, Scenario};
use crate::{SimError, listing::MAX_SYMBOLS};
use serde::{Deserialize, Deserializer, de::Error};

/// Most events a second.
pub(crate) const MAX_RATE: u64 = 100_000_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// How many instruments are listed.
    #[serde(deserialize_with = "bounded::<_, 1, { MAX_SYMBOLS as u64 }>")]
    symbols: u64,
    /// Events a second in all symbols together.
    #[serde(default, deserialize_with = "optional::<_, 1, MAX_RATE>")]
    rate: Option<u64>,
    /// Events a minute for each symbol.
    #[serde(default, deserialize_with = "optional::<_, 1, MAX_RATE>")]
    rate_per_symbol_minute: Option<u64>,
    orders: Option<Orders>,
    even: Option<Even>,
    #[serde(default)]
    phase: Vec<Phase>,
    #[serde(default)]
    fault: Vec<Fault>,
}

/// Order flow of many traders through the matching engine.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Orders {
    /// About so many orders are open in each book.
    #[serde(deserialize_with = "bounded::<_, 20, 10_000>")]
    pub open: u64,
    /// Orders are usually worth about this much of the quote asset.
    #[serde(deserialize_with = "bounded::<_, 1, 1_000_000>")]
    pub value: u64,
    /// How far limit orders stand from the fair price on average, in millionths of it.
    #[serde(deserialize_with = "bounded::<_, 1, 100_000>")]
    pub distance_ppm: u64,
    /// How far each order moves the fair price at most, in millionths of it.
    #[serde(deserialize_with = "bounded::<_, 0, 10_000>")]
    pub volatility_ppm: u64,
    pub mix: Mix,
}

/// How many actions of each kind make a round; within a round they come in any order.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mix {
    #[serde(deserialize_with = "bounded::<_, 1, 1_000>")]
    pub limit: u64,
    #[serde(deserialize_with = "bounded::<_, 0, 1_000>")]
    pub cancel: u64,
    #[serde(deserialize_with = "bounded::<_, 0, 1_000>")]
    pub market: u64,
}

/// Single level changes at even distances in time.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Even {
    /// Levels on each side of a book; the best ten change.
    #[serde(deserialize_with = "bounded::<_, 1, 1_000>")]
    pub levels: u64,
    /// Exchange events of one symbol at the same moment.
    #[serde(deserialize_with = "bounded::<_, 1, 4_096>")]
    pub burst: u64,
}

/// A stretch of time with its own rate and mood. Phases follow one another, and begin again.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Phase {
    #[serde(deserialize_with = "bounded::<_, 1, 31_536_000>")]
    pub seconds: u64,
    /// Of the scenario's rate.
    #[serde(default = "hundred", deserialize_with = "bounded::<_, 1, 10_000>")]
    pub rate_percent: u64,
    /// Orders wait, also crossed, and are executed at one price at the end.
    #[serde(default)]
    pub auction: bool,
    /// By how many millionths the fair price goes up (or down) in a second.
    #[serde(default)]
    pub drift_ppm: i32,
    /// The share of market orders that sell.
    #[serde(default = "fifty", deserialize_with = "bounded::<_, 0, 100>")]
    pub sell_percent: u64,
    /// Market orders are so many times larger than others.
    #[serde(default = "one", deserialize_with = "bounded::<_, 1, 1_000>")]
    pub sweep: u64,
}

fn hundred() -> u64 {
    100
}

fn fifty() -> u64 {
    50
}

fn one() -> u64 {
    1
}

impl Phase {
    /// Nothing special, for so long.
    pub fn plain(seconds: u64) -> Phase {
        let (rate_percent, sell_percent, sweep) = (hundred(), fifty(), one());
        Phase { seconds, rate_percent, auction: false, drift_ppm: 0, sell_percent, sweep }
    }

    fn shapes_orders(&self) -> bool {
        *self != Phase { rate_percent: self.rate_percent, ..Phase::plain(self.seconds) }
    }
}

/// What goes wrong now and then.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub kind: FaultKind,
    /// The mean time from one to the next.
    pub every_ms: u64,
    /// How long it lasts, where it lasts.
    pub for_ms: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum FaultKind {
    /// An exchange event is lost.
    Gap,
    /// An exchange event is sent twice.
    Repeat,
    /// The venue begins a book anew.
    Reset,
    /// Nothing is delivered for a while, then all that was held back.
    Stall,
    /// A bid at the price of the best ask stands for a while.
    Crossed,
}

impl<'de> Deserialize<'de> for Fault {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Fault, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Keys {
            kind: FaultKind,
            #[serde(deserialize_with = "bounded::<_, 1, 86_400_000>")]
            every_ms: u64,
            #[serde(default, deserialize_with = "optional::<_, 1, 86_400_000>")]
            for_ms: Option<u64>,
        }
        let Keys { kind, every_ms, for_ms } = Keys::deserialize(deserializer)?;
        let lasts = matches!(kind, FaultKind::Stall | FaultKind::Crossed);
        match for_ms {
            None if lasts => Err(Error::custom("this fault needs for_ms, how long it lasts")),
            Some(_) if !lasts => Err(Error::custom(
                "this fault happens at once; take out for_ms, or make it a stall or crossed",
            )),
            _ => Ok(Fault { kind, every_ms, for_ms: for_ms.unwrap_or(0) }),
        }
    }
}

fn bounded<'de, D: Deserializer<'de>, const MIN: u64, const MAX: u64>(from: D) -> Result<u64, D::Error> {
    let value = u64::deserialize(from)?;
    if (MIN..=MAX).contains(&value) {
        Ok(value)
    } else {
        Err(Error::custom(format!("{value} is out of range, it has to be {MIN} to {MAX}")))
    }
}

fn optional<'de, D: Deserializer<'de>, const MIN: u64, const MAX: u64>(
    from: D,
) -> Result<Option<u64>, D::Error> {
    bounded::<D, MIN, MAX>(from).map(Some)
}

/// Reads the text of the scenario `name`.
pub(super) fn parse(text: &str, name: &str) -> Result<Scenario, SimError> {
    let bad = |what: String| SimError::BadScenario { name: name.to_owned(), what };
    let file: File = toml::from_str(text).map_err(|error| bad(error.to_string()))?;
    file.check(name).map_err(|what| bad(what.to_owned()))
}

impl File {
    fn check(self, name: &str) -> Result<Scenario, &'static str> {
        let rate = match (self.rate, self.rate_per_symbol_minute) {
            (Some(rate), None) => Rate::PerSecond(rate),
            (None, Some(rate)) => Rate::PerSymbolMinute(rate),
            _ => return Err("it needs either rate or rate_per_symbol_minute"),
        };
        let flow = match (self.orders, self.even) {
            (Some(orders), None) => Flow::Orders(orders),
            (None, Some(even)) => Flow::Even(even),
            _ => return Err("it needs either a table [orders] or a table [even]"),
        };
        if matches!(flow, Flow::Even(_)) && self.phase.iter().any(Phase::shapes_orders) {
            return Err("auction, drift_ppm, sell_percent and sweep of a phase need [orders]");
        }
        let phases = if self.phase.is_empty() { vec![Phase::plain(86_400)] } else { self.phase };
        let (name, symbols) = (name.to_owned(), self.symbols as u32);
        Ok(Scenario { name, symbols, rate, flow, phases, faults: self.fault })
    }
}
