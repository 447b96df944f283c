//! A simulated exchange: order flow of many traders through a matching engine, as a feed.
//!
//! [`Scenario`] says what happens (built in, or a TOML file), [`SimConfig`] adds the seed and the start, and [`Simulator`] is
//! the [`feed::FeedSource`]. It reads no clock: time comes in with each poll, and at which times it is polled changes
//! nothing of what it says.
//!
//! ```
//! use feed::FeedSource;
//! use feed_sim::{Scenario, SimConfig, Simulator};
//! use market::{Kind, Nanos};
//!
//! let scenario = Scenario::builtin("market")?;
//! let config = SimConfig { scenario, symbols: Some(2), rate: None, seed: 1, start: None };
//! let mut simulator = Simulator::new(config)?;
//! let mut events = Vec::new();
//! let status = simulator.poll(Nanos(1_000_000_000), &mut events)?;
//! assert_eq!(status.watermark, Nanos(1_000_000_000));
//! assert_eq!(events[0].kind, Kind::Reset);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod clock;
mod error;
mod even;
mod exchange;
mod faults;
mod flow;
mod listing;
mod matching;
mod packet;
pub mod program;
mod random;
mod refresh;
mod scenario;
mod schedule;
mod simulator;
mod switch;

pub use error::SimError;
pub use listing::MAX_SYMBOLS;
pub use scenario::Scenario;
pub use simulator::{Pace, SimConfig, Simulator};
pub use switch::Switch;
