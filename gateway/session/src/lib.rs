//! What one subscriber may do, and the worker's turn over many of them: a state machine without I/O or clock.
//!
//! Read in this order: [`Worker`] is one turn; `publisher` turns events into frames, once for all who watch; `log` keeps the
//! frames; `subscriber` is what is kept of a client; `delivery` and `gather` write to each all that is pending for it;
//! `private` makes the messages of those who are not in step; `requests` and `beginning` are what clients ask for; `replays` is
//! what is played to one client alone.
//!
//! Nothing here knows of sockets, runtimes, rings or threads. A simulation runs it as it is.

mod anew;
mod answers;
mod beginning;
mod blocked;
mod buckets;
mod chaos;
mod delivery;
mod frame;
mod gather;
mod joined;
mod kraken;
mod kraken_rest;
pub mod latency;
mod limits;
mod log;
mod outlet;
mod poll;
mod private;
mod publisher;
mod query;
mod replays;
mod requests;
mod rest;
mod rest_stats;
mod resume_token;
mod resync;
mod socketio;
mod stats;
mod streams;
mod subscriber;
mod summary;
mod topic;
mod topics;
mod trades;
mod worker;

pub use limits::Limits;
pub use outlet::{ConnId, Ending, Outlet};
pub use poll::Poll;
pub use publisher::{Publisher, Standing};
pub use query::{MAX_TRADES, TradeRange};
pub use replays::{Boundary, ReplayEnd, ReplayId, ReplayOrder, ReplayWish};
pub use rest::TradeWindow;
pub use rest_stats::CandleWindow;
pub use streams::{OpenStreams, find_stream};
pub use subscriber::{Figures, OpenOptions};
pub use worker::{Counters, SubscriberInfo, Worker};
