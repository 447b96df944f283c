//! One connection of a client over a socket that never blocks: it shakes hands, subscribes, and gives the messages of
//! market data that arrive to whoever counts them. It knows no numbers and no time.

use super::{
    address::{self, Address},
    speech::{Speech, Subscription, Talk},
};
use crate::websocket::{self, Opcode, take_frame};
use anyhow::{Context, bail, ensure};
use mio::net::TcpStream;
use std::io::{self, ErrorKind, Read, Write};

/// The longest message.
const MAX_FRAME: usize = 16 << 20;

/// A connection, from the connecting on.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    talk: Talk,
    is_upgraded: bool,
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
    /// Connects, and sends the handshake.
    ///
    /// # Errors
    /// If nobody listens there.
    pub fn open(
        address: &Address,
        speech: Speech,
        subscription: &Subscription,
    ) -> anyhow::Result<Connection> {
        let socket = address.socket()?;
        let stream = std::net::TcpStream::connect(socket).with_context(|| format!("connect to {socket}"))?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let mut connection = Connection {
            stream: TcpStream::from_std(stream),
            talk: speech.talk(subscription),
            is_upgraded: false,
            begun: Vec::new(),
            unsent: address.request(&speech.path(subscription)).into_bytes(),
        };
        connection.flush()?;
        Ok(connection)
    }

    /// The socket, to be waited for.
    pub fn stream(&mut self) -> &mut TcpStream {
        &mut self.stream
    }

    /// Whether all subscriptions stand.
    pub fn is_ready(&self) -> bool {
        self.is_upgraded && self.talk.is_ready()
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
        if !self.is_upgraded {
            match address::take_answer(arrived)? {
                Some(length) => {
                    rest = &arrived[length..];
                    self.is_upgraded = true;
                    self.talk.begin(&mut self.unsent);
                }
                None => {
                    self.begun.extend_from_slice(arrived);
                    return Ok(());
                }
            }
        }
        self.take_frames(&mut rest, heard)?;
        self.begun.extend_from_slice(rest);
        self.flush()
    }

    fn take_frames(&mut self, rest: &mut &[u8], mut heard: impl FnMut(&[u8])) -> anyhow::Result<()> {
        while let Some((opcode, payload)) = take_frame(rest) {
            match opcode {
                Opcode::TEXT | Opcode::BINARY => {
                    self.talk.take(payload, &mut self.unsent, &mut heard)?;
                }
                Opcode::PING => websocket::push_pong(&mut self.unsent, payload),
                _ => {}
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
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
