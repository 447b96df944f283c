//! Deterministic simulation: exchange, ingest, ring, workers, sockets and clients in one thread under virtual time, from one
//! seed. Chance laps workers, slows sockets, cuts connections, makes holes in the feed and resets books; clients come back on
//! any transport with the token of any other. At the end the storm is over: every client's books have to equal the book of
//! record, and each trade came to it once or was named as missing. Clients of the Binance dialect keep theirs by its ids.
//!
//! What runs is the gateway's own code: only time and sockets are played. A seed that fails fails always.

mod chance;
mod client;
pub mod ledger;
pub mod line;
mod net;
mod record;
mod source;
mod streams;
mod wish;
mod world;

pub use world::{Failure, Report, run};
