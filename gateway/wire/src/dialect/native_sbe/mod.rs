//! The native protocol in Simple Binary Encoding: the events of [`native_json`](super::native_json) as messages of
//! `docs/protocol/depthcast.xml`, little-endian. Requests and answers are JSON as there.
//!
//! Each function appends one message with its header, which holds the lengths, the template and the schema. Prices and quantities are the
//! mantissas that the books keep; their exponents stand in each message. Where each field stands is made from the schema when this crate is
//! built. It knows no transport and no subscription.

mod market_data;
mod notice;
mod tamper;
mod words;

/// A function for each message of the schema, and constants for each of its words.
mod schema {
    include!(concat!(env!("OUT_DIR"), "/depthcast.rs"));
}

pub(super) use schema::{SCHEMA_ID, SCHEMA_VERSION};

pub use market_data::{push_bbo, push_book, push_trade};
pub use notice::{push_gap, push_heartbeat, push_stats, push_status};
pub(crate) use tamper::{is_update, tamper};
