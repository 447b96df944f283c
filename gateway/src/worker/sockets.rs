//! The sockets of a worker: where its bytes go, and which of them have something to say. Nothing here waits; what a socket
//! does not take is left to the worker.
//!
//! Most are TCP connections; a client of long polling has a mailbox instead, which it empties by requests of its own.
//!
//! They are not the runtime's own: a task, its waker and its registration would take 1 KiB for each connection, most of
//! which never say anything. One set watches all of them, and the runtime watches that set as a single file.

use super::{
    mailbox::{Mailbox, SessionId},
    watched::Watched,
};
use crate::control::{Farewell, Farewells, Seat};
use market::Nanos;
use rustix::{
    buffer::spare_capacity,
    event::{
        Timespec,
        epoll::{self, CreateFlags, EventData, EventFlags},
    },
};
use session::{ConnId, Ending, Outlet};
use socket2::SockRef;
use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    io::{self, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    os::fd::BorrowedFd,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{sync::oneshot::Sender, task::spawn_local};

/// How long a client may take to close its side after all was said, or to fetch the end of it.
const LINGER: Duration = Duration::from_secs(2);
/// Sockets that are told of at a time.
const TOLD_AT_ONCE: usize = 1024;
const AT_ONCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };

/// One connection's socket.
struct Socket {
    line: Line,
    peer: SocketAddr,
    /// It did not take all: the worker is told when it takes more.
    blocked: bool,
    _seat: Seat,
}

/// How bytes go to a client and come from it.
enum Line {
    Stream(TcpStream),
    Mailbox(Mailbox),
}

/// A socket that has something to do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ready {
    pub(super) conn: ConnId,
    pub(super) readable: bool,
    pub(super) writable: bool,
}

type LastWords = Rc<RefCell<HashMap<SessionId, (Mailbox, Farewell)>>>;

/// The sockets by the numbers of their connections.
pub(crate) struct Sockets {
    places: Vec<Option<Socket>>,
    open: usize,
    /// The connections that have mailboxes.
    sessions: HashMap<SessionId, ConnId>,
    /// Of sessions that have ended: what their clients have not fetched yet.
    last_words: LastWords,
    farewells: Arc<Farewells>,
    /// Sockets of connections that have ended, whose clients have not closed yet.
    lingering: Rc<Cell<usize>>,
    /// Tells each change once (edge-triggered): whoever is told reads until there is nothing.
    set: Watched,
    events: Vec<epoll::Event>,
    /// Lost while being written to; the worker does not know yet.
    broken: Vec<ConnId>,
}

impl Sockets {
    /// No sockets.
    ///
    /// # Errors
    /// If the operating system does not watch files, or this is not a thread of the runtime.
    pub(super) fn new(farewells: Arc<Farewells>) -> io::Result<Sockets> {
        Ok(Sockets {
            places: Vec::new(),
            open: 0,
            sessions: HashMap::new(),
            last_words: LastWords::default(),
            farewells,
            lingering: Rc::default(),
            set: Watched::new(epoll::create(CreateFlags::CLOEXEC)?)?,
            events: Vec::with_capacity(TOLD_AT_ONCE),
            broken: Vec::new(),
        })
    }

    /// Takes the socket of a new connection.
    ///
    /// # Errors
    /// If the operating system does not watch it.
    pub(super) fn insert(
        &mut self,
        conn: ConnId,
        stream: TcpStream,
        peer: SocketAddr,
        seat: Seat,
    ) -> io::Result<()> {
        self.watch(conn, &stream)?;
        self.take_place(conn, Line::Stream(stream), peer, seat);
        Ok(())
    }

    /// Takes a client of long polling.
    pub(super) fn insert_mailbox(&mut self, conn: ConnId, mailbox: Mailbox, peer: SocketAddr, seat: Seat) {
        self.sessions.insert(mailbox.id, conn);
        self.take_place(conn, Line::Mailbox(mailbox), peer, seat);
    }

    fn watch(&self, conn: ConnId, stream: &TcpStream) -> io::Result<()> {
        let changes = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
        Ok(epoll::add(&self.set, stream, EventData::new_u64(conn.0.into()), changes)?)
    }

