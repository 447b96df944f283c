//! The worker's turn with everything around it: the ring it reads, the books it asks for, the sockets it writes to.

use super::{
    images::Images,
    sockets::{Socket, Sockets, is_temporary},
};
use crate::{
    control::{Control, Seat},
    feeder::Feeder,
};
use feed::FeedError;
use ingest::BookRequests;
use market::{Event, Kind, Nanos, clock};
use rings::broadcast::{Polled, Reader};
use session::{OpenOptions, SubscriberInfo, Worker};
use std::{mem::take, net::SocketAddr, ops::Range, rc::Rc, sync::Arc, time::Duration};
use tokio::{
    net::TcpStream,
    sync::{Notify, oneshot},
};

/// Events in one turn: then the sockets have their go.
const TURN_EVENTS: usize = 4096;
/// Events between two looks at how full the logs are.
const CHUNK: u64 = 256;
/// Bytes read from a socket at a time.
const INBOUND: usize = 64 << 10;
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
    feeder: Option<(Feeder, oneshot::Sender<FeedError>)>,
    control: Arc<Control>,
    index: usize,
    /// Where bytes from sockets are read to.
    inbound: Vec<u8>,
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
    ) -> Engine {
        let limits = control.config.limits();
        Engine {
            worker: Worker::new(limits, control.instruments(), control.epoch, clock::now),
            reader,
            images: Images::new(requests, wake),
            sockets: Sockets::default(),
            feeder,
            control,
            index,
            inbound: vec![0; INBOUND],
        }
    }

    /// One bounded turn: source and ingest if they are part of this worker, then the ring, then the sockets.
    pub(super) fn turn(&mut self) -> Turn {
        let (fed, feed_until) = self.feed();
        let read = self.read_ring();
        let now = clock::now();
        self.worker.timers(now, &mut self.sockets);
        self.worker.flush(now, &mut self.sockets, clock::now);
        let ask_again = self.images.is_wanting().then_some(now + ASK_AGAIN);
        let deadlines = [self.worker.next_deadline(), feed_until, ask_again];
        Turn { busy: fed || read > 0, until: deadlines.into_iter().flatten().min() }
    }

    /// Whether the ring has something that no turn has read.
    pub(super) fn has_news(&self) -> bool {
        !self.reader.is_empty()
    }

    /// Polls the source, when all that it said before is read: a worker that has enough to do takes no more.
    fn feed(&mut self) -> (bool, Option<Nanos>) {
        let Some((feeder, _)) = &mut self.feeder else { return (false, None) };
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
        let mut read = 0;
        while read < TURN_EVENTS && self.reader.position() < head && !self.worker.wants_flush() {
            let limit = (head - self.reader.position()).min(CHUNK) as usize;
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
    /// unknown here afterwards.
    pub(crate) fn catch_up(&mut self) {
        let head = self.reader.head();
        while self.reader.position() < head && self.read_ring() > 0 {
            self.worker.flush(clock::now(), &mut self.sockets, clock::now);
        }
    }

    /// Takes a connection whose handshake is done.
    pub(super) fn open(
        &mut self,
        stream: TcpStream,
        peer: SocketAddr,
        seat: Seat,
        options: &OpenOptions,
        now: Nanos,
    ) -> Rc<Socket> {
        let conn = self.worker.open(now, options);
        let socket = Rc::new(Socket::new(stream, conn, peer, seat));
        self.sockets.insert(Rc::clone(&socket));
        socket
    }

    /// Reads what has come from a client.
    pub(super) fn receive(&mut self, socket: &Rc<Socket>) {
        let mut inbound = take(&mut self.inbound);
        match socket.read(&mut inbound) {
            Ok(0) if self.sockets.holds(socket) => self.worker.input_ended(socket.conn, &mut self.sockets),
            Ok(count) => self.input(socket, &mut inbound[..count]),
            Err(error) if is_temporary(&error) => {}
            Err(_) => self.lose(socket),
        }
        self.inbound = inbound;
    }

    /// Takes bytes of a client.
    pub(super) fn input(&mut self, socket: &Rc<Socket>, bytes: &mut [u8]) {
        self.catch_up();
        // It may have ended in one of the turns.
        if !bytes.is_empty() && self.sockets.holds(socket) {
            self.worker.input(socket.conn, bytes, clock::now(), &mut self.sockets);
            self.release_hold();
        }
    }

    /// The first subscription lets a held feed go.
    fn release_hold(&self) {
        let control = &self.control;
        if control.config.hold && control.hold.is_paused() && self.worker.subscriptions() > 0 {
            control.hold.resume();
            control.wake_feed();
        }
    }

    /// The socket of a client takes bytes again.
    pub(super) fn writable(&mut self, socket: &Rc<Socket>) {
        if self.sockets.holds(socket) {
            self.worker.writable(socket.conn, clock::now(), &mut self.sockets);
        }
    }

    /// The connection is lost.
    pub(super) fn lose(&mut self, socket: &Rc<Socket>) {
        if self.sockets.holds(socket) {
            self.worker.gone(socket.conn);
            self.sockets.forget(socket.conn);
        }
    }

    /// Announces the end to every client and closes its connection.
    pub(super) fn shut_down(&mut self, now: Nanos, reason: &str) {
        let retry_after = || Duration::from_millis(rand::random_range(RETRY_AFTER_MS));
        self.worker.shut_down(now, reason, retry_after, &mut self.sockets);
    }

    /// Every client with its address.
    pub(crate) fn subscribers(&self) -> Vec<(SocketAddr, SubscriberInfo)> {
        let with_address = |info: SubscriberInfo| Some((self.sockets.get(info.conn)?.peer, info));
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
