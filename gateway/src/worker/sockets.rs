//! The sockets of a worker: where its bytes go. Nothing here waits; what a socket does not take is left to the worker.

use crate::control::Seat;
use session::{ConnId, Ending, Outlet};
use socket2::SockRef;
use std::{
    cell::Cell,
    io,
    net::{Shutdown, SocketAddr},
    rc::Rc,
    task::{Context, Poll, Waker},
    time::Duration,
};
use tokio::net::TcpStream;

/// How long a client may take to close its side after all was said.
const LINGER: Duration = Duration::from_secs(2);

/// One connection's socket.
pub(crate) struct Socket {
    stream: TcpStream,
    pub(super) conn: ConnId,
    pub(super) peer: SocketAddr,
    state: Cell<State>,
    /// The connection's task, while it waits.
    task: Cell<Option<Waker>>,
    _seat: Seat,
}

#[derive(Clone, Copy)]
enum State {
    Open,
    /// It did not take all: the worker is told when it takes more.
    Blocked,
    /// The connection is lost, and the worker does not know yet.
    Broken,
    /// The worker has forgotten it.
    Over(Ending),
}

/// What a connection's task is woken for.
pub(super) enum Woken {
    Readable,
    Writable,
    Broken,
    Over(Ending),
}

impl Socket {
    pub(super) fn new(stream: TcpStream, conn: ConnId, peer: SocketAddr, seat: Seat) -> Socket {
        Socket { stream, conn, peer, state: Cell::new(State::Open), task: Cell::default(), _seat: seat }
    }

    /// What there is to do for this connection. Only its own task asks.
    pub(super) fn poll(&self, cx: &mut Context<'_>) -> Poll<Woken> {
        match self.state.get() {
            State::Over(ending) => return Poll::Ready(Woken::Over(ending)),
            State::Broken => return Poll::Ready(Woken::Broken),
            State::Blocked if self.stream.poll_write_ready(cx).is_ready() => {
                self.state.set(State::Open);
                return Poll::Ready(Woken::Writable);
            }
            State::Blocked | State::Open => {}
        }
        if self.stream.poll_read_ready(cx).is_ready() {
            return Poll::Ready(Woken::Readable);
        }
        self.task.set(Some(cx.waker().clone()));
        Poll::Pending
    }

    /// Reads what is there; zero bytes at the end of the stream.
    pub(super) fn read(&self, bytes: &mut [u8]) -> io::Result<usize> {
        self.stream.try_read(bytes)
    }

    fn write(&self, bytes: &[u8]) -> usize {
        let (taken, state) = match self.stream.try_write(bytes) {
            Ok(taken) if taken == bytes.len() => return taken,
            Ok(taken) => (taken, State::Blocked),
            Err(error) if is_temporary(&error) => (0, State::Blocked),
            Err(_) => (0, State::Broken),
        };
        self.turn_to(state);
        taken
    }

    /// Changes the state, and lets the connection's task know.
    fn turn_to(&self, state: State) {
        self.state.set(state);
        if let Some(task) = self.task.take() {
            task.wake();
        }
    }

    /// Closes in good order: says that nothing more will come, then waits a moment for the client to do the same, as a
    /// close with unread bytes would destroy what is still on its way.
    pub(super) async fn close(&self) {
        if SockRef::from(&self.stream).shutdown(Shutdown::Write).is_ok() {
            // Whoever does not close in time is closed.
            let _ = tokio::time::timeout(LINGER, self.read_to_end()).await;
        }
    }

    async fn read_to_end(&self) {
        while self.stream.readable().await.is_ok() {
            match self.stream.try_read(&mut [0; 1024]) {
                Ok(0) => return,
                Err(error) if !is_temporary(&error) => return,
                _ => {}
            }
        }
    }

    /// Closes at once: what was not sent is thrown away.
    pub(super) fn reset(&self) {
        if let Err(error) = SockRef::from(&self.stream).set_linger(Some(Duration::ZERO)) {
            tracing::debug!(peer = %self.peer, %error, "a connection is closed and not reset");
        }
    }
}

/// Whether to try again later.
pub(super) fn is_temporary(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

/// The sockets by the numbers of their connections.
#[derive(Default)]
pub(crate) struct Sockets {
    places: Vec<Option<Rc<Socket>>>,
}

impl Sockets {
    pub(super) fn insert(&mut self, socket: Rc<Socket>) {
        let place = socket.conn.0 as usize;
        if place >= self.places.len() {
            self.places.resize(place + 1, None);
        }
        self.places[place] = Some(socket);
    }

    pub(super) fn get(&self, conn: ConnId) -> Option<&Rc<Socket>> {
        self.places.get(conn.0 as usize)?.as_ref()
    }

    /// The connection is lost: there is nothing to be said any more.
    pub(super) fn forget(&mut self, conn: ConnId) {
        self.end(conn, Ending::Reset);
    }

    /// Whether this socket still has its connection: numbers are used again.
    pub(super) fn holds(&self, socket: &Rc<Socket>) -> bool {
        self.get(socket.conn).is_some_and(|held| Rc::ptr_eq(held, socket))
    }
}

impl Outlet for Sockets {
    fn write(&mut self, conn: ConnId, bytes: &[u8]) -> usize {
        self.get(conn).map_or(0, |socket| socket.write(bytes))
    }

    fn end(&mut self, conn: ConnId, ending: Ending) {
        if let Some(socket) = self.places.get_mut(conn.0 as usize).and_then(Option::take) {
            socket.turn_to(State::Over(ending));
        }
    }
}
