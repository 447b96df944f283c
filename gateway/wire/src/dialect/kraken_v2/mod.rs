//! The dialect of Kraken's WebSocket API, version 2. The native protocol is shaped like it; other are the answers, which tell when
//! a request came and when it was answered, and what messages hold.
//!
//! | message | members |
//! |---|---|
//! | book | `channel`, `type`, `data[0]`: `symbol`, `bids`, `asks` (of each level `price`, `qty`), `checksum`, `timestamp` |
//! | trade | `channel`, `type`, `data`: `symbol`, `side`, `price`, `qty`, `ord_type` (always `market`: who takes is not known), `trade_id`, `timestamp` |
//! | ticker | `channel`, `type`, `data[0]`: `symbol`, `bid`, `bid_qty`, `ask`, `ask_qty`, `last`, `volume`, `vwap`, `low`, `high`, `change`, `change_pct`, `timestamp` |
//! | ohlc | `channel`, `type`, `timestamp`, `data`: `symbol`, `open`, `high`, `low`, `close`, `trades`, `volume`, `vwap`, `interval_begin`, `interval`, `timestamp` (its end) |
//! | instrument | `channel`, `type`, `data`: `assets`, `pairs` |
//! | status | `channel`, `type`, `data[0]`: `version`, `system`, `api_version`, `connection_id` |
//! | heartbeat | `channel` |
//!
//! A book's `checksum` is the CRC32 over its ten best levels a side, at whatever depth: prices and quantities are JSON numbers with
//! all the decimals of their instrument, so that what a client reads is what was summed up.
//!
//! Tickers and candles are told at most ten times a second of feed time; of a side that is empty, price and quantity are 0.
//!
//! The source of the rules is Kraken's public documentation of its WebSocket API v2.

mod answer;
mod feed;
mod instrument;
mod market_data;
mod request;
pub mod rest;
mod summary;

pub use answer::{
    push_error, push_heartbeat, push_instrument_subscribed, push_instrument_unsubscribed, push_pong,
    push_status, push_subscribed, push_unsubscribed,
};
pub use feed::{Feed, INTERVALS, Trigger, candles_of};
pub use instrument::push_instruments;
pub use market_data::{push_book, push_trades};
pub use request::{CHECKSUM_DEPTH, Method, Request, Subscribe, parse_request};
pub use summary::push_summary;
