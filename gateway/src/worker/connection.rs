//! How a connection comes to a worker once its handshake is done.

use super::Shared;
use crate::control::Seat;
use market::clock;
use session::OpenOptions;
use std::{net::SocketAddr, rc::Rc};
use tokio::net::TcpStream;

/// A connection whose handshake is done.
pub(crate) struct Opening {
    pub(crate) stream: TcpStream,
    pub(crate) peer: SocketAddr,
    pub(crate) seat: Seat,
    pub(crate) options: OpenOptions,
    /// What the client sent behind its handshake, without waiting for the answer.
    pub(crate) early: Vec<u8>,
}

impl Opening {
    /// Hands the connection to the worker, which serves it until it ends.
    pub(crate) fn begin(mut self, shared: &Rc<Shared>) {
        // From here on its socket is watched by the worker and not by the runtime.
        let opened = self.stream.into_std().and_then(|stream| {
            shared.with(|engine| {
                let conn = engine.open(stream, self.peer, self.seat, &self.options, clock::now())?;
                engine.input(conn, &mut self.early);
                Ok(())
            })
        });
        if let Err(error) = opened {
            tracing::warn!(peer = %self.peer, %error, "a new connection is lost");
        }
        shared.wake();
    }
}
