//! A recording, replayed by a gateway through a socket into the client's tracker, compared with the recording at every
//! update.

use crate::captures::Recording;
use book::{Book, Ladder};
use client::{BookState, Status, Tracker, Update};
use gateway::Config;
use journal::Reader;
use market::{Event, SymbolId};
use std::{
    collections::HashMap,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// How a replay ended.
#[derive(Debug, Default)]
pub struct Ended {
    /// Books that the client was sent, snapshots included.
    pub updates: u64,
    /// Of them, those that equal the book of record at that seq, level by level.
    pub compared: u64,
}

/// Replays a recording from its start to a `lossless` client that holds whole books, and gives `each` every book as the
/// client has it.
pub fn replay(recording: &Recording, speed: &str, mut each: impl FnMut(&str, &BookState)) -> Ended {
    let config = Config {
        listen: ([127, 0, 0, 1], 0).into(),
        feed: format!("journal:{}", recording.path().display()).parse().unwrap(),
        speed: speed.parse().unwrap(),
        hold: true,
        ..Config::default()
    };
    let running = gateway::start(config).unwrap();
    let symbols: Vec<String> =
        recording.instruments().into_iter().map(|instrument| instrument.symbol).collect();
    let mut socket = Socket::connect(running.address());
    let request = serde_json::json!({"method": "subscribe", "params":
        {"channel": "book", "symbol": symbols, "depth": 0, "policy": "lossless"}});
    socket.send(&request.to_string());

    let mut record = Record::open(recording, &symbols);
    let mut tracker = Tracker::new();
    let mut ended = Ended::default();
    loop {
        let text = socket.next_text();
        match tracker.on_text(&text).unwrap_or_else(|fault| panic!("{fault}")) {
            Update::Book { symbol, book, .. } => {
                ended.updates += 1;
                ended.compared += u64::from(book.ladder == record.at(symbol, book.seq));
                each(symbol, book);
            }
            Update::Status(Status::FeedEnded) => break,
            Update::Gap { .. } | Update::Refused { .. } => panic!("{}", String::from_utf8_lossy(&text)),
            _ => {}
        }
    }
    running.shut_down("the test is over");
    ended
}

/// The recording itself, read beside the client.
struct Record {
    events: HashMap<String, Vec<Event>>,
    books: HashMap<String, (usize, Book)>,
}

impl Record {
    fn open(recording: &Recording, symbols: &[String]) -> Record {
        let mut reader = Reader::open(recording.path()).unwrap();
        let mut events: HashMap<String, Vec<Event>> = HashMap::new();
        let mut block = Vec::new();
        while reader.next_block(&mut block).unwrap().is_some() {
            for event in block.drain(..).filter(|event| event.kind.is_numbered()) {
                let SymbolId(at) = event.symbol;
                events.entry(symbols[at as usize].clone()).or_default().push(event);
            }
        }
        let books = symbols.iter().map(|symbol| (symbol.clone(), (0, Book::new()))).collect();
        Record { events, books }
    }

    /// The whole book of a symbol after the event of this number; numbers are asked for in their order.
    fn at(&mut self, symbol: &str, seq: u64) -> Ladder {
        let (next, book) = self.books.get_mut(symbol).unwrap();
        while let Some(event) = self.events[symbol].get(*next).filter(|event| event.seq <= seq) {
            book.apply_plain(event);
            *next += 1;
        }
        let mut view = Ladder::default();
        book.view(0, &mut view);
        view
    }
}

/// A WebSocket client of the plainest kind.
struct Socket {
    stream: TcpStream,
    bytes: Vec<u8>,
    read: usize,
}

impl Socket {
    fn connect(address: SocketAddr) -> Socket {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let request = format!(
            "GET /feed HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut socket = Socket { stream, bytes: Vec::new(), read: 0 };
        while !socket.bytes.windows(4).any(|window| window == b"\r\n\r\n") {
            socket.fill();
        }
        let head = socket.bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        assert!(socket.bytes.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&socket.bytes));
        socket.read = head + 4;
        socket
    }

    fn send(&mut self, text: &str) {
        let length = u16::try_from(text.len()).unwrap();
        let mut frame = vec![0x81, 0x80 | 126];
        frame.extend_from_slice(&length.to_be_bytes());
        frame.extend_from_slice(&[0; 4]);
        frame.extend_from_slice(text.as_bytes());
        self.stream.write_all(&frame).unwrap();
    }

    /// The next text message; what else comes is passed over.
    fn next_text(&mut self) -> Vec<u8> {
        loop {
            let (opcode, payload) = self.next_frame();
            match opcode {
                0x1 => return payload,
                0x8 => panic!("the gateway closed: {}", String::from_utf8_lossy(&payload[2..])),
                _ => {}
            }
        }
    }

    fn next_frame(&mut self) -> (u8, Vec<u8>) {
        let head = self.take(2);
        let length = match head[1] {
            126 => self.take(2).iter().fold(0, |length, &byte| length << 8 | usize::from(byte)),
            127 => self.take(8).iter().fold(0, |length, &byte| length << 8 | usize::from(byte)),
            short => usize::from(short),
        };
        (head[0] & 0x0F, self.take(length))
    }

    fn take(&mut self, count: usize) -> Vec<u8> {
        while self.bytes.len() - self.read < count {
            self.fill();
        }
        let taken = self.bytes[self.read..self.read + count].to_vec();
        self.read += count;
        taken
    }

    fn fill(&mut self) {
        self.bytes.drain(..std::mem::take(&mut self.read));
        let mut chunk = [0; 1 << 16];
        let count = self.stream.read(&mut chunk).expect("the gateway says something within a minute");
        assert!(count > 0, "the gateway hung up");
        self.bytes.extend_from_slice(&chunk[..count]);
    }
}
