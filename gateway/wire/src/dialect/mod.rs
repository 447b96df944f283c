//! Dialects: how requests are read and messages are written. Each is a module with the same shape:
//! `parse_request` takes a client's text, and a `push_…` function for each kind of message appends its bytes. Which
//! of them a connection speaks, and how they are framed, is not known here.

pub mod binance;
mod json;
pub mod native_json;

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
}

impl Dialect {
    /// The name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Dialect::Native => "native",
            Dialect::Binance { .. } => "binance",
        }
    }
}
