//! A client that proves what it is sent, over a socket that it reads as it likes: a byte at a time, or not at all.

use super::support::narrow;
use client::{Tracker, Update};
use serde_json::{Value, json};
use simulation::line::frame;
pub use simulation::line::masked;
use socket2::SockRef;
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use wire::message::{Channel, GapReason, SnapshotReason, Verdict};

pub struct Peer {
    stream: TcpStream,
    address: SocketAddr,
    inbox: Vec<u8>,
    pub tracker: Tracker,
    pub seen: Seen,
    /// The code of the close frame.
    pub closed: Option<u16>,
    /// Market data as it came, where it is kept.
    pub texts: Option<Vec<String>>,
}

/// What has come.
#[derive(Debug, Default)]
pub struct Seen {
    pub subscribed: Vec<bool>,
    pub snapshots: Vec<(Channel, SnapshotReason)>,
    pub gaps: Vec<GapReason>,
    pub verdicts: Vec<Verdict>,
    /// Answers of other kinds.
    pub noted: usize,
}

impl Peer {
    pub async fn connect(address: SocketAddr) -> Peer {
        Peer::over(open(TcpStream::connect(address).await.unwrap(), address).await, address)
    }

    /// A client whose socket holds little.
    pub async fn narrow(address: SocketAddr) -> Peer {
        let stream = narrow(address);
        stream.set_nonblocking(true).unwrap();
        Peer::over(open(TcpStream::from_std(stream).unwrap(), address).await, address)
    }

    fn over(stream: TcpStream, address: SocketAddr) -> Peer {
        Peer {
            stream,
            address,
            inbox: Vec::new(),
            tracker: Tracker::new().with_dense_trade_ids(),
            seen: Seen::default(),
            closed: None,
            texts: None,
        }
    }

    /// Connects again, to go on where it was.
    pub async fn reconnect(&mut self) {
        self.stream = open(TcpStream::connect(self.address).await.unwrap(), self.address).await;
        self.inbox.clear();
        self.closed = None;
        self.tracker.reconnected();
    }

    pub fn local_address(&self) -> SocketAddr {
        self.stream.local_addr().unwrap()
    }

    pub async fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    pub async fn send(&mut self, method: &str, params: Value) {
        self.send_bytes(&masked(&json!({"method": method, "params": params}).to_string())).await;
    }

    /// Subscribes and reads until the answer is there.
    pub async fn subscribe(&mut self, params: Value) {
        let before = self.seen.subscribed.len();
        self.send("subscribe", params).await;
        self.until(|peer| peer.seen.subscribed.len() > before).await;
    }

    /// Waits for bytes and takes at most so many.
    pub async fn read(&mut self, most: usize) {
        let mut bytes = [0; 16 << 10];
        let most = most.min(bytes.len());
        let count = self.stream.read(&mut bytes[..most]).await.expect("the connection is whole");
        assert!(count > 0 || self.closed.is_some(), "the stream ends without a close frame");
        self.inbox.extend_from_slice(&bytes[..count]);
        self.take_frames();
    }

    pub async fn until(&mut self, done: impl Fn(&Peer) -> bool) {
        while !done(self) {
            assert_eq!(self.closed, None, "closed while more was wanted");
            self.read(usize::MAX).await;
        }
    }

    pub async fn until_closed(&mut self) -> u16 {
        while self.closed.is_none() {
            self.read(usize::MAX).await;
        }
        self.closed.unwrap()
    }

    /// Has the gateway compare the book, and everything before it come.
    pub async fn verify(&mut self, symbol: &str) {
        let asked = self.seen.verdicts.len();
        self.ask_verify(symbol).await;
        self.until(|peer| peer.seen.verdicts.len() > asked).await;
        assert_eq!(self.seen.verdicts.last(), Some(&Verdict::Ok), "{symbol}");
    }

    /// Asks the gateway what it thinks of the book.
    pub async fn ask_verify(&mut self, symbol: &str) {
        let book = self.tracker.book(symbol).expect("there is a book");
        let (seq, checksum) = (book.seq, book.ladder.checksum(book.depth.get()));
        self.send("verify", json!({"symbol": symbol, "seq": seq, "checksum": checksum})).await;
    }

    /// Goes without a word: what is under way is thrown away.
    pub fn reset(self) {
        SockRef::from(&self.stream).set_linger(Some(Duration::ZERO)).unwrap();
    }

    pub fn count(&self, reason: SnapshotReason) -> usize {
        self.seen.snapshots.iter().filter(|(_, other)| *other == reason).count()
    }

    fn take_frames(&mut self) {
        let mut at = 0;
        while let Some((opcode, payload, end)) = frame(&self.inbox, at) {
            match opcode {
                0x1 => take(&mut self.tracker, &mut self.seen, &mut self.texts, &self.inbox[payload..end]),
                0x8 => self.closed = Some(u16::from_be_bytes([self.inbox[payload], self.inbox[payload + 1]])),
                0x9 | 0xA => {}
                other => panic!("a frame of opcode {other}"),
            }
            at = end;
        }
        self.inbox.drain(..at);
    }
}

fn take(tracker: &mut Tracker, seen: &mut Seen, texts: &mut Option<Vec<String>>, text: &[u8]) {
    let update = tracker.on_text(text).unwrap_or_else(|fault| panic!("{fault}"));
    if let (Some(texts), Update::Book { .. } | Update::Bbo { .. } | Update::Trades { .. }) = (texts, &update)
    {
        texts.push(String::from_utf8(text.to_vec()).unwrap());
    }
    let snapshot = |channel, reason: Option<SnapshotReason>| reason.map(|reason| (channel, reason));
    match update {
        Update::Book { snapshot: reason, .. } => seen.snapshots.extend(snapshot(Channel::Book, reason)),
        Update::Bbo { snapshot: reason, .. } => seen.snapshots.extend(snapshot(Channel::Bbo, reason)),
        Update::Trades { snapshot: reason, .. } => seen.snapshots.extend(snapshot(Channel::Trade, reason)),
        Update::Gap { reason, .. } => seen.gaps.push(reason),
        Update::Subscribed(subscribed) => seen.subscribed.push(subscribed.recovered),
        Update::Verified(answer) => seen.verdicts.push(answer.verdict),
        Update::Refused { code, text, .. } => panic!("refused with {code}: {text}"),
        Update::Noted => seen.noted += 1,
        Update::Dropped { .. } | Update::Heartbeat | Update::Status(_) => {}
    }
}

/// A connection whose handshake is done; what came behind that stays in the socket.
async fn open(mut stream: TcpStream, address: SocketAddr) -> TcpStream {
    let request = format!(
        "GET /feed?heartbeat_ms=500 HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("the answer to the handshake"));
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&head));
    stream
}
