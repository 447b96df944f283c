//! One client of the floor: its socket, what it asked for, and how far it has been sent.

use super::{Write, frames, log::Log, upgrade};
use crate::messages::EPOCH;
use anyhow::{Context, bail, ensure};
use market::{Instruments, Nanos, SymbolId, clock};
use mio::net::TcpStream;
use std::io::{self, ErrorKind, IoSlice, Read, Write as _};
use wire::{
    dialect::native_json,
    envelope::websocket::{self, Decoder, Message, Opcode},
    message::{Channel, Method, Pong, Subscribe, Subscribed, Subscription},
};

/// The most that is given to the kernel at once: more its socket does not take.
const BATCH: usize = 256 << 10;
/// The longest request.
const REQUEST: usize = 64 << 10;
/// Slices of one `writev`: the kernel takes no more.
const SLICES: usize = 1024;

/// One client.
pub struct Client {
    pub stream: TcpStream,
    decoder: Decoder,
    /// The beginning of a handshake; `None` once it is done.
    head: Option<Vec<u8>>,
    cursors: Vec<Cursor>,
    /// What is to be sent before anything of a log: answers, snapshots, the rest of a frame that was sent in part.
    private: Vec<u8>,
    /// Whether the socket took less than it was given, and has not said since that there is room.
    pub is_blocked: bool,
    /// Whether there is something for it in this turn.
    pub is_marked: bool,
}

/// How far it has been sent of one topic.
#[derive(Debug, Clone, Copy)]
struct Cursor {
    topic: u32,
    next: u64,
}

/// So many frames of one of the topics.
#[derive(Debug, Clone, Copy)]
struct Piece {
    cursor: usize,
    frames: u64,
}

/// What one write is made of, kept to be used again.
#[derive(Default)]
pub struct Batch {
    pieces: Vec<Piece>,
    bytes: Vec<u8>,
}

impl Client {
    pub fn new(stream: TcpStream) -> Client {
        Client {
            stream,
            decoder: Decoder::new(REQUEST),
            head: Some(Vec::new()),
            cursors: Vec::new(),
            private: Vec::new(),
            is_blocked: false,
            is_marked: false,
        }
    }

    /// Reads what it says and answers it; returns the topics that it has subscribed to.
    pub fn receive(&mut self, instruments: &Instruments, logs: &[Log]) -> anyhow::Result<Vec<SymbolId>> {
        let mut buffer = [0; 4096];
        let mut subscribed = Vec::new();
        loop {
            let read = match self.stream.read(&mut buffer) {
                Ok(0) => bail!("the client is gone"),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(subscribed),
                Err(error) => return Err(error.into()),
            };
            let now = clock::now();
            let mut bytes = &mut buffer[..read];
            if let Some(head) = &mut self.head {
                head.extend_from_slice(bytes);
                ensure!(head.len() <= REQUEST, "the client does not shake hands");
                let Some(answer) = upgrade::answer(head)? else { continue };
                self.private.extend(answer);
                self.head = None;
                bytes = &mut [];
            }
            let mut decoder = std::mem::replace(&mut self.decoder, Decoder::new(REQUEST));
            while let Some(message) = decoder.next(&mut bytes).context("read a request")? {
                match message {
                    Message::Text(text) => subscribed.extend(self.answer(text, now, instruments, logs)?),
                    Message::Ping(payload) => websocket::push_pong(&mut self.private, payload),
                    Message::Binary(_) | Message::Pong(_) => {}
                    Message::Close(_) => bail!("the client says goodbye"),
                }
            }
            self.decoder = decoder;
        }
    }

    fn answer(
        &mut self,
        text: &str,
        now: Nanos,
        instruments: &Instruments,
        logs: &[Log],
    ) -> anyhow::Result<Vec<SymbolId>> {
        match native_json::parse_request(&mut text.as_bytes().to_vec())?.method {
            Method::Subscribe(request) => request
                .symbols
                .iter()
                .map(|symbol| self.subscribe(&request, symbol, instruments, logs))
                .collect(),
            Method::Ping => {
                let pong = Pong { time_in: now, time_out: clock::now() };
                self.say(|body| native_json::push_pong(body, &pong, None));
                Ok(Vec::new())
            }
            other => bail!("the floor has no {}", other.name()),
        }
    }

