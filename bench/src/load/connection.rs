//! One connection of a client over a socket that never blocks: it shakes hands, subscribes, and gives the messages of
//! market data that arrive to whoever counts them. It knows no numbers and no time.

use super::{
    address::{Address, Opening},
    speech::{Speech, Subscription, Talk},
};
use crate::{
    framing::{Framing, Piece},
    websocket,
};
use anyhow::{Context, bail, ensure};
use mio::net::TcpStream;
use std::io::{self, ErrorKind, Read, Write};

/// The longest message.
const MAX_FRAME: usize = 16 << 20;

/// A connection, from the connecting on.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    framing: Framing,
    talk: Talk,
    /// The handshake, until it was answered.
    opening: Option<Opening>,
    /// The beginning of what has not arrived whole.
    begun: Vec<u8>,
    /// What the socket has not taken yet.
    unsent: Vec<u8>,
}

/// What came of reading once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrived {
    /// Nothing: the socket is drained.
    Nothing,
    /// So many bytes, and the socket is drained.
    All(usize),
    /// So many bytes, as many as there was room for; there may be more.
    Some(usize),
}

impl Connection {
    /// Begins to connect. What is to be sent goes out as soon as the socket says that it takes something; whether nobody
    /// listens there, reading tells.
    ///
    /// # Errors
    /// If the name is not known, or the operating system has no more sockets.
    pub fn open(
        address: &Address,
        speech: Speech,
        subscription: &Subscription,
    ) -> anyhow::Result<Connection> {
        let socket = address.socket()?;
        let stream = TcpStream::connect(socket).with_context(|| format!("connect to {socket}"))?;
        stream.set_nodelay(true)?;
        let opening = speech.opening(subscription);
        let mut connection = Connection {
            stream,
            framing: speech.framing(),
            talk: speech.talk(subscription),
            unsent: address.request(&opening).into_bytes(),
            opening: Some(opening),
            begun: Vec::new(),
        };
        if connection.opening == Some(Opening::Plain) {
            connection.begin();
        }
        Ok(connection)
    }

    /// The handshake is done.
    fn begin(&mut self) {
        self.opening = None;
        self.talk.begin(self.framing, &mut self.unsent);
    }

    /// Asks for something more, once all subscriptions stand; the answer is not waited for.
    ///
    /// # Errors
    /// If the connection is broken.
    pub fn ask(&mut self, method: &str, subscription: &Subscription) -> anyhow::Result<()> {
        self.talk.ask(method, subscription, self.framing, &mut self.unsent);
        self.flush()
    }

    /// The socket, to be waited for.
    pub fn stream(&mut self) -> &mut TcpStream {
        &mut self.stream
    }

    /// Whether all subscriptions stand.
    pub fn is_ready(&self) -> bool {
        self.opening.is_none() && self.talk.is_ready()
    }

    /// Reads once, behind what was begun, into a buffer that all connections of a thread share and that is longer than
    /// whatever was begun. [`Connection::take`] is to follow before the buffer is used again.
    ///
    /// # Errors
    /// If the connection is broken, or the server has closed it.
    pub fn read(&mut self, buffer: &mut Vec<u8>) -> anyhow::Result<Arrived> {
        let begun = self.begun.len();
        if 2 * begun > buffer.len() {
            ensure!(begun <= MAX_FRAME, "the server sends a message of more than {MAX_FRAME} bytes");
            buffer.resize(2 * buffer.len(), 0);
        }
        buffer[..begun].copy_from_slice(&self.begun);
        let room = &mut buffer[begun..];
        match self.stream.read(room) {
            Ok(0) => bail!("the server closed the connection"),
            Ok(read) if read < room.len() => Ok(Arrived::All(read)),
            Ok(read) => Ok(Arrived::Some(read)),
            Err(error) if is_temporary(&error) => Ok(Arrived::Nothing),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes what was read, and gives each message of market data that ends in it to `heard`.
    ///
    /// # Errors
    /// If the server refuses, or the connection is broken.
    pub fn take(&mut self, buffer: &[u8], read: usize, heard: impl FnMut(&[u8])) -> anyhow::Result<()> {
        let arrived = &buffer[..self.begun.len() + read];
        self.begun.clear();
        let mut rest = arrived;
        if let Some(opening) = &self.opening {
            let Some(length) = opening.take_answer(arrived)? else {
                self.begun.extend_from_slice(arrived);
                return Ok(());
            };
            rest = &arrived[length..];
            self.begin();
        }
        self.take_pieces(&mut rest, heard)?;
        self.begun.extend_from_slice(rest);
        self.flush()
    }

    fn take_pieces(&mut self, rest: &mut &[u8], mut heard: impl FnMut(&[u8])) -> anyhow::Result<()> {
        while let Some(piece) = self.framing.take(rest) {
            match piece {
                Piece::Message(text) => self.talk.take(text, &mut self.unsent, &mut heard)?,
                Piece::Ping(payload) => websocket::push_pong(&mut self.unsent, payload),
                Piece::Nothing => {}
            }
        }
        Ok(())
    }

    /// Sends what the socket takes of what is unsent.
    ///
    /// # Errors
    /// If the connection is broken.
    pub fn flush(&mut self) -> anyhow::Result<()> {
        while !self.unsent.is_empty() {
            match self.stream.write(&self.unsent) {
                Ok(sent) => drop(self.unsent.drain(..sent)),
                Err(error) if is_temporary(&error) => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

fn is_temporary(error: &io::Error) -> bool {
    // A socket that is still connecting says the last one.
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted | ErrorKind::NotConnected)
}
