//! Connections over each transport, as bytes: how each begins, and what comes of it.

use simulation::line::{self, Item};
use std::{
    io::{self, ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};
use wire::{envelope::Envelope, token::Token};

/// A way to be connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    WebSocket,
    SocketIo,
    SocketIoPolling,
    Sse,
    Tcp,
    LongPoll,
}

pub const ALL: [Transport; 6] = [
    Transport::WebSocket,
    Transport::SocketIo,
    Transport::SocketIoPolling,
    Transport::Sse,
    Transport::Tcp,
    Transport::LongPoll,
];

/// Whoever says nothing for so long is given up.
pub const SILENCE: Duration = Duration::from_millis(300);

/// A connection.
pub struct Wire {
    pub transport: Transport,
    stream: TcpStream,
    /// What has not arrived whole.
    inbox: Vec<u8>,
    /// The session of Socket.IO over long polling.
    session: String,
}

/// What a client wants, as a query says it.
pub struct Query {
    pub text: String,
    pub since: Option<Token>,
}

impl Wire {
    /// Connects and does what comes before requests.
    pub fn open(
        transport: Transport,
        [http, tcp]: [SocketAddr; 2],
        query: &Query,
        by_header: bool,
    ) -> io::Result<Wire> {
        let to = if transport == Transport::Tcp { tcp } else { http };
        let stream = TcpStream::connect(to)?;
        stream.set_read_timeout(Some(SILENCE))?;
        let mut wire = Wire { transport, stream, inbox: Vec::new(), session: String::new() };
        match transport {
            Transport::WebSocket => wire.upgrade("/feed?heartbeat_ms=250")?,
            Transport::SocketIo => {
                wire.upgrade("/socket.io/?EIO=4&transport=websocket&heartbeat_ms=250")?;
                wire.stream.write_all(&line::masked("40"))?;
            }
            Transport::SocketIoPolling => {
                let opened = wire.get("/socket.io/?EIO=4&transport=polling&heartbeat_ms=250")?;
                let json: serde_json::Value = serde_json::from_slice(&opened[1..])?;
                wire.session = json["sid"].as_str().unwrap_or_default().to_owned();
                wire.post("40")?;
            }
            Transport::Sse => wire.begin_events(query, by_header)?,
            Transport::Tcp | Transport::LongPoll => {}
        }
        Ok(wire)
    }

    fn upgrade(&mut self, path: &str) -> io::Result<()> {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        self.stream.write_all(request.as_bytes())?;
        self.head("HTTP/1.1 101").map(drop)
    }

    fn begin_events(&mut self, query: &Query, by_header: bool) -> io::Result<()> {
        let mut path = format!("/sse?{}&heartbeat_ms=250", query.text);
        let mut header = String::new();
        match &query.since {
            Some(since) if by_header => header = format!("Last-Event-ID: {since}\r\n"),
            Some(since) => path += &format!("&since={since}"),
            None => {}
        }
        self.stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\n{header}\r\n").as_bytes())?;
        self.head("HTTP/1.1 200").map(drop)
    }

    /// Sends a request of the protocol, where the transport has them.
    pub fn request(&mut self, method: &str, params: &str) -> io::Result<()> {
        match self.transport {
            Transport::SocketIoPolling => self.post(&format!("42[\"{method}\",{params}]")),
            Transport::Sse | Transport::LongPoll => Ok(()),
            _ => self.stream.write_all(&line::request(self.envelope(), method, params)),
        }
    }

    /// Sends the beginning of something.
    pub fn send_part(&mut self) -> io::Result<()> {
        self.stream.write_all(&line::request(self.envelope(), "list", "{}")[..5])
    }

    fn envelope(&self) -> Envelope {
        match self.transport {
            Transport::WebSocket => Envelope::WebSocket,
            Transport::SocketIo | Transport::SocketIoPolling => Envelope::SocketIo,
            Transport::Sse => Envelope::Sse,
            Transport::Tcp => Envelope::Tcp,
            Transport::LongPoll => Envelope::LongPoll,
        }
    }

    /// What came, at least something.
    pub fn read(&mut self) -> io::Result<Vec<Item>> {
        if self.transport == Transport::SocketIoPolling {
            return self.fetch();
        }
        loop {
            let items = line::take_items(self.envelope(), &mut self.inbox);
            if !items.is_empty() {
                return Ok(items);
            }
            self.more()?;
        }
    }

    fn fetch(&mut self) -> io::Result<Vec<Item>> {
        let path = format!("/socket.io/?EIO=4&transport=polling&sid={}", self.session);
        let body = self.get(&path)?;
        Ok(body.split(|&byte| byte == 0x1E).filter_map(line::packet).collect())
    }

    /// One poll: its cursor and its messages; `None` if there was nothing in time.
    pub fn poll(
        &mut self,
        query: &str,
        cursor: Option<&Token>,
    ) -> io::Result<Option<(String, Vec<Vec<u8>>)>> {
        let cursor = cursor.map_or(String::new(), |cursor| format!("&cursor={cursor}"));
        let body = self.get(&format!("/poll?{query}{cursor}&timeout_ms=200"))?;
        if body.is_empty() {
            return Ok(None);
        }
        line::poll_answer(&body).map(Some).map_err(io::Error::other)
    }

    fn get(&mut self, path: &str) -> io::Result<Vec<u8>> {
        self.exchange(&format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"))
    }

    fn post(&mut self, packets: &str) -> io::Result<()> {
        let (path, length) =
            (format!("/socket.io/?EIO=4&transport=polling&sid={}", self.session), packets.len());
        self.exchange(&format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n\r\n{packets}"
        ))
        .map(drop)
    }

    /// A request and the body of its answer.
    fn exchange(&mut self, request: &str) -> io::Result<Vec<u8>> {
        self.stream.write_all(request.as_bytes())?;
        let head = self.head("HTTP/1.1 20")?.to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.map_or(0, |length| length.trim().parse().unwrap_or(0));
        while self.inbox.len() < length {
            self.more()?;
        }
        Ok(self.inbox.drain(..length).collect())
    }

    /// Reads the head of an answer, which is to begin like this.
    fn head(&mut self, begins: &str) -> io::Result<String> {
        loop {
            if let Some(end) = self.inbox.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&self.inbox[..end]).into_owned();
                self.inbox.drain(..end + 4);
                return if head.starts_with(begins) { Ok(head) } else { Err(io::Error::other(head)) };
            }
            self.more()?;
        }
    }

    fn more(&mut self) -> io::Result<()> {
        let mut bytes = [0; 16 << 10];
        match self.stream.read(&mut bytes)? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            count => {
                self.inbox.extend_from_slice(&bytes[..count]);
                Ok(())
            }
        }
    }
}