    fn subscribe(
        &mut self,
        request: &Subscribe,
        symbol: &str,
        instruments: &Instruments,
        logs: &[Log],
    ) -> anyhow::Result<SymbolId> {
        ensure!(request.channel == Channel::Book, "the floor has only books");
        let topic = instruments.find(symbol).with_context(|| format!("the floor has no {symbol}"))?;
        let log = &logs[topic.index()];
        let subscription = Subscription {
            channel: Channel::Book,
            symbol: Some(symbol),
            depth: Some(request.depth),
            interval: Some(request.interval),
            policy: Some(request.policy),
            stamps: true,
        };
        let answer = Subscribed { subscription, epoch: EPOCH, seq: log.seq(), recovered: false };
        self.say(|body| native_json::push_subscribed(body, &answer, None));
        frames::push_snapshot(&mut self.private, &instruments[topic], log.seq());
        self.cursors.push(Cursor { topic: topic.0, next: log.head() });
        Ok(topic)
    }

    fn say(&mut self, body: impl FnOnce(&mut Vec<u8>)) {
        websocket::frame(&mut self.private, Opcode::Text, body);
    }

    /// Sends what there is for it, as much as its socket takes.
    pub fn flush(&mut self, logs: &[Log], write: Write, batch: &mut Batch) -> io::Result<()> {
        while !self.private.is_empty() {
            let sent = taken(self.stream.write(&self.private))?;
            if sent == 0 {
                self.is_blocked = true;
                return Ok(());
            }
            self.private.drain(..sent);
        }
        // Nearly always it stays empty.
        self.private = Vec::new();
        loop {
            batch.gather(&mut self.cursors, logs, write);
            let offered = batch.offered(&self.cursors, logs);
            if offered == 0 {
                return Ok(());
            }
            let sent = taken(batch.send(&mut self.stream, &self.cursors, logs, write))?;
            self.advance(batch, logs, sent);
            if sent < offered {
                self.is_blocked = true;
                return Ok(());
            }
        }
    }

    /// So many bytes of the batch were sent. What is left of a frame that was sent in part has to follow, whatever becomes
    /// of the log.
    fn advance(&mut self, batch: &Batch, logs: &[Log], mut sent: usize) {
        for piece in &batch.pieces {
            let Cursor { topic, next } = &mut self.cursors[piece.cursor];
            let log = &logs[*topic as usize];
            let length = log.frame_length();
            let whole = ((sent / length) as u64).min(piece.frames);
            *next += whole;
            sent -= whole as usize * length;
            if whole < piece.frames {
                if sent > 0 {
                    self.private.extend_from_slice(&log.run(*next, 1)[sent..]);
                    *next += 1;
                }
                return;
            }
        }
    }
}

impl Batch {
    /// Looks for what is pending: of each topic as many frames as lie behind each other. A client that the log has
    /// overtaken goes on at the head.
    fn gather(&mut self, cursors: &mut [Cursor], logs: &[Log], write: Write) {
        self.pieces.clear();
        let mut room = BATCH;
        for (at, Cursor { topic, next }) in cursors.iter_mut().enumerate() {
            let log = &logs[*topic as usize];
            if !log.holds(*next) {
                *next = log.head();
            }
            let most = if write == Write::Each { 1 } else { room / log.frame_length() };
            let run = log.run(*next, most as u64).len();
            if run > 0 {
                room -= run;
                self.pieces.push(Piece { cursor: at, frames: (run / log.frame_length()) as u64 });
                if write == Write::Each {
                    return;
                }
            }
        }
    }

    fn offered(&self, cursors: &[Cursor], logs: &[Log]) -> usize {
        self.pieces.iter().map(|piece| piece.run(cursors, logs).len()).sum()
    }

    fn send(
        &mut self,
        stream: &mut TcpStream,
        cursors: &[Cursor],
        logs: &[Log],
        write: Write,
    ) -> io::Result<usize> {
        if write == Write::Writev {
            let frames = self.pieces.iter().flat_map(|piece| {
                let length = logs[cursors[piece.cursor].topic as usize].frame_length();
                piece.run(cursors, logs).chunks_exact(length)
            });
            let slices: Vec<IoSlice<'_>> = frames.take(SLICES).map(IoSlice::new).collect();
            return stream.write_vectored(&slices);
        }
        // Frames of one topic lie joined already.
        if let [piece] = self.pieces[..] {
            return stream.write(piece.run(cursors, logs));
        }
        self.bytes.clear();
        for piece in &self.pieces {
            self.bytes.extend_from_slice(piece.run(cursors, logs));
        }
        stream.write(&self.bytes)
    }
}

impl Piece {
    fn run<'a>(&self, cursors: &[Cursor], logs: &'a [Log]) -> &'a [u8] {
        let Cursor { topic, next } = cursors[self.cursor];
        logs[topic as usize].run(next, self.frames)
    }
}

/// How many bytes a socket took; none if it has no room.
fn taken(written: io::Result<usize>) -> io::Result<usize> {
    match written {
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(0),
        written => written,
    }
}
