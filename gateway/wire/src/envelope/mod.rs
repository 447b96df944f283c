//! Envelopes: how a body is wrapped for a transport, and how a client's bytes become requests again. An envelope knows
//! nothing of what it carries.

mod decoder;
pub mod long_poll;
mod room;
pub mod socketio;
pub mod sse;
pub mod tcp;
pub mod websocket;

pub use decoder::Decoder;

use crate::message::{Encoding, TOPICS_WITH_TOKEN};
use std::{borrow::Cow, time::Duration};
use websocket::{Opcode, Window};

/// How a connection's messages are wrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Envelope {
    /// Text frames (RFC 6455).
    #[default]
    WebSocket,
    /// Text frames, the longer ones compressed (RFC 7692).
    DeflatedWebSocket(Window),
    /// Events `market` of Socket.IO, in text frames; [`socketio::take_packets`] takes them out of the frames for polling.
    SocketIo,
    /// Server-sent events.
    Sse,
    /// Lines on a plain TCP connection.
    Tcp,
    /// Messages on a plain TCP connection, each behind its length: what lines become where a client wants what is not text.
    LengthPrefixed,
    /// Answers to polls.
    LongPoll,
}

impl Envelope {
    /// All with which connections begin.
    pub const ALL: [Envelope; 7] = [
        Envelope::WebSocket,
        Envelope::DeflatedWebSocket(Window::Whole),
        Envelope::DeflatedWebSocket(Window::Least),
        Envelope::SocketIo,
        Envelope::Sse,
        Envelope::Tcp,
        Envelope::LongPoll,
    ];

    /// The name of the transport.
    pub const fn transport(self) -> &'static str {
        match self {
            Envelope::WebSocket | Envelope::DeflatedWebSocket(_) => "websocket",
            Envelope::SocketIo => "socketio",
            Envelope::Sse => "sse",
            Envelope::Tcp | Envelope::LengthPrefixed => "tcp",
            Envelope::LongPoll => "poll",
        }
    }

    /// Whether it can carry what is not text.
    pub const fn carries_binary(self) -> bool {
        matches!(self, Envelope::WebSocket | Envelope::DeflatedWebSocket(_) | Envelope::LengthPrefixed)
    }

    /// Appends the message in JSON whose body `body` appends.
    pub fn message(self, out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
        self.encoded(out, Encoding::Json, body);
    }

    /// Appends the message of this encoding whose body `body` appends: one that is not text only where the envelope
    /// [carries it](Envelope::carries_binary).
    pub fn encoded(self, out: &mut Vec<u8>, encoding: Encoding, body: impl FnOnce(&mut Vec<u8>)) {
        debug_assert!(encoding == Encoding::Json || self.carries_binary());
        let opcode = match encoding {
            Encoding::Json => Opcode::Text,
            Encoding::Sbe => Opcode::Binary,
        };
        match self {
            Envelope::WebSocket => websocket::frame(out, opcode, body),
            Envelope::DeflatedWebSocket(window) => websocket::deflated_frame(out, opcode, window, body),
            Envelope::SocketIo => socketio::push_event(out, body),
            Envelope::Sse => sse::push_event(out, body),
            Envelope::Tcp => tcp::push_line(out, body),
            Envelope::LengthPrefixed => tcp::push_behind_length(out, body),
            Envelope::LongPoll => long_poll::push_message(out, body),
        }
    }

    /// The body of a message that was wrapped so; `None` if it was not, or on a transport on which nobody asks for that.
    pub(crate) fn body(self, message: &[u8]) -> Option<Cow<'_, [u8]>> {
        match self {
            Envelope::WebSocket | Envelope::DeflatedWebSocket(_) => websocket::body(message),
            Envelope::SocketIo => socketio::body_of_event(message).map(Cow::Borrowed),
            Envelope::Tcp => message.strip_suffix(b"\n").map(Cow::Borrowed),
            Envelope::LengthPrefixed => tcp::behind_length(message).map(Cow::Borrowed),
            Envelope::Sse | Envelope::LongPoll => None,
        }
    }

    /// Appends what keeps a connection alive and, where [`Envelope::answers_pings`], asks the client whether it is.
    pub fn push_ping(self, out: &mut Vec<u8>) {
        match self {
            Envelope::WebSocket | Envelope::DeflatedWebSocket(_) => websocket::push_ping(out, b"depthcast"),
            Envelope::SocketIo => socketio::push_ping(out),
            Envelope::Sse => sse::push_comment(out),
            // A silent client is fine: heartbeats, and the keep-alive of TCP itself, find a dead one.
            Envelope::Tcp | Envelope::LengthPrefixed | Envelope::LongPoll => {}
        }
    }

    /// Whether a client that lives answers each ping.
    pub const fn answers_pings(self) -> bool {
        matches!(self, Envelope::WebSocket | Envelope::DeflatedWebSocket(_) | Envelope::SocketIo)
    }

    /// Whether a client learns from the close itself why the connection is closed. That of Socket.IO does not over long
    /// polling, and its libraries do not tell.
    pub const fn has_close_codes(self) -> bool {
        matches!(self, Envelope::WebSocket | Envelope::DeflatedWebSocket(_))
    }

    /// Whether a connection ends with a close frame.
    pub const fn has_close_frames(self) -> bool {
        matches!(self, Envelope::WebSocket | Envelope::DeflatedWebSocket(_) | Envelope::SocketIo)
    }

    /// Appends the close of a connection, as far as the envelope has one.
    pub fn push_close(self, out: &mut Vec<u8>, status: Option<(u16, &str)>) {
        if self.has_close_frames() {
            websocket::push_close(out, status);
        }
    }

    /// Whether each batch ends with the resume token.
    pub const fn carries_tokens(self) -> bool {
        matches!(self, Envelope::SocketIo | Envelope::Sse)
    }

    /// Adds the token that `token` appends to a batch that ends with a message.
    pub fn push_token(self, out: &mut Vec<u8>, token: impl FnOnce(&mut Vec<u8>)) {
        match self {
            Envelope::SocketIo => socketio::push_cursor(out, token),
            Envelope::Sse => sse::push_id(out, token),
            Envelope::WebSocket
            | Envelope::DeflatedWebSocket(_)
            | Envelope::Tcp
            | Envelope::LengthPrefixed
            | Envelope::LongPoll => {}
        }
    }

    /// Adds to a message that announces the end when to come back, where clients do that by themselves.
    pub fn push_retry(self, out: &mut Vec<u8>, after: Duration) {
        if self == Envelope::Sse {
            sse::push_retry(out, after);
        }
    }

    /// Most subscriptions that a connection may have, of the `most` that are configured (0: no limit).
    pub const fn most_topics(self, most: usize) -> usize {
        let narrow = self.carries_tokens() && (most == 0 || most > TOPICS_WITH_TOKEN);
        if narrow { TOPICS_WITH_TOKEN } else { most }
    }
}
