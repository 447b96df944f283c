//! Kraken's REST and WebSocket over real sockets: what they say, and that the clients that people use keep right books by them. Tickers
//! and candles of the Binance dialect are held against the same trades.

mod libraries;
mod limits;
mod rest;
mod truth;

#[path = "../support/mod.rs"]
mod support;
