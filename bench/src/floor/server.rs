//! The floor itself: one thread that makes messages when they are due and sends them to whoever subscribed.

use super::{
    ServeOptions,
    client::{Batch, Client},
    frames::Template,
    log::Log,
    timer::Timer,
};
use crate::servers::{Pace, listen};
use anyhow::Context;
use market::{Instruments, Nanos, SymbolId, clock};
use mio::{Events, Interest, Poll, Token, net::TcpListener};
use slab::Slab;
use std::{io::ErrorKind, net::SocketAddr, time::Duration};

/// Bytes of frames of one topic, and of all together.
const LOG: usize = 1 << 20;
const LOGS: usize = 16 << 20;

const LISTENER: Token = Token(usize::MAX);
const TIMER: Token = Token(usize::MAX - 1);

/// A floor that listens.
pub struct Server {
    poll: Poll,
    listener: TcpListener,
    timer: Timer,
    instruments: Instruments,
    pace: Pace,
    options: ServeOptions,
    logs: Vec<Log>,
    clients: Slab<Client>,
    /// Who subscribed to each topic.
    subscribers: Vec<Vec<usize>>,
    /// For whom there is something in this turn.
    marked: Vec<usize>,
    batch: Batch,
}

impl Server {
    /// Listens on a free port of the loopback interface.
    ///
    /// # Errors
    /// If the operating system refuses, or the simulated exchange does not list as many topics.
    pub fn open(options: ServeOptions) -> anyhow::Result<(Server, SocketAddr)> {
        let poll = Poll::new().context("ask for an epoll instance")?;
        let mut listener = TcpListener::from_std(listen().context("listen on a free port")?);
        let address = listener.local_addr()?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        let timer = Timer::new(poll.registry(), TIMER).context("ask for a timer")?;
        let instruments = crate::load::instruments(options.feed.topics)?;
        let bytes = LOG.min(LOGS / options.feed.topics as usize);
        let logs: Vec<Log> =
            instruments.iter().map(|(_, instrument)| Log::new(Template::new(instrument), bytes)).collect();
        let server = Server {
            poll,
            listener,
            timer,
            pace: options.feed.pace(clock::now()),
            subscribers: vec![Vec::new(); logs.len()],
            logs,
            instruments,
            options,
            clients: Slab::new(),
            marked: Vec::new(),
            batch: Batch::default(),
        };
        Ok((server, address))
    }

    /// Serves for ever.
    ///
    /// # Errors
    /// If the operating system no longer tells about sockets.
    pub fn run(mut self) -> anyhow::Result<()> {
        let mut events = Events::with_capacity(1024);
        loop {
            let is_behind = self.make(clock::now());
            self.send();
            let wait = if is_behind || self.pace.due() <= clock::now() {
                Some(Duration::ZERO)
            } else {
                self.timer.set(self.pace.due());
                None
            };
            match self.poll.poll(&mut events, wait) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                polled => polled.context("wait for sockets")?,
            }
            for event in events.iter() {
                match event.token() {
                    LISTENER => self.accept()?,
                    TIMER => {}
                    Token(client) => self.serve(client, event.is_readable(), event.is_writable()),
                }
            }
        }
    }

    /// Makes what is due; returns whether there is more. At most half of each log in a turn, so that what one turn makes is
    /// sent before it is overwritten.
    fn make(&mut self, now: Nanos) -> bool {
        let most = self.logs[0].slots() / 2 * self.logs.len() as u64;
        let mut made = 0;
        while self.pace.due() <= now {
            if made >= most {
                return true;
            }
            let due = self.pace.due();
            let topic = (self.pace.came() % self.logs.len() as u64) as usize;
            for _ in 0..self.pace.burst() {
                self.logs[topic].push(due);
            }
            made += u64::from(self.pace.burst());
            for &client in &self.subscribers[topic] {
                mark(&mut self.clients, &mut self.marked, client);
            }
        }
        false
    }

    fn send(&mut self) {
        let mut marked = std::mem::take(&mut self.marked);
        for client in marked.drain(..) {
            let Some(to) = self.clients.get_mut(client) else { continue };
            to.is_marked = false;
            if !to.is_blocked && to.flush(&self.logs, self.options.write, &mut self.batch).is_err() {
                self.forget(client);
            }
        }
        self.marked = marked;
    }

    fn accept(&mut self) -> anyhow::Result<()> {
        loop {
            let mut stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error).context("accept a connection"),
            };
            let entry = self.clients.vacant_entry();
            let interest = Interest::READABLE | Interest::WRITABLE;
            self.poll.registry().register(&mut stream, Token(entry.key()), interest)?;
            entry.insert(Client::new(stream));
        }
    }

    fn serve(&mut self, at: usize, is_readable: bool, is_writable: bool) {
        let Some(client) = self.clients.get_mut(at) else { return };
        client.is_blocked &= !is_writable;
        if is_readable {
            match client.receive(&self.instruments, &self.logs) {
                Ok(topics) => self.subscribe(at, topics),
                Err(_) => return self.forget(at),
            }
        }
        mark(&mut self.clients, &mut self.marked, at);
    }

    fn subscribe(&mut self, client: usize, topics: Vec<SymbolId>) {
        topics.into_iter().for_each(|topic| self.subscribers[topic.index()].push(client));
    }

    fn forget(&mut self, client: usize) {
        self.clients.remove(client);
        self.subscribers.iter_mut().for_each(|subscribers| subscribers.retain(|&other| other != client));
    }
}

/// There is something for a client in this turn.
fn mark(clients: &mut Slab<Client>, marked: &mut Vec<usize>, at: usize) {
    let Some(client) = clients.get_mut(at) else { return };
    if !client.is_marked && !client.is_blocked {
        client.is_marked = true;
        marked.push(at);
    }
}
