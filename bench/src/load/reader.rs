//! One thread that reads its share of the connections and counts what arrives.
//!
//! What it reads goes into one buffer for all connections, which so stays in the processor's cache; a connection keeps only
//! the beginning of a message whose end has not come.

use super::{
    address::Address,
    connection::{Arrived, Connection},
    known::Known,
    message,
    speech::{Speech, Subscription, Terms},
    tally::{Served, Tally, Window},
    topics::Topics,
};
use anyhow::Context;
use market::{Nanos, clock};
use mio::{Events, Interest, Poll, Token};
use std::{
    io,
    ops::Range,
    sync::mpsc::{Receiver, Sender, TryRecvError},
    time::Duration,
};

/// Room for what is read at once, at the least.
const READ: usize = 256 << 10;
/// Connections that may be opening at once: those that are open are read meanwhile, for whoever is not read is slow.
const OPENING: usize = 32;
/// How long to wait for bytes before looking whether the window is known.
const LOOK: Duration = Duration::from_millis(20);

/// Told once for each connection: it has all its subscriptions, or why not.
pub type Opened = anyhow::Result<()>;

/// What every connection does.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Where to.
    pub address: Address,
    /// How to speak.
    pub speech: Speech,
    /// What each subscribes to.
    pub topics: Topics,
    /// How it wants them.
    pub terms: Terms,
    /// Whether it stops reading once it has subscribed.
    pub stalls: bool,
}

impl Plan {
    fn subscription(&self, connection: u32) -> Subscription {
        Subscription { topics: self.topics.of(connection), terms: self.terms.clone(), since: None }
    }
}

/// Opens the connections of these numbers, tells `opened` of each, and counts what they read in the window that comes from
/// `begun`. Without a window the measurement was given up, and this thread with it.
///
/// # Errors
/// If the operating system gives no way to wait for sockets.
pub fn run(
    plan: &Plan,
    connections: Range<u32>,
    opened: Sender<Opened>,
    begun: &Receiver<Window>,
) -> anyhow::Result<Tally> {
    let mut reader = Reader {
        poll: Poll::new().context("ask for an epoll instance")?,
        clients: Vec::new(),
        buffer: vec![0; READ],
        opening: 0,
        again: Vec::new(),
        window: None,
        tally: Tally::default(),
        opened,
    };
    reader.run(plan, connections, begun)?;
    reader.finish(plan);
    Ok(reader.tally)
}

struct Reader {
    poll: Poll,
    /// At the place that is the token; `None` once it is closed.
    clients: Vec<Option<Client>>,
    /// What was read last, of whichever connection.
    buffer: Vec<u8>,
    /// How many do not have their subscriptions yet.
    opening: usize,
    /// Those that may have more to read.
    again: Vec<usize>,
    window: Option<Window>,
    tally: Tally,
    opened: Sender<Opened>,
}

/// A connection that is read.
struct Client {
    connection: Connection,
    known: Known,
    /// Whether it has its subscriptions.
    is_open: bool,
    /// Updates in each second of the window.
    served: Served,
}

impl Reader {
    fn run(
        &mut self,
        plan: &Plan,
        mut connections: Range<u32>,
        begun: &Receiver<Window>,
    ) -> anyhow::Result<()> {
        let mut events = Events::with_capacity(1024);
        loop {
            while self.opening < OPENING
                && let Some(connection) = connections.next()
            {
                self.open(plan, connection);
            }
            if self.window.is_none() {
                match begun.try_recv() {
                    Ok(window) => {
                        // Connections that the server closed before belong to what is counted.
                        let closed = self.tally.counts.closed;
                        self.tally = Tally::new(window);
                        self.tally.counts.closed = closed;
                        self.window = Some(window);
                    }
                    Err(TryRecvError::Empty) => {}
                    Err(TryRecvError::Disconnected) => return Ok(()),
                }
            }
            let left = self.window.map_or(LOOK, |window| window.end().since(clock::now()));
            if left.is_zero() {
                return Ok(());
            }
            self.turn(plan, &mut events, left)?;
        }
    }

    /// Waits for bytes, and reads each connection that has some once.
    fn turn(&mut self, plan: &Plan, events: &mut Events, longest: Duration) -> anyhow::Result<()> {
        let wait = if self.again.is_empty() { longest } else { Duration::ZERO };
        match self.poll.poll(events, Some(wait)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            polled => polled.context("wait for sockets")?,
        }
        let again = std::mem::take(&mut self.again);
        for at in again {
            self.read(plan, at, false);
        }
        for event in events.iter() {
            let at = event.token().0;
            self.read(plan, at, event.is_writable());
            if event.is_read_closed() {
                // The end stands behind the last bytes.
                self.again.push(at);
            }
        }
        Ok(())
    }

