//! The worker's turn with everything around it: the ring it reads, the books it asks for, the sockets it writes to.

use super::{
    connection::Wanted,
    mailbox::{Mailbox, Overlap, SessionId},
    pacing::Pacing,
    polls::Polls,
    sockets::{Ready, Sockets, is_temporary},
};
use crate::{
    archive::no_recording,
    control::{Control, Seat},
    feeder::Feeder,
    images::Images,
};
use feed::FeedError;
use ingest::BookRequests;
use market::{Event, Kind, Nanos, clock};
use rings::broadcast::{Polled, Reader};
use session::{ConnId, OpenOptions, ReplayEnd, ReplayId, ReplayWish, SubscriberInfo, Worker};
use std::{
    io,
    mem::take,
    net::{SocketAddr, TcpStream},
    ops::Range,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll},
    time::Duration,
};
use tokio::sync::{Notify, oneshot};
use wire::message::{ErrorCode, Refusal};

/// Events in one turn: then the sockets have their go.
const TURN_EVENTS: usize = 8_192;
/// Bytes read from a socket at a time.
const INBOUND: usize = 64 << 10;
/// Reads of one socket in one turn: then the others have their go.
const TURN_READS: usize = 4;
/// Of a socket's send buffer, as much as a mailbox holds: one part in so many.
const MAILBOX_PART: usize = 4;
/// Ingest had too much to do: ask again after this.
const ASK_AGAIN: Duration = Duration::from_millis(1);

/// When clients come back after a shutdown: spread, so that they do not come all at once.
const RETRY_AFTER_MS: Range<u64> = 500..5_000;

/// One worker's state.
pub(crate) struct Engine {
    pub(crate) worker: Worker,
    reader: Reader<{ Event::WORDS }>,
    images: Images,
    sockets: Sockets,
    polls: Polls,
    feeder: Option<(Feeder, oneshot::Sender<FeedError>)>,
    control: Arc<Control>,
    index: usize,
    pacing: Pacing,
    /// Where bytes from sockets are read to.
    inbound: Vec<u8>,
    /// Sockets that have something to do.
    ready: Vec<Ready>,
}

/// What a turn found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turn {
    /// There may be more at once.
    pub(super) busy: bool,
    /// When the next turn is due, if nothing happens before.
    pub(super) until: Option<Nanos>,
}

impl Engine {
    pub(super) fn new(
        control: Arc<Control>,
        index: usize,
        reader: Reader<{ Event::WORDS }>,
        requests: BookRequests,
        wake: Arc<Notify>,
        feeder: Option<(Feeder, oneshot::Sender<FeedError>)>,
    ) -> io::Result<Engine> {
        let limits = control.config.limits();
        Ok(Engine {
            worker: Worker::new(limits, control.instruments(), control.first_ids, clock::now),
            reader,
            images: Images::new(requests, wake),
            sockets: Sockets::new(Arc::clone(&control.farewells))?,
            polls: Polls::default(),
            feeder,
            control,
            index,
            pacing: Pacing::default(),
            inbound: vec![0; INBOUND],
            ready: Vec::new(),
        })
    }

    /// One bounded turn: what clients said, source and ingest if they are part of this worker, then the ring, then what
    /// clients are sent.
    pub(super) fn turn(&mut self) -> Turn {
        let heard = self.serve_sockets();
        self.pacing.look(&self.control, &mut self.worker);
        let (fed, feed_until) = self.feed();
        let read = self.read_ring();
        let now = clock::now();
        self.worker.flush(now, &mut self.sockets, clock::now);
        // Behind what is urgent.
        self.polls.serve(self.worker.publisher_mut(), now);
        self.worker.timers(now, &mut self.sockets);
        self.pass_on_wishes();
        let ask_again = self.images.is_wanting().then_some(now + ASK_AGAIN);
        let deadlines = [self.worker.next_deadline(), feed_until, ask_again, self.pacing.until()];
        Turn { busy: heard || fed || read > 0, until: deadlines.into_iter().flatten().min() }
    }

