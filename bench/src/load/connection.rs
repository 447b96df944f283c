//! One WebSocket of a client: the handshake, and frames.

use crate::websocket::{self, Opcode, take_frame};
use anyhow::{Context, ensure};
use std::{io, net::SocketAddr};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::yield_now,
};
use url::Url;

/// Room for what is read at once, at the least.
const READ: usize = 64 << 10;
/// The longest answer to a handshake.
const MAX_HEAD: usize = 16 << 10;

/// Where a gateway is.
#[derive(Debug, Clone)]
pub struct Address {
    /// `host:port`.
    host: String,
    /// Path and query, if they are not those of the speech.
    path: Option<String>,
}

impl Address {
    /// Reads a `ws:` URL.
    ///
    /// # Errors
    /// If it is of another kind.
    pub fn new(url: &Url) -> anyhow::Result<Address> {
        ensure!(url.scheme() == "ws", "{url}: load is measured without TLS, use a ws: URL");
        let (host, port) =
            url.host_str().zip(url.port_or_known_default()).context("the URL names no host")?;
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let path = (url.path() != "/").then(|| format!("{}{query}", url.path()));
        Ok(Address { host: format!("{host}:{port}"), path })
    }
}

impl From<SocketAddr> for Address {
    fn from(socket: SocketAddr) -> Address {
        Address { host: socket.to_string(), path: None }
    }
}

/// A connection whose handshake is done.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    /// What was read and not taken.
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects and shakes hands, on the usual path if the address names none.
    ///
    /// # Errors
    /// If the server does not, with its answer.
    pub async fn open(address: &Address, usual_path: &str) -> anyhow::Result<Connection> {
        let Address { host, path } = address;
        let path = path.as_deref().unwrap_or(usual_path);
        let stream = TcpStream::connect(host).await.with_context(|| format!("connect to {host}"))?;
        stream.set_nodelay(true)?;
        let mut connection = Connection { stream, buffer: Vec::new() };
        // A key is to be random so that no cache answers in the server's place; there is none on the way.
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ZGVwdGhjYXN0IGJlbmNoIQ==\r\n\r\n"
        );
        connection.stream.write_all(request.as_bytes()).await?;
        connection.read_head().await.with_context(|| format!("shake hands with {host}{path}"))?;
        Ok(connection)
    }

    async fn read_head(&mut self) -> anyhow::Result<()> {
        let end = loop {
            ensure!(self.read().await? > 0 && self.buffer.len() < MAX_HEAD, "the server did not answer it");
            if let Some(end) = memchr::memmem::find(&self.buffer, b"\r\n\r\n") {
                break end + 4;
            }
        };
        let head = String::from_utf8_lossy(&self.buffer[..end]);
        ensure!(head.starts_with("HTTP/1.1 101 "), "{}", head.trim_end());
        self.buffer.drain(..end);
        Ok(())
    }

    /// Sends a text message.
    ///
    /// # Errors
    /// If the connection is broken.
    pub async fn send(&mut self, text: &str) -> io::Result<()> {
        let mut frame = Vec::new();
        websocket::push_text(&mut frame, text);
        self.write(&frame).await
    }

    /// Sends ready-made frames.
    ///
    /// # Errors
    /// If the connection is broken.
    pub async fn write(&mut self, frames: &[u8]) -> io::Result<()> {
        self.stream.write_all(frames).await
    }

    /// Waits for bytes and reads once. Returns how many; 0 is the end.
    ///
    /// # Errors
    /// If the connection is broken.
    pub async fn read(&mut self) -> io::Result<usize> {
        self.buffer.reserve(READ);
        let read = self.stream.read_buf(&mut self.buffer).await?;
        if read >= READ {
            // There is more at once; the other connections of this thread have waited meanwhile.
            yield_now().await;
        }
        Ok(read)
    }

    /// Gives all whole frames that were read to `f`, in order, and forgets them.
    pub fn take_frames(&mut self, mut f: impl FnMut(Opcode, &[u8])) {
        let mut rest = &self.buffer[..];
        while let Some((opcode, payload)) = take_frame(&mut rest) {
            f(opcode, payload);
        }
        let taken = self.buffer.len() - rest.len();
        self.buffer.drain(..taken);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_host_port_and_path() {
        let check = |url: &str, host: &str, path: Option<&str>| {
            let address = Address::new(&url.parse().unwrap()).unwrap();
            assert_eq!((&*address.host, address.path.as_deref()), (host, path));
        };
        check("ws://localhost", "localhost:80", None);
        check("ws://127.0.0.1:9000/feed?ping_s=5", "127.0.0.1:9000", Some("/feed?ping_s=5"));
        check("ws://[::1]:9000/feed", "[::1]:9000", Some("/feed"));
        assert!(Address::new(&"wss://localhost/feed".parse().unwrap()).is_err());
    }
}