    fn open(&mut self, plan: &Plan, number: u32) {
        let subscription = plan.subscription(number);
        let opened =
            Connection::open(&plan.address, plan.speech, &subscription).and_then(|mut connection| {
                let (token, interest) = (Token(self.clients.len()), Interest::READABLE | Interest::WRITABLE);
                self.poll.registry().register(connection.stream(), token, interest)?;
                Ok(connection)
            });
        match opened {
            Ok(connection) => {
                let known = Known::new(&subscription.topics);
                self.clients.push(Some(Client {
                    connection,
                    known,
                    is_open: false,
                    served: Served::default(),
                }));
                self.opening += 1;
            }
            Err(error) => self.tell(Err(error)),
        }
    }

    fn read(&mut self, plan: &Plan, at: usize, is_writable: bool) {
        let Some(client) = &mut self.clients[at] else { return };
        let was_open = client.is_open;
        let taken = match is_writable {
            true => client.connection.flush(),
            false => Ok(()),
        };
        let taken = taken.and_then(|()| client.read(&mut self.buffer, self.window, &mut self.tally));
        match taken {
            Ok(has_more) => {
                let is_open = client.is_open;
                if is_open && !was_open {
                    self.opening -= 1;
                    self.tell(Ok(()));
                }
                if is_open && plan.stalls {
                    self.stall(at);
                } else if has_more {
                    self.again.push(at);
                }
            }
            Err(error) => self.close(at, error),
        }
    }

    /// Never reads it again, and keeps it open.
    fn stall(&mut self, at: usize) {
        let Some(client) = &mut self.clients[at] else { return };
        // If it is not forgotten, it is read again, which the counters would show.
        let _ = self.poll.registry().deregister(client.connection.stream());
    }

    fn close(&mut self, at: usize, error: anyhow::Error) {
        let Some(client) = self.clients[at].take() else { return };
        if client.is_open {
            self.tally.counts.closed += 1;
        } else {
            self.opening -= 1;
            self.tell(Err(error));
        }
    }

    fn tell(&self, opened: Opened) {
        // Nobody listens any more if the measurement was given up.
        let _ = self.opened.send(opened);
    }

    fn finish(&mut self, plan: &Plan) {
        let seconds = self.window.map_or(0, Window::seconds);
        // One that was closed is counted as that, and one that stalls as nothing.
        let clients = self.clients.iter_mut().flatten().filter(|_| !plan.stalls);
        self.tally.finish(clients.map(|client| client.served.fewest(seconds)));
    }
}

impl Client {
    /// Reads once and counts what came, if that is in the window; returns whether there may be more.
    fn read(
        &mut self,
        buffer: &mut Vec<u8>,
        window: Option<Window>,
        tally: &mut Tally,
    ) -> anyhow::Result<bool> {
        let (bytes, has_more) = match self.connection.read(buffer)? {
            Arrived::Nothing => return Ok(false),
            Arrived::All(bytes) => (bytes, false),
            Arrived::Some(bytes) => (bytes, true),
        };
        let now = clock::now();
        match window.and_then(|window| window.slice_of(now)) {
            Some(slice) => self.count(buffer, bytes, slice, now, tally)?,
            None => {
                let known = &mut self.known;
                self.connection.take(buffer, bytes, |text| {
                    if let Some(message) = message::read(text) {
                        known.follow(&message);
                    }
                })?;
            }
        }
        self.is_open |= self.connection.is_ready();
        Ok(has_more)
    }

    fn count(
        &mut self,
        buffer: &[u8],
        bytes: usize,
        slice: usize,
        now: Nanos,
        tally: &mut Tally,
    ) -> anyhow::Result<()> {
        let Client { connection, known, served, .. } = self;
        tally.counts.bytes += bytes as u64;
        let before = tally.counts.deliveries;
        connection.take(buffer, bytes, |text| {
            let message = message::read(text);
            let is_hole = message.as_ref().is_some_and(|message| known.follow(message));
            tally.counts.holes += u64::from(is_hole);
            tally.count(message.as_ref(), slice, now);
        })?;
        served.count(slice, tally.counts.deliveries - before);
        Ok(())
    }
}
