//! Dialects: how requests are read and messages are written. Each is a module with the same shape:
//! `parse_request` takes a client's text, and a `push_…` function for each kind of message appends its bytes. Which
//! of them a connection speaks, and how they are framed, is not known here.

mod assets;
pub mod binance;
mod json;
pub mod kraken_v2;
mod mantissa;
pub mod native_json;
pub mod native_sbe;

use crate::message::{Encoding, ErrorAnswer, ReqId};
use market::Nanos;

/// What a connection speaks, unless its requests say otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// The native protocol, with its events in this encoding.
    Native(Encoding),
    /// Binance's streams.
    Binance {
        /// Whether each event is wrapped with its stream's name; binary ones never are.
        combined: bool,
        /// That of the events.
        encoding: Encoding,
    },
    /// Kraken's, version 2.
    Kraken,
}

impl Default for Dialect {
    /// The native protocol in JSON.
    fn default() -> Dialect {
        Dialect::Native(Encoding::Json)
    }
}

impl Dialect {
    /// Binance's streams in JSON.
    pub const fn binance(combined: bool) -> Dialect {
        Dialect::Binance { combined, encoding: Encoding::Json }
    }

    /// Whether it is the native protocol, however encoded.
    pub const fn is_native(self) -> bool {
        matches!(self, Dialect::Native(_))
    }

    /// How what the native protocol says of a connection is encoded. Where another dialect is spoken, what of it has to be said is JSON.
    pub const fn encoding_of_notices(self) -> Encoding {
        match self {
            Dialect::Native(encoding) => encoding,
            Dialect::Binance { .. } | Dialect::Kraken => Encoding::Json,
        }
    }

    /// Appends the answer to a request that was refused.
    pub fn push_error(self, out: &mut Vec<u8>, answer: &ErrorAnswer<'_>, id: Option<&ReqId>, time: Nanos) {
        match self {
            Dialect::Native(_) | Dialect::Binance { .. } => native_json::push_error(out, answer, id),
            Dialect::Kraken => kraken_v2::push_error(out, answer, id, time),
        }
    }

    /// The name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Dialect::Native(Encoding::Json) => "native",
            Dialect::Native(Encoding::Sbe) => "native_sbe",
            Dialect::Binance { encoding: Encoding::Json, .. } => "binance",
            Dialect::Binance { encoding: Encoding::Sbe, .. } => "binance_sbe",
            Dialect::Kraken => "kraken",
        }
    }
}
