//! Dialects: how requests are read and messages are written. Each is a module with the same shape:
//! `parse_request` takes a client's text, and a `push_…` function for each kind of message appends its bytes. Which
//! of them a connection speaks, and how they are framed, is not known here.

pub mod binance;
mod json;
pub mod kraken_v2;
pub mod native_json;

use crate::{
    codec::{Body, Codec},
    envelope::Envelope,
    message::{ErrorAnswer, Pong, ReqId, Subscribed, Unsubscribed},
};
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
    /// How topics are written that are asked for by the methods of the native protocol.
    pub const fn codec(self, envelope: Envelope) -> Codec {
        match self {
            Dialect::Native | Dialect::Binance { .. } => Codec::native(envelope),
            Dialect::Kraken => Codec { body: Body::Kraken, envelope },
        }
    }

    /// Appends the answer to a `subscribe`, for one symbol. `snapshot` is what the request says of one, and `time` that of the
    /// answer.
    pub fn push_subscribed(
        self,
        out: &mut Vec<u8>,
        answer: &Subscribed<'_>,
        snapshot: Option<bool>,
        id: Option<&ReqId>,
        time: Nanos,
    ) {
        match self {
            Dialect::Native | Dialect::Binance { .. } => native_json::push_subscribed(out, answer, id),
            Dialect::Kraken => kraken_v2::push_subscribed(out, answer, snapshot != Some(false), id, time),
        }
    }

    /// Appends the answer to an `unsubscribe`, for one symbol.
    pub fn push_unsubscribed(
        self,
        out: &mut Vec<u8>,
        answer: &Unsubscribed<'_>,
        id: Option<&ReqId>,
        time: Nanos,
    ) {
        match self {
            Dialect::Native | Dialect::Binance { .. } => native_json::push_unsubscribed(out, answer, id),
            Dialect::Kraken => kraken_v2::push_unsubscribed(out, answer, id, time),
        }
    }

    /// Appends the answer to a request that was refused.
    pub fn push_error(self, out: &mut Vec<u8>, answer: &ErrorAnswer<'_>, id: Option<&ReqId>, time: Nanos) {
        match self {
            Dialect::Native | Dialect::Binance { .. } => native_json::push_error(out, answer, id),
            Dialect::Kraken => kraken_v2::push_error(out, answer, id, time),
        }
    }

    /// Appends the answer to a `ping`.
    pub fn push_pong(self, out: &mut Vec<u8>, pong: &Pong, id: Option<&ReqId>) {
        match self {
            Dialect::Native | Dialect::Binance { .. } => native_json::push_pong(out, pong, id),
            Dialect::Kraken => kraken_v2::push_pong(out, pong, id),
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
