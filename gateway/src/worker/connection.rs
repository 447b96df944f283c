//! How a connection comes to a worker once its transport stands.

use super::Shared;
use crate::control::Seat;
use market::clock;
use session::{OpenOptions, OpenStreams};
use std::{
    net::{SocketAddr, TcpStream},
    rc::Rc,
};
use wire::message::Subscribe;

/// What a client asked for with the request that became its connection.
pub(crate) struct Terms {
    pub(crate) options: OpenOptions,
    /// What is said before anything else, as its transport begins.
    pub(crate) greeting: Vec<u8>,
    /// What it subscribed to thereby.
    pub(crate) wanted: Wanted,
}

/// Subscriptions, in the words of one dialect.
pub(crate) enum Wanted {
    Topics(Vec<Subscribe>),
    Streams(OpenStreams),
}

impl Wanted {
    pub(super) fn is_nothing(&self) -> bool {
        match self {
            Wanted::Topics(subscribe) => subscribe.is_empty(),
            Wanted::Streams(streams) => streams.names.is_empty() && streams.faults.is_empty(),
        }
    }
}

impl From<OpenOptions> for Terms {
    /// Nothing beyond how it wants its connection.
    fn from(options: OpenOptions) -> Terms {
        Terms { options, greeting: Vec::new(), wanted: Wanted::Topics(Vec::new()) }
    }
}

/// A connection whose transport stands.
pub(crate) struct Opening {
    pub(crate) stream: TcpStream,
    pub(crate) peer: SocketAddr,
    pub(crate) seat: Seat,
    pub(crate) terms: Terms,
    /// What the client sent behind its handshake, without waiting for the answer.
    pub(crate) early: Vec<u8>,
}

impl Opening {
    /// Hands the connection to the worker, which serves it until it ends.
    pub(crate) fn begin(self, shared: &Rc<Shared>) {
        let Opening { stream, peer, seat, terms, mut early } = self;
        let Terms { options, greeting, wanted } = terms;
        let opened = shared.with(|engine| {
            let conn = engine.open(stream, peer, seat, &options, clock::now())?;
            engine.worker.greet(conn, |out| out.extend_from_slice(&greeting));
            engine.subscribe(conn, wanted);
            engine.input(conn, &mut early);
            std::io::Result::Ok(())
        });
        if let Err(error) = opened {
            tracing::warn!(%peer, %error, "a new connection is lost");
        }
        shared.wake();
    }
}
