//! Kraken's REST and WebSocket over real sockets.

mod rest;

#[path = "../support/mod.rs"]
mod support;
