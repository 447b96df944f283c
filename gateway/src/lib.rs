//! depthcast: a market-data streaming gateway. This crate puts it together: the feed's thread, the workers' threads with
//! their sockets, HTTP, telemetry, configuration and command line. What is sent to whom is decided in `session`.
//!
//! Read in this order: [`start`] assembles; `feeder` drives source and ingest; `worker` is one thread with its share of the
//! connections; `http` is what a connection speaks before it becomes a stream; `recorder` writes the recording, `archive` reads one; `control` is what
//! the threads share.
//!
//! ```no_run
//! let config = gateway::Config { listen: ([127, 0, 0, 1], 0).into(), ..gateway::Config::default() };
//! let running = gateway::start(config)?;
//! println!("ws://{}/feed", running.address());
//! running.shut_down("done");
//! # Ok::<(), gateway::StartError>(())
//! ```

mod acceptor;
mod addresses;
mod archive;
mod assembly;
pub mod command;
mod config;
mod control;
mod feed_source;
mod feeder;
mod http;
mod images;
mod page;
mod polling;
mod recorder;
mod replays;
mod telemetry;
mod worker;

pub use acceptor::ListenError;
pub use assembly::{Running, StartError, record, start, start_with};
pub use config::{Config, ConfigError, CrossRule, FeedSpec, FeedSpecError, Plain, PlainError, Threads};
pub use feed_source::{Feed, OpenFeedError};
#[doc(hidden)]
pub use http::read_query;
pub use recorder::Recorded;
