//! Why there is no connection.

use fastwebsockets::WebSocketError;
use std::time::Duration;

/// Why a connection could not be made, or ended.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The address cannot be read.
    #[error("'{0}' is no address of a gateway; use ws://HOST:PORT/feed, http://HOST:PORT or HOST:PORT")]
    BadUrl(String),
    /// The address wants TLS.
    #[error("{0}: this client does not speak TLS; use ws:// or put a TLS tunnel before it")]
    NoTls(String),
    /// Nobody answers there.
    #[error("no connection to {authority}: {source}; is the gateway running and listening there?")]
    Connect {
        /// Where.
        authority: String,
        /// Why not.
        source: std::io::Error,
    },
    /// Who answers does not speak the protocol, or the connection broke.
    #[error("WebSocket: {0}")]
    WebSocket(#[from] WebSocketError),
    /// A request over HTTP failed.
    #[error("GET {path}: {reason}")]
    Http {
        /// Of what.
        path: String,
        /// Why.
        reason: String,
    },
    /// The gateway closed the connection.
    #[error("closed by the gateway with {code}: {reason}")]
    Closed {
        /// The close code, 1005 if there was none.
        code: u16,
        /// The gateway's words.
        reason: String,
    },
    /// A message is longer than the client takes.
    #[error("a message over {0} bytes; subscribe to a smaller depth or raise max_message_bytes")]
    TooLarge(usize),
    /// The gateway sent what is no text.
    #[error("a binary message, but JSON was asked for")]
    Binary,
    /// Nothing was received for so long.
    #[error("nothing was received for {0:?}, not even a heartbeat")]
    Silent(Duration),
    /// There is nothing to subscribe to.
    #[error("the gateway has no instruments and none were named")]
    NoSymbols,
}
