//! Dialects: how requests are read and messages are written. Each is a module with the same shape:
//! `parse_request` takes a client's text, and a `push_…` function for each kind of message appends its bytes. Which
//! of them a connection speaks, and how they are framed, is not known here.

mod assets;
pub mod binance;
mod json;
pub mod kraken_v2;
pub mod native_json;

use crate::message::{ErrorAnswer, ReqId};
use market::Nanos;

/// What a connection speaks, unless its requests say otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dialect {
    /// The native protocol.
    #[default]
    Native,
    /// Binance's streams.
    Binance {
        /// Whether each event is wrapped with its stream's name.
        combined: bool,
    },
    /// Kraken's, version 2.
    Kraken,
}

impl Dialect {
    /// Appends the answer to a request that was refused.
    pub fn push_error(self, out: &mut Vec<u8>, answer: &ErrorAnswer<'_>, id: Option<&ReqId>, time: Nanos) {
        match self {
            Dialect::Native | Dialect::Binance { .. } => native_json::push_error(out, answer, id),
            Dialect::Kraken => kraken_v2::push_error(out, answer, id, time),
        }
    }

    /// The name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Dialect::Native => "native",
            Dialect::Binance { .. } => "binance",
            Dialect::Kraken => "kraken",
        }
    }
}
