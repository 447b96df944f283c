//! How a server speaks: on which path a connection is opened, what is sent on it to subscribe, and how the frames that
//! arrive are split into messages of market data.
//!
//! Whatever the envelope, a message of market data is the text that the native protocol has for it, so that all servers
//! carry the same bytes and [`super::message`] reads them all. A further speech is a file beside [`native`], a variant of
//! [`Speech`] and one of [`Talk`]. Nothing here reads a socket, a clock, or a message of market data.

mod native;
mod nats;
mod nchan;
mod socketio;

/// How a server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Speech {
    /// The native protocol of depthcast: JSON over WebSocket.
    Native,
    /// The NATS protocol, as bytes in binary frames.
    Nats,
    /// nchan: the path names the topics, and each text frame is a message.
    Nchan,
    /// Socket.IO 4 over WebSocket alone.
    #[value(name = "socket.io")]
    SocketIo,
}

/// What one connection subscribes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Its symbols, such as `BTC/USDT`; not none.
    pub topics: Vec<String>,
    /// How it wants them, where the server offers a choice.
    pub terms: Terms,
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
    /// Path and query of the handshake.
    pub fn path(self, subscription: &Subscription) -> String {
        match self {
            Speech::Native => native::PATH.into(),
            Speech::Nats => nats::PATH.into(),
            Speech::Nchan => nchan::path(subscription),
            Speech::SocketIo => socketio::PATH.into(),
        }
    }

    /// The path on which the server tells its time in answer to a ping of the native protocol, if it does.
    pub fn clock_path(self) -> Option<&'static str> {
        match self {
            Speech::Native => Some(native::PATH),
            // What they send is stamped by a process of ours, by the clock that we read.
            Speech::Nats | Speech::Nchan | Speech::SocketIo => None,
        }
    }

    /// Our side of what is said on one connection.
    pub fn talk(self, subscription: &Subscription) -> Talk {
        match self {
            Speech::Native => Talk::Native(native::Talk::new(subscription)),
            Speech::Nats => Talk::Nats(nats::Talk::new(subscription)),
            Speech::Nchan => Talk::Nchan,
            Speech::SocketIo => Talk::SocketIo(socketio::Talk::new(subscription)),
        }
    }
}

/// Our side of what is said on one connection, from the handshake on. Pings and pongs of the WebSocket itself are not its
/// business.
#[derive(Debug)]
pub enum Talk {
    /// The native protocol.
    Native(native::Talk),
    /// NATS.
    Nats(nats::Talk),
    /// nchan, where nothing is said beyond the handshake.
    Nchan,
    /// Socket.IO.
    SocketIo(socketio::Talk),
}

impl Talk {
    /// Appends what is to be sent as soon as the handshake is done.
    pub fn begin(&mut self, out: &mut Vec<u8>) {
        match self {
            Talk::Native(talk) => talk.begin(out),
            Talk::Nats(talk) => talk.begin(out),
            Talk::Nchan | Talk::SocketIo(_) => {}
        }
    }

    /// Takes a text or binary frame that arrived whole. Each message of market data that ends in it goes to `heard`; what is
    /// to be answered is appended to `out`, framed.
    ///
    /// # Errors
    /// If the server refuses what it was asked for, with its words.
    #[inline]
    pub fn take(
        &mut self,
        payload: &[u8],
        out: &mut Vec<u8>,
        mut heard: impl FnMut(&[u8]),
    ) -> anyhow::Result<()> {
        match self {
            Talk::Native(talk) => talk.take(payload, &mut heard),
            Talk::Nats(talk) => talk.take(payload, out, &mut heard),
            Talk::Nchan => {
                heard(payload);
                Ok(())
            }
            Talk::SocketIo(talk) => talk.take(payload, out, &mut heard),
        }
    }

    /// Whether all subscriptions stand: from now on market data is on its way.
    pub fn is_ready(&self) -> bool {
        match self {
            Talk::Native(talk) => talk.is_ready(),
            Talk::Nats(talk) => talk.is_ready(),
            Talk::Nchan => true,
            Talk::SocketIo(talk) => talk.is_ready(),
        }
    }
}