    /// Has those who play recordings do what clients wish.
    fn pass_on_wishes(&mut self) {
        for wish in self.worker.take_wishes() {
            match (&self.control.replays, wish) {
                (Some(replays), ReplayWish::Begin(order)) if !replays.has_room() => {
                    let text =
                        "the gateway plays as many replays as it may; come back when others have ended";
                    self.worker.refuse_replay(&order, &Refusal::new(ErrorCode::RateLimited, text));
                }
                (Some(replays), wish) => replays.fulfil(self.index, wish),
                (None, ReplayWish::Begin(order)) => self.worker.refuse_replay(&order, &no_recording()),
                // There is none that could be meant.
                (None, _) => {}
            }
        }
    }

    /// Takes what is played to a client.
    pub(crate) fn replayed(&mut self, conn: ConnId, id: ReplayId, messages: Vec<u8>, end: Option<ReplayEnd>) {
        if matches!(end, Some(ReplayEnd::Live(_))) {
            // What it has played is in the ring: nothing of it may be unknown here when it goes on live.
            self.catch_up();
        }
        self.worker.replayed(conn, id, messages, end, clock::now(), &mut self.sockets);
        self.pass_on_wishes();
    }

    /// Whether clients were sent all that was in the ring before `head`, as far as it concerns them.
    pub(crate) fn is_settled(&self, head: u64) -> bool {
        self.reader.position() >= head && self.worker.is_settled()
    }

    /// Whether the ring has something that no turn has read.
    pub(super) fn has_news(&self) -> bool {
        !self.reader.is_empty() && self.pacing.until().is_none()
    }

    /// Polls the source, when all that it said before is read: a worker that has enough to do takes no more.
    fn feed(&mut self) -> (bool, Option<Nanos>) {
        let Some((feeder, _)) = &mut self.feeder else { return (false, None) };
        if self.pacing.until().is_some() {
            feeder.rest(clock::now());
            return (false, None);
        }
        if !self.reader.is_empty() {
            return (true, None);
        }
        match feeder.turn(clock::now()) {
            Ok(fed) => (fed.busy, Some(fed.until)),
            Err(error) => {
                if let Some((_, failed)) = self.feeder.take() {
                    // Nobody is interested while the gateway ends.
                    let _ = failed.send(error);
                }
                (true, None)
            }
        }
    }

    /// Reads the ring up to the head that is seen now, as far as a turn may. Returns how many events.
    ///
    /// Images that were taken before that head are installed first. So none that comes later lies before what is read
    /// here, and no event falls between an image and what follows it.
    fn read_ring(&mut self) -> usize {
        let head = self.reader.head();
        self.install_images();
        let now = clock::now();
        let chunk = self.pacing.chunk(&self.control);
        let mut read = 0;
        while read < TURN_EVENTS
            && self.reader.position() < head
            && !self.pacing.is_full(&self.control, &self.worker)
        {
            let limit = (head - self.reader.position()).min(chunk) as usize;
            let (worker, control) = (&mut self.worker, &self.control);
            match self.reader.poll(limit, |position, words| take_event(worker, control, position, words, now))
            {
                Polled::Read(count) => read += count,
                Polled::Empty => break,
                Polled::Lagged { missed } => {
                    tracing::warn!(worker = self.index, missed, "lapped by the ring; asking for all books");
                    self.images.want(self.worker.lapped());
                }
            }
        }
        if self.images.ask() {
            self.control.wake_feed();
        }
        self.control.desks[self.index].set_position(self.reader.position());
        read
    }

    fn install_images(&mut self) {
        let now = clock::now();
        while let Some(image) = self.images.next(self.reader.position()) {
            self.worker.install(&image, now);
        }
    }

    /// Reads the ring up to its present head, in as many turns as it takes: nothing that a client may know by now is
    /// unknown here afterwards. Where `lossless` clients are waited for, what is asked is answered as of where this worker stands.
    pub(crate) fn catch_up(&mut self) {
        let head = self.reader.head();
        while self.reader.position() < head {
            self.pacing.look(&self.control, &mut self.worker);
            let read = self.read_ring();
            // A large image may leave no room for events in the turn that installs it.
            let goes_on = read > 0 || self.worker.wants_flush();
            self.worker.flush(clock::now(), &mut self.sockets, clock::now);
            if !goes_on {
                return;
            }
        }
    }

