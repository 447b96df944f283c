//! Deterministic simulation: exchange, ingest, ring, workers, sockets and clients in one thread under virtual time, from one
//! seed. Chance laps workers, slows sockets, cuts connections, makes holes in the feed and resets books; at the end the
//! storm is over, and every client's books have to equal the book of record.
//!
//! What runs is the gateway's own code: only time and sockets are played. A seed that fails fails always.

mod chance;
mod client;
mod net;
mod record;
mod source;
mod world;

pub use world::{Failure, Report, run};
