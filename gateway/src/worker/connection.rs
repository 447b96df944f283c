//! One WebSocket connection after its handshake: a task that waits for its socket and tells the worker.

use super::{
    Shared,
    sockets::{Socket, Woken},
};
use crate::control::Seat;
use market::clock;
use session::{Ending, OpenOptions};
use std::{future::poll_fn, net::SocketAddr, rc::Rc};
use tokio::{net::TcpStream, task::spawn_local};

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
    /// Hands the connection to the worker, and serves it until it ends.
    pub(crate) fn begin(mut self, shared: &Rc<Shared>) {
        let socket = shared.with(|engine| {
            let now = clock::now();
            let socket = engine.open(self.stream, self.peer, self.seat, &self.options, now);
            engine.input(&socket, &mut self.early);
            socket
        });
        shared.open_sockets.set(shared.open_sockets.get() + 1);
        spawn_local(serve(Rc::clone(shared), socket));
        shared.wake();
    }
}

async fn serve(shared: Rc<Shared>, socket: Rc<Socket>) {
    let ending = loop {
        match poll_fn(|cx| socket.poll(cx)).await {
            Woken::Readable => shared.with(|engine| engine.receive(&socket)),
            Woken::Writable => shared.with(|engine| engine.writable(&socket)),
            Woken::Broken => shared.with(|engine| engine.lose(&socket)),
            Woken::Over(ending) => break ending,
        }
        shared.wake();
    };
    match ending {
        // Boxed, as it would take room in the task of every connection.
        Ending::Finished => Box::pin(socket.close()).await,
        Ending::Reset => socket.reset(),
    }
    drop(socket);
    shared.open_sockets.set(shared.open_sockets.get() - 1);
    shared.wake();
}
