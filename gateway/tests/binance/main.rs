//! Binance's REST and streams over real sockets: what they say, and that the client libraries that people use keep right books by
//! them.

mod libraries;
mod limits;
mod rest;
mod stats;
mod truth;

#[path = "../support/mod.rs"]
mod support;
