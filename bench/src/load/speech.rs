//! How a server speaks: how a connection is opened, what is sent on it to subscribe, and how what arrives is split into
//! messages of market data.
//!
//! Whatever the envelope, a message of market data is the text that the native protocol has for it, so that all servers
//! carry the same bytes and [`super::message`] reads them all. A further speech is a file beside [`native`], a variant of
//! [`Speech`] and one of [`Talk`]. Nothing here reads a socket, a clock, or a message of market data.

mod native;
mod nats;
mod nchan;
mod socketio;

use super::address::Opening;
use crate::framing::Framing;

/// How a server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speech {
    /// The native protocol of depthcast: JSON over WebSocket.
    Native,
    /// The same as server-sent events; the query is the request.
    Sse,
    /// The same as events of Socket.IO 4, over WebSocket alone.
    SocketIo,
    /// The same as lines on a TCP connection.
    Tcp,
    /// The NATS protocol, as bytes in binary frames.
    Nats,
    /// nchan: the path names the topics, and each text frame is a message.
    Nchan,
    /// The same as server-sent events.
    NchanSse,
}

/// What one connection subscribes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Its symbols, such as `BTC/USDT`; not none.
    pub topics: Vec<String>,
    /// How it wants them, where the server offers a choice.
    pub terms: Terms,
    /// The resume token of what it has already, for depthcast.
    pub since: Option<String>,
}

/// How a connection wants its topics. Servers other than depthcast have no such choice and send each message as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// book, bbo or trade.
    pub channel: String,
    /// Levels a side.
    pub depth: u32,
    /// How much time a message covers: 0 for each event its own.
    pub interval_ms: u32,
    /// conflate or lossless.
    pub policy: String,
}

impl Default for Terms {
    fn default() -> Terms {
        Terms { channel: "book".into(), depth: 10, interval_ms: 0, policy: "conflate".into() }
    }
}

impl Speech {
    /// How a connection begins.
    pub fn opening(self, subscription: &Subscription) -> Opening {
        match self {
            Speech::Native => Opening::Upgrade(native::PATH.into()),
            Speech::Sse => Opening::Stream(native::query(subscription)),
            Speech::SocketIo => Opening::Upgrade(socketio::PATH.into()),
            Speech::Tcp => Opening::Plain,
            Speech::Nats => Opening::Upgrade(nats::PATH.into()),
            Speech::Nchan => Opening::Upgrade(nchan::path(subscription)),
            Speech::NchanSse => Opening::Stream(nchan::event_path(subscription)),
        }
    }

    /// What stands between two messages.
    pub fn framing(self) -> Framing {
        match self {
            Speech::Native | Speech::SocketIo | Speech::Nats | Speech::Nchan => Framing::WebSocket,
            Speech::Sse | Speech::NchanSse => Framing::Events,
            Speech::Tcp => Framing::Lines,
        }
    }

    /// How to ask the server for its time, by a ping of the native protocol; `None` if it does not tell.
    pub fn clock(self) -> Option<Speech> {
        match self {
            Speech::Native | Speech::Sse => Some(Speech::Native),
            Speech::Tcp => Some(Speech::Tcp),
            // What these peers send is stamped by a process of ours, by the clock that we read; and how Socket.IO is spoken
            // does not say by whom.
            Speech::SocketIo | Speech::Nats | Speech::Nchan | Speech::NchanSse => None,
        }
    }

    /// Our side of what is said on one connection.
    pub fn talk(self, subscription: &Subscription) -> Talk {
        match self {
            Speech::Native | Speech::Sse | Speech::Tcp => Talk::Native(native::Talk::new(subscription)),
            Speech::SocketIo => Talk::SocketIo(socketio::Talk::new(subscription)),
            Speech::Nats => Talk::Nats(nats::Talk::new(subscription)),
            Speech::Nchan | Speech::NchanSse => Talk::Nchan,
        }
    }
}

/// Our side of what is said on one connection, from the handshake on. Pings and pongs of the WebSocket itself are not its
/// business.
#[derive(Debug)]
pub enum Talk {
    /// The native protocol.
    Native(native::Talk),
    /// The native protocol inside Socket.IO.
    SocketIo(socketio::Talk),
    /// NATS.
    Nats(nats::Talk),
    /// nchan, where nothing is said beyond the handshake.
    Nchan,
}

impl Talk {
    /// Appends what is to be sent as soon as the handshake is done.
    pub fn begin(&mut self, framing: Framing, out: &mut Vec<u8>) {
        match self {
            Talk::Native(talk) => talk.begin(framing, out),
            Talk::Nats(talk) => talk.begin(out),
            Talk::Nchan | Talk::SocketIo(_) => {}
        }
    }

    /// Takes a message that arrived whole. Each one of market data that ends in it goes to `heard`; what is to be answered is
    /// appended to `out`, framed.
    ///
    /// # Errors
    /// If the server refuses what it was asked for, with its words.
    #[inline]
    pub fn take(
        &mut self,
        message: &[u8],
        out: &mut Vec<u8>,
        mut heard: impl FnMut(&[u8]),
    ) -> anyhow::Result<()> {
        match self {
            Talk::Native(talk) => talk.take(message, &mut heard),
            Talk::SocketIo(talk) => talk.take(message, out, &mut heard),
            Talk::Nats(talk) => talk.take(message, out, &mut heard),
            Talk::Nchan => {
                heard(message);
                Ok(())
            }
        }
    }

    /// Appends a request about these topics to a server that speaks the native protocol.
    pub fn ask(&self, method: &str, subscription: &Subscription, framing: Framing, out: &mut Vec<u8>) {
        let text = match self {
            Talk::SocketIo(_) => socketio::request(method, subscription),
            _ => native::request(method, subscription),
        };
        framing.push(out, &text);
    }

    /// Whether all subscriptions stand: from now on market data is on its way.
    pub fn is_ready(&self) -> bool {
        match self {
            Talk::Native(talk) => talk.is_ready(),
            Talk::SocketIo(talk) => talk.is_ready(),
            Talk::Nats(talk) => talk.is_ready(),
            Talk::Nchan => true,
        }
    }
}