    /// Answers a poll now, or once there is something to say; never if the gateway ends before.
    pub(crate) fn poll(&mut self, poll: session::Poll, now: Nanos) -> oneshot::Receiver<Vec<u8>> {
        self.catch_up();
        self.resume_feed();
        self.polls.ask(poll, self.worker.publisher_mut(), now)
    }

    /// Whether the last socket of the last connection is closed.
    pub(super) fn sockets_are_closed(&self) -> bool {
        self.sockets.are_closed()
    }

    /// Ready when sockets have something to do; else wakes the task when they do.
    pub(super) fn poll_sockets(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.sockets.poll_ready(cx)
    }

    /// Takes a connection whose handshake is done.
    ///
    /// # Errors
    /// If its socket cannot be watched.
    pub(super) fn open(
        &mut self,
        stream: TcpStream,
        peer: SocketAddr,
        seat: Seat,
        options: &OpenOptions,
        now: Nanos,
    ) -> io::Result<ConnId> {
        let conn = self.worker.open(now, options);
        self.sockets.insert(conn, stream, peer, seat).inspect_err(|_| self.worker.gone(conn))?;
        Ok(conn)
    }

    /// Begins a session of Engine.IO's long polling.
    pub(crate) fn open_session(&mut self, peer: SocketAddr, seat: Seat, options: &OpenOptions) -> SessionId {
        let now = clock::now();
        let conn = self.worker.open(now, options);
        let id = SessionId::new(self.index);
        let room = self.control.config.send_buffer / MAILBOX_PART;
        self.sockets.insert_mailbox(conn, Mailbox::new(id, room, now), peer, seat);
        id
    }

    /// Whether there is such a session of long polling.
    pub(crate) fn has_session(&self, id: SessionId) -> bool {
        self.sockets.of_session(id).is_some()
    }

    /// Gives the client of a session what waits for it, or what comes next; nobody gets anything if there is no such session.
    pub(crate) fn fetch(&mut self, id: SessionId, answer: oneshot::Sender<Vec<u8>>) {
        let now = clock::now();
        let Some((conn, mailbox)) = self.sockets.mailbox(id) else {
            return self.sockets.fetch_last_words(id, answer, now);
        };
        match mailbox.fetch(answer, now) {
            Ok(()) if self.sockets.unblock(conn) => self.worker.writable(conn, now, &mut self.sockets),
            Ok(()) => {}
            Err(Overlap) => self.lose(conn),
        }
    }

    /// Takes packets from the client of a session. Whether there is one.
    pub(crate) fn take_packets(&mut self, id: SessionId, packets: &str) -> bool {
        self.catch_up();
        let now = clock::now();
        let Some((conn, mailbox)) = self.sockets.mailbox(id) else { return false };
        let fetched = mailbox.fetched_at(now);
        self.worker.packets(conn, packets, fetched, now, &mut self.sockets);
        self.release_hold();
        true
    }

    /// The client of a session is about to go on over a WebSocket. Whether there is such a session.
    pub(crate) fn prepare_move(&mut self, id: SessionId) -> bool {
        self.sockets.mailbox(id).map(|(_, mailbox)| mailbox.leave()).is_some()
    }

    /// The client of a session does not go on over a WebSocket after all.
    pub(crate) fn end_move(&mut self, id: SessionId) {
        if let Some((_, mailbox)) = self.sockets.mailbox(id) {
            mailbox.stay();
        }
    }