    fn take_place(&mut self, conn: ConnId, line: Line, peer: SocketAddr, seat: Seat) {
        let place = conn.0 as usize;
        if place >= self.places.len() {
            self.places.resize_with(place + 1, || None);
        }
        self.places[place] = Some(Socket { line, peer, blocked: false, _seat: seat });
        self.open += 1;
    }

    /// The connection of a session of long polling.
    pub(super) fn of_session(&self, id: SessionId) -> Option<ConnId> {
        self.sessions.get(&id).copied()
    }

    /// The mailbox of a session.
    pub(super) fn mailbox(&mut self, id: SessionId) -> Option<(ConnId, &mut Mailbox)> {
        let conn = self.of_session(id)?;
        match &mut self.places.get_mut(conn.0 as usize)?.as_mut()?.line {
            Line::Mailbox(mailbox) => Some((conn, mailbox)),
            Line::Stream(_) => None,
        }
    }

    /// Answers a client whose session has ended with what it has not fetched of it; nobody, if there is nothing.
    pub(super) fn fetch_last_words(&mut self, id: SessionId, answer: Sender<Vec<u8>>, now: Nanos) {
        let mut last_words = self.last_words.borrow_mut();
        let Some((mailbox, _)) = last_words.get_mut(&id) else { return };
        mailbox.fetch(answer, now).expect("nobody waits where there is something to be fetched");
        if !mailbox.has_packets() {
            last_words.remove(&id);
        }
    }

    /// A session goes on over a TCP connection. Its connection, and what its client did not fetch, which may end within a frame.
    ///
    /// # Errors
    /// If the operating system does not watch the socket; the session stays as it was.
    pub(super) fn replace_mailbox(
        &mut self,
        id: SessionId,
        stream: TcpStream,
    ) -> io::Result<Option<(ConnId, Vec<u8>)>> {
        let Some(conn) = self.of_session(id) else { return Ok(None) };
        self.watch(conn, &stream)?;
        self.sessions.remove(&id);
        let Some(socket) = self.places.get_mut(conn.0 as usize).and_then(Option::as_mut) else {
            return Ok(None);
        };
        socket.blocked = false;
        match std::mem::replace(&mut socket.line, Line::Stream(stream)) {
            Line::Mailbox(mailbox) => Ok(Some((conn, mailbox.into_frames()))),
            Line::Stream(_) => Ok(None),
        }
    }

    /// Whether there are none left, those of ended connections included.
    pub(super) fn are_closed(&self) -> bool {
        self.open == 0 && self.lingering.get() == 0
    }

    /// Whether this connection has not ended.
    pub(super) fn holds(&self, conn: ConnId) -> bool {
        self.get(conn).is_some()
    }

    /// Who is at the other end.
    pub(super) fn peer(&self, conn: ConnId) -> Option<SocketAddr> {
        Some(self.get(conn)?.peer)
    }

