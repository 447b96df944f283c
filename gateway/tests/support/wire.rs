//! A socket with nothing in between: what is written goes out as it is, and what comes is read as it comes.

use serde_json::Value;
use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

pub struct Wire {
    pub stream: TcpStream,
    inbox: Vec<u8>,
}

impl Wire {
    pub async fn connect(address: SocketAddr) -> Wire {
        Wire { stream: TcpStream::connect(address).await.unwrap(), inbox: Vec::new() }
    }

    /// A connection whose socket holds little.
    pub async fn narrow(address: SocketAddr) -> Wire {
        let stream = super::narrow(address);
        stream.set_nonblocking(true).unwrap();
        Wire { stream: TcpStream::from_std(stream).unwrap(), inbox: Vec::new() }
    }

    /// Asks for a path, with further lines of the head.
    pub async fn asking(address: SocketAddr, path: &str, head: &str) -> Wire {
        let mut wire = Wire::connect(address).await;
        wire.send(&format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n{head}\r\n")).await;
        wire
    }

    pub async fn send(&mut self, text: &str) {
        self.send_bytes(text.as_bytes()).await;
    }

    pub async fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// What comes up to and with this text.
    pub async fn until(&mut self, end: &str) -> String {
        loop {
            if let Some(at) = self.inbox.windows(end.len()).position(|window| window == end.as_bytes()) {
                let taken = self.inbox.drain(..at + end.len()).collect();
                return String::from_utf8(taken).unwrap();
            }
            assert!(self.read().await > 0, "ended before {end:?}: {}", String::from_utf8_lossy(&self.inbox));
        }
    }

    /// So many bytes.
    pub async fn bytes(&mut self, count: usize) -> Vec<u8> {
        while self.inbox.len() < count {
            assert!(self.read().await > 0, "ended within {count} bytes");
        }
        self.inbox.drain(..count).collect()
    }

    /// The connection ends, and nothing comes before.
    pub async fn ends(&mut self) {
        while self.read().await > 0 {}
        assert!(self.inbox.is_empty(), "{:?} comes before the end", self.inbox);
    }

    /// All that comes until the connection ends.
    pub async fn rest(&mut self) -> String {
        while self.read().await > 0 {}
        String::from_utf8(std::mem::take(&mut self.inbox)).unwrap()
    }

    async fn read(&mut self) -> usize {
        self.stream.read_buf(&mut self.inbox).await.expect("the connection is whole")
    }

    /// The next event of a stream: its id and its data.
    pub async fn event(&mut self) -> (Option<String>, String) {
        loop {
            let block = self.until("\n\n").await;
            let field =
                |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
            if let Some(data) = field("data: ") {
                return (field("id: "), data);
            }
        }
    }

    /// The next line, as JSON.
    pub async fn line(&mut self) -> Value {
        serde_json::from_str(&self.until("\n").await).unwrap()
    }

    /// The next line that is wanted, as JSON.
    pub async fn line_where(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let line = self.line().await;
            if wanted(&line) {
                return line;
            }
        }
    }
}