    /// The client of a session goes on over this socket, from which `early` was read already.
    pub(crate) fn move_session(&mut self, id: SessionId, stream: TcpStream, mut early: Vec<u8>) {
        match self.sockets.replace_mailbox(id, stream) {
            Ok(Some((conn, unsent))) => {
                self.worker.go_on(conn, &unsent, clock::now(), &mut self.sockets);
                self.input(conn, &mut early);
            }
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(%error, "a session cannot go on over its WebSocket");
                self.end_move(id);
            }
        }
    }

    /// Lets the sockets that have something to do have their go. Whether there may be more at once.
    fn serve_sockets(&mut self) -> bool {
        let mut ready = take(&mut self.ready);
        let more = self.sockets.take_ready(&mut ready);
        for Ready { conn, readable, writable } in ready.drain(..) {
            if writable && self.sockets.unblock(conn) {
                self.worker.writable(conn, clock::now(), &mut self.sockets);
            }
            if readable {
                self.receive(conn);
            }
        }
        // Those that had more to say than a turn takes.
        ready.append(&mut self.ready);
        self.ready = ready;
        while let Some(conn) = self.sockets.take_broken() {
            self.lose(conn);
        }
        more || !self.ready.is_empty()
    }

    /// Reads what has come from a client: until there is nothing, as nobody says again that there is something.
    fn receive(&mut self, conn: ConnId) {
        let mut inbound = take(&mut self.inbound);
        let mut reads = 0;
        while self.receive_once(conn, &mut inbound) {
            reads += 1;
            if reads == TURN_READS {
                self.ready.push(Ready { conn, readable: true, writable: false });
                break;
            }
        }
        self.inbound = inbound;
    }

    /// Reads once; whether there may be more.
    fn receive_once(&mut self, conn: ConnId, inbound: &mut [u8]) -> bool {
        match self.sockets.read(conn, inbound) {
            Ok(0) => self.worker.input_ended(conn, clock::now(), &mut self.sockets),
            Ok(count) => {
                self.input(conn, &mut inbound[..count]);
                return true;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return true,
            Err(error) if is_temporary(&error) => {}
            Err(_) => self.lose(conn),
        }
        false
    }

    /// Subscribes a client to what it asked for with its connection.
    pub(super) fn subscribe(&mut self, conn: ConnId, wanted: Wanted) {
        if wanted.is_nothing() {
            return;
        }
        self.catch_up();
        match wanted {
            Wanted::Topics(subscribe) => {
                for subscribe in subscribe {
                    self.worker.subscribe_at_once(conn, subscribe, clock::now());
                }
            }
            Wanted::Streams(streams) => self.worker.open_streams(conn, &streams),
        }
        self.release_hold();
    }

    /// Takes bytes of a client.
    pub(super) fn input(&mut self, conn: ConnId, bytes: &mut [u8]) {
        self.catch_up();
        // It may have ended in one of the turns.
        if !bytes.is_empty() && self.sockets.holds(conn) {
            self.worker.input(conn, bytes, clock::now(), &mut self.sockets);
            self.release_hold();
        }
    }

    /// The first subscription lets a held feed go.
    fn release_hold(&self) {
        if self.control.config.hold && self.worker.subscriptions() > 0 {
            self.resume_feed();
        }
    }

    /// Lets a held feed go.
    pub(crate) fn resume_feed(&self) {
        let control = &self.control;
        let is_held = control.is_held.load(Ordering::Acquire);
        if control.config.hold && !is_held && control.hold.is_paused() {
            control.hold.resume();
            control.wake_feed();
        }
    }

    /// The connection is lost.
    fn lose(&mut self, conn: ConnId) {
        if self.sockets.holds(conn) {
            self.worker.gone(conn);
            self.sockets.forget(conn);
        }
    }

    /// Announces the end to every client and closes its connection.
    pub(super) fn shut_down(&mut self, now: Nanos, reason: &str) {
        let retry_after = || Duration::from_millis(rand::random_range(RETRY_AFTER_MS));
        self.polls.dismiss();
        self.worker.shut_down(now, reason, retry_after, &mut self.sockets);
    }

    /// Every client with its address.
    pub(crate) fn subscribers(&self) -> Vec<(SocketAddr, SubscriberInfo)> {
        let with_address = |info: SubscriberInfo| Some((self.sockets.peer(info.conn)?, info));
        self.worker.subscribers().filter_map(with_address).collect()
    }
}

fn take_event(
    worker: &mut Worker,
    control: &Control,
    position: u64,
    words: &[u64; Event::WORDS],
    now: Nanos,
) {
    let Some(event) = Event::unpack(words) else {
        panic!("slot {position} of the event ring holds no event: this is a defect of the gateway");
    };
    if event.kind == Kind::Listing {
        worker.set_instruments(control.instruments());
    }
    worker.event(position, &event, now);
}