    /// Ready when sockets have something to do; else wakes the task when they do.
    pub(super) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Sockets { set, events, .. } = self;
        set.poll_read(cx, |set| ask(set, events)).map(|asked| log_error(asked.err()))
    }

    /// Adds the sockets that have something to do. Says whether there may be more.
    pub(super) fn take_ready(&mut self, out: &mut Vec<Ready>) -> bool {
        let told_already = !self.events.is_empty();
        if !told_already {
            log_error(self.set.try_read(|set| ask(set, &mut self.events)).err());
        }
        let more = told_already || self.events.len() == TOLD_AT_ONCE;
        out.extend(self.events.drain(..).map(|epoll::Event { flags, data }| Ready {
            conn: ConnId(data.u64() as u32),
            // The end of the stream and errors are found by reading.
            readable: flags != EventFlags::OUT,
            writable: flags.contains(EventFlags::OUT),
        }));
        more
    }

    /// A socket takes bytes again. Whether it was waited for.
    pub(super) fn unblock(&mut self, conn: ConnId) -> bool {
        let socket = self.places.get_mut(conn.0 as usize).and_then(Option::as_mut);
        socket.is_some_and(|socket| std::mem::take(&mut socket.blocked))
    }

    /// Reads what is there; zero bytes at the end of the stream.
    pub(super) fn read(&mut self, conn: ConnId, bytes: &mut [u8]) -> io::Result<usize> {
        match self.get(conn).map(|socket| &socket.line) {
            Some(Line::Stream(stream)) => { stream }.read(bytes),
            Some(Line::Mailbox(_)) => Err(io::ErrorKind::WouldBlock.into()),
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// A connection that was lost while it was written to, once.
    pub(super) fn take_broken(&mut self) -> Option<ConnId> {
        self.broken.pop()
    }

    /// The connection is lost: there is nothing to be said any more.
    pub(super) fn forget(&mut self, conn: ConnId) {
        self.end(conn, Ending::Reset);
    }

    fn get(&self, conn: ConnId) -> Option<&Socket> {
        self.places.get(conn.0 as usize)?.as_ref()
    }
}

impl Outlet for Sockets {
    fn write(&mut self, conn: ConnId, bytes: &[u8]) -> usize {
        let Some(socket) = self.places.get_mut(conn.0 as usize).and_then(Option::as_mut) else { return 0 };
        let written = match &mut socket.line {
            Line::Stream(stream) => stream.write(bytes),
            Line::Mailbox(mailbox) => Ok(mailbox.put(bytes)),
        };
        let taken = match written {
            Ok(taken) => taken,
            Err(error) => {
                if !is_temporary(&error) {
                    self.broken.push(conn);
                }
                0
            }
        };
        socket.blocked = taken < bytes.len();
        taken
    }

    fn end(&mut self, conn: ConnId, ending: Ending) {
        let Some(socket) = self.places.get_mut(conn.0 as usize).and_then(Option::take) else { return };
        self.open -= 1;
        match socket.line {
            Line::Stream(stream) => {
                // Closing a socket does this too, but it may live on for a moment.
                let _ = epoll::delete(&self.set, &stream);
                match ending {
                    Ending::Finished => close(stream, Rc::clone(&self.lingering)),
                    Ending::Reset => reset(&stream, socket.peer),
                }
            }
            Line::Mailbox(mailbox) => {
                self.sessions.remove(&mailbox.id);
                if ending == Ending::Finished && mailbox.has_packets() {
                    keep(mailbox, Rc::clone(&self.last_words), self.farewells.begin());
                }
            }
        }
    }
}

/// Closes in good order: says that nothing more will come, then waits a moment for the client to do the same, as a close with
/// unread bytes would destroy what is still on its way.
fn close(stream: TcpStream, lingering: Rc<Cell<usize>>) {
    if SockRef::from(&stream).shutdown(Shutdown::Write).is_err() {
        return;
    }
    lingering.set(lingering.get() + 1);
    spawn_local(async move {
        // Whoever does not close in time is closed.
        let _ = tokio::time::timeout(LINGER, read_to_end(stream)).await;
        lingering.set(lingering.get() - 1);
    });
}

/// Keeps a moment what the client of a session that has ended has not fetched yet.
fn keep(mailbox: Mailbox, last_words: LastWords, farewell: Farewell) {
    let id = mailbox.id;
    last_words.borrow_mut().insert(id, (mailbox, farewell));
    spawn_local(async move {
        tokio::time::sleep(LINGER).await;
        last_words.borrow_mut().remove(&id);
    });
}

async fn read_to_end(stream: TcpStream) -> io::Result<()> {
    let stream = tokio::net::TcpStream::from_std(stream)?;
    loop {
        stream.readable().await?;
        match stream.try_read(&mut [0; 1024]) {
            Ok(0) => return Ok(()),
            Err(error) if !is_temporary(&error) => return Err(error),
            _ => {}
        }
    }
}

/// Closes at once: what was not sent is thrown away.
fn reset(stream: &TcpStream, peer: SocketAddr) {
    if let Err(error) = SockRef::from(stream).set_linger(Some(Duration::ZERO)) {
        tracing::debug!(%peer, %error, "a connection is closed and not reset");
    }
}

/// Asks which sockets have something to do; `WouldBlock` if none has.
fn ask(set: BorrowedFd<'_>, events: &mut Vec<epoll::Event>) -> io::Result<()> {
    match epoll::wait(set, spare_capacity(events), Some(&AT_ONCE)) {
        Ok(0) => Err(io::ErrorKind::WouldBlock.into()),
        told => Ok(told.map(drop)?),
    }
}

fn log_error(error: Option<io::Error>) {
    // If a signal came in between, who is not told now is told the next time.
    if let Some(error) = error.filter(|error| !is_temporary(error)) {
        tracing::error!(%error, "cannot ask which sockets are ready");
    }
}

/// Whether to try again later.
pub(super) fn is_temporary(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
