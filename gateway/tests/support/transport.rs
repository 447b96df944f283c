//! A client's connection over each transport, by sockets that block: how it begins, what is sent for a request, and what comes.
//! It knows the transports and not what is said over them.

use ::wire::{
    envelope::{Envelope, socketio::SEPARATOR, websocket::NATIVE_SBE},
    message::Encoding,
    token::Token,
};
use simulation::line::{self, Item};
use socket2::SockRef;
use std::{
    io::{self, ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

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

impl Transport {
    /// Where it is spoken: of the gateway's addresses, that of HTTP or that of plain TCP.
    pub fn address(self, [http, tcp]: [SocketAddr; 2]) -> SocketAddr {
        if self == Transport::Tcp { tcp } else { http }
    }

    /// Whether a client can ask for something once it is connected. Where not, all that it wants stands in the query.
    pub fn takes_requests(self) -> bool {
        !matches!(self, Transport::Sse | Transport::LongPoll)
    }

    fn envelope(self) -> Envelope {
        match self {
            Transport::WebSocket => Envelope::WebSocket,
            Transport::SocketIo | Transport::SocketIoPolling => Envelope::SocketIo,
            Transport::Sse => Envelope::Sse,
            Transport::Tcp => Envelope::Tcp,
            Transport::LongPoll => Envelope::LongPoll,
        }
    }
}

/// A connection.
pub struct Connection {
    pub transport: Transport,
    /// How what comes is wrapped.
    envelope: Envelope,
    stream: TcpStream,
    /// What has not arrived whole.
    inbox: Vec<u8>,
    /// The session of Socket.IO over long polling.
    session: String,
}

/// What a client wants, and how it says so where that is part of the beginning.
pub struct Query {
    /// Where WebSockets of its dialect are, with what they are asked for.
    pub path: &'static str,
    /// What it wants of a stream or a poll.
    pub text: String,
    /// From where on.
    pub since: Option<Token>,
    /// Whether a stream says that by its header.
    pub by_header: bool,
    /// How events are to be encoded, where that is said at the beginning and not by the path.
    pub encoding: Encoding,
}

impl Connection {
    /// Does over a stream what comes before requests.
    pub fn begin(stream: TcpStream, transport: Transport, query: &Query) -> io::Result<Connection> {
        let envelope = transport.envelope();
        let mut connection =
            Connection { transport, envelope, stream, inbox: Vec::new(), session: String::new() };
        match transport {
            Transport::WebSocket if query.encoding == Encoding::Sbe => {
                connection.upgrade(query.path, &format!("Sec-WebSocket-Protocol: {NATIVE_SBE}\r\n"))?;
            }
            Transport::WebSocket => connection.upgrade(query.path, "")?,
            Transport::Tcp if query.encoding == Encoding::Sbe => connection.hello()?,
            Transport::SocketIo => {
                connection.upgrade("/socket.io/?EIO=4&transport=websocket&heartbeat_ms=250", "")?;
                connection.stream.write_all(&line::masked("40"))?;
            }
            Transport::SocketIoPolling => {
                let opened = connection.get("/socket.io/?EIO=4&transport=polling&heartbeat_ms=250")?;
                let json: serde_json::Value = serde_json::from_slice(&opened[1..])?;
                connection.session = json["sid"].as_str().unwrap_or_default().to_owned();
                connection.post("40")?;
            }
            Transport::Sse => connection.begin_events(query)?,
            Transport::Tcp | Transport::LongPoll => {}
        }
        Ok(connection)
    }

    /// Its own address.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        self.stream.local_addr()
    }

    /// Agrees on binary events.
    fn hello(&mut self) -> io::Result<()> {
        self.stream.write_all(b"{\"method\":\"hello\",\"encoding\":\"sbe\"}\n")?;
        let is_answer = |line: &[u8]| line.starts_with(b"{\"method\":\"hello\",\"success\":true");
        loop {
            if let Some(end) = self.inbox.iter().position(|&byte| byte == b'\n') {
                let line: Vec<u8> = self.inbox.drain(..=end).collect();
                if is_answer(&line) {
                    self.envelope = Envelope::LengthPrefixed;
                    return Ok(());
                }
            } else {
                self.more()?;
            }
        }
    }

    fn upgrade(&mut self, path: &str, header: &str) -> io::Result<()> {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{header}\r\n"
        );
        self.stream.write_all(request.as_bytes())?;
        self.head("HTTP/1.1 101").map(drop)
    }

    fn begin_events(&mut self, query: &Query) -> io::Result<()> {
        let mut path = format!("/sse?{}&heartbeat_ms=250", query.text);
        let mut header = String::new();
        match &query.since {
            Some(since) if query.by_header => header = format!("Last-Event-ID: {since}\r\n"),
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
            _ => self.stream.write_all(&line::request(self.envelope, method, params)),
        }
    }

    /// Asks for what comes next, where a client has to ask, and does not read the answer.
    pub fn ask(&mut self, query: &str, cursor: Option<&Token>) -> io::Result<()> {
        match self.transport {
            Transport::LongPoll => self.send_get(&poll_path(query, cursor)),
            Transport::SocketIoPolling => self.send_get(&self.session_path()),
            _ => Ok(()),
        }
    }

    /// Goes without a word: what is under way is thrown away.
    pub fn reset(self) -> io::Result<()> {
        SockRef::from(&self.stream).set_linger(Some(Duration::ZERO))
    }

    /// The session of Socket.IO over long polling, which outlives its connection.
    pub fn session(&self) -> &str {
        &self.session
    }

    /// Speaks of such a session over another stream.
    pub fn of_session(stream: TcpStream, session: &str) -> Connection {
        let (transport, session) = (Transport::SocketIoPolling, session.to_owned());
        Connection { transport, envelope: transport.envelope(), stream, inbox: Vec::new(), session }
    }

    /// Goes in good order.
    pub fn end(mut self) -> io::Result<()> {
        if self.transport == Transport::SocketIoPolling {
            self.post("1")?;
            // The session is there until what waited for its client is fetched.
            while self.get(&self.session_path())? != b"1" {}
        }
        Ok(())
    }

    /// Sends the beginning of something.
    pub fn send_part(&mut self) -> io::Result<()> {
        self.stream.write_all(&line::request(self.envelope, "list", "{}")[..5])
    }

    /// What came, at least something.
    pub fn read(&mut self) -> io::Result<Vec<Item>> {
        if self.transport == Transport::SocketIoPolling {
            return self.fetch();
        }
        loop {
            let items = line::take_items(self.envelope, &mut self.inbox);
            if !items.is_empty() {
                return Ok(items);
            }
            self.more()?;
        }
    }

    fn fetch(&mut self) -> io::Result<Vec<Item>> {
        let body = self.get(&self.session_path())?;
        Ok(body.split(|&byte| byte == SEPARATOR).filter_map(line::packet).collect())
    }

    fn session_path(&self) -> String {
        format!("/socket.io/?EIO=4&transport=polling&sid={}", self.session)
    }

    /// One poll: its cursor and its messages; `None` if there was nothing in time.
    pub fn poll(
        &mut self,
        query: &str,
        cursor: Option<&Token>,
    ) -> io::Result<Option<(String, Vec<Vec<u8>>)>> {
        let body = self.get(&poll_path(query, cursor))?;
        if body.is_empty() {
            return Ok(None);
        }
        line::poll_answer(&body).map(Some).map_err(io::Error::other)
    }

    fn get(&mut self, path: &str) -> io::Result<Vec<u8>> {
        self.send_get(path)?;
        self.answer()
    }

    fn send_get(&mut self, path: &str) -> io::Result<()> {
        self.stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes())
    }

    fn post(&mut self, packets: &str) -> io::Result<()> {
        let (path, length) = (self.session_path(), packets.len());
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n\r\n{packets}"
        );
        self.stream.write_all(request.as_bytes())?;
        self.answer().map(drop)
    }

    /// The body of an answer.
    fn answer(&mut self) -> io::Result<Vec<u8>> {
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

fn poll_path(query: &str, cursor: Option<&Token>) -> String {
    let cursor = cursor.map_or(String::new(), |cursor| format!("&cursor={cursor}"));
    format!("/poll?{query}{cursor}&timeout_ms=200")
}
