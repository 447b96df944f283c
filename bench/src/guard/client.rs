//! A client that blocks: it subscribes to one book and reads numbers. It measures nothing.

use crate::load::{Address, Arrived, Connection, Message, Speech, Subscription, Terms, read};
use anyhow::{Context, ensure};
use market::Seq;
use mio::{Events, Interest, Poll, Token};
use std::{collections::VecDeque, net::SocketAddr, time::Duration};

/// Nothing for so long means that the gateway has stopped.
const PATIENCE: Duration = Duration::from_secs(20);
/// Room for what is read at once.
const READ: usize = 64 << 10;

/// A connection that subscribes.
pub struct Client {
    connection: Connection,
    poll: Poll,
    buffer: Vec<u8>,
    /// The numbers of messages that have arrived and were not asked for.
    arrived: VecDeque<Seq>,
}

impl Client {
    /// Begins to connect, and to subscribe to BTC/USDT.
    ///
    /// # Errors
    /// If the operating system does not let it.
    pub fn connect(address: SocketAddr, speech: Speech) -> anyhow::Result<Client> {
        let topics = vec!["BTC/USDT".to_owned()];
        let subscription = Subscription { topics, terms: Terms::default(), since: None };
        let mut connection = Connection::open(&Address::from(address), speech, &subscription)?;
        let poll = Poll::new().context("ask for an epoll instance")?;
        let interest = Interest::READABLE | Interest::WRITABLE;
        poll.registry().register(connection.stream(), Token(0), interest).context("wait for a socket")?;
        Ok(Client { connection, poll, buffer: vec![0; READ], arrived: VecDeque::new() })
    }

    /// The number through which the next message of the book goes.
    ///
    /// # Errors
    /// If none comes, or the gateway refuses.
    pub fn next(&mut self) -> anyhow::Result<Seq> {
        let mut events = Events::with_capacity(1);
        loop {
            if let Some(seq) = self.arrived.pop_front() {
                return Ok(seq);
            }
            // Only what is new wakes it, so what is there has been read.
            self.poll.poll(&mut events, Some(PATIENCE)).context("wait for the gateway")?;
            ensure!(!events.is_empty(), "nothing came for {PATIENCE:?}");
            self.connection.flush()?;
            self.read_all()?;
        }
    }

    fn read_all(&mut self) -> anyhow::Result<()> {
        let Client { connection, buffer, arrived, .. } = self;
        while let Arrived::All(bytes) | Arrived::Some(bytes) = connection.read(buffer)? {
            connection.take(buffer, bytes, |text| match read(text) {
                Some(Message::Update(update)) => arrived.push_back(update.seq),
                Some(Message::Snapshot { seq, .. }) => arrived.push_back(seq),
                _ => {}
            })?;
        }
        Ok(())
    }
}
