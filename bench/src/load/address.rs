//! Where a server is, and how a connection with it is opened, without I/O.

use anyhow::{Context, ensure};
use memchr::memmem;
use std::net::{SocketAddr, ToSocketAddrs};
use url::Url;

/// The longest answer to a handshake.
const MAX_HEAD: usize = 16 << 10;

/// Where a server is.
#[derive(Debug, Clone)]
pub struct Address {
    /// `host:port`.
    host: String,
    /// Path and query, if they are not those of the speech.
    path: Option<String>,
}

/// How a connection begins. A path is the usual one of the speech.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opening {
    /// An HTTP request to go on as a WebSocket.
    Upgrade(String),
    /// An HTTP request whose answer has no end.
    Stream(String),
    /// Nothing is said beforehand.
    Plain,
}

impl Address {
    /// Reads a `ws:`, `http:` or `tcp:` URL.
    ///
    /// # Errors
    /// If it is of another kind, or names no port where there is no usual one.
    pub fn new(url: &Url) -> anyhow::Result<Address> {
        let is_known = ["ws", "http", "tcp"].contains(&url.scheme());
        ensure!(is_known, "{url}: load is measured without TLS, use a ws:, http: or tcp: URL");
        let (host, port) =
            url.host_str().zip(url.port_or_known_default()).context("the URL names no host and port")?;
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let path = (!["", "/"].contains(&url.path())).then(|| format!("{}{query}", url.path()));
        Ok(Address { host: format!("{host}:{port}"), path })
    }

    /// Where to connect.
    ///
    /// # Errors
    /// If the name is not known.
    pub fn socket(&self) -> anyhow::Result<SocketAddr> {
        let host = &self.host;
        let mut found = host.to_socket_addrs().with_context(|| format!("look up {host}"))?;
        found.next().with_context(|| format!("{host} has no address"))
    }

    /// What is sent first, to the usual path if the address names none.
    pub fn request(&self, opening: &Opening) -> String {
        let host = &self.host;
        let or_ours = |usual| self.path.as_deref().unwrap_or(usual);
        match opening {
            // A key is to be random so that no cache answers in the server's place; there is none on the way.
            Opening::Upgrade(usual) => format!(
                "GET {} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                 Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ZGVwdGhjYXN0IGJlbmNoIQ==\r\n\r\n",
                or_ours(usual)
            ),
            Opening::Stream(usual) => format!(
                "GET {} HTTP/1.1\r\nHost: {host}\r\nAccept: text/event-stream\r\n\r\n",
                or_ours(usual)
            ),
            Opening::Plain => String::new(),
        }
    }
}

impl From<SocketAddr> for Address {
    fn from(socket: SocketAddr) -> Address {
        Address { host: socket.to_string(), path: None }
    }
}

impl Opening {
    /// How long the server's answer is, at the beginning of what it sent; `None` if its end has not come yet.
    ///
    /// # Errors
    /// If the server refuses, with its answer.
    pub fn take_answer(&self, bytes: &[u8]) -> anyhow::Result<Option<usize>> {
        let wanted = match self {
            Opening::Upgrade(_) => "HTTP/1.1 101 ",
            Opening::Stream(_) => "HTTP/1.1 200 ",
            Opening::Plain => return Ok(Some(0)),
        };
        let Some(end) = memmem::find(bytes, b"\r\n\r\n") else {
            ensure!(bytes.len() < MAX_HEAD, "the server does not answer the handshake as HTTP does");
            return Ok(None);
        };
        let head = String::from_utf8_lossy(&bytes[..end]);
        ensure!(head.starts_with(wanted), "the server refused the handshake: {head}");
        Ok(Some(end + 4))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upgrade() -> Opening {
        Opening::Upgrade("/usual".into())
    }

    #[test]
    fn an_address_is_host_port_and_path() {
        let check = |url: &str, host: &str, path: Option<&str>| {
            let address = Address::new(&url.parse().unwrap()).unwrap();
            assert_eq!((&*address.host, address.path.as_deref()), (host, path));
        };
        check("ws://localhost", "localhost:80", None);
        check("ws://127.0.0.1:9000/feed?ping_s=5", "127.0.0.1:9000", Some("/feed?ping_s=5"));
        check("ws://[::1]:9000/feed", "[::1]:9000", Some("/feed"));
        check("http://localhost:9000", "localhost:9000", None);
        check("tcp://127.0.0.1:9001", "127.0.0.1:9001", None);
        assert!(Address::new(&"wss://localhost/feed".parse().unwrap()).is_err());
        assert!(Address::new(&"tcp://localhost".parse().unwrap()).is_err());
    }

    #[test]
    fn the_usual_path_is_for_addresses_without_one() {
        let check = |url: &str, line: &str| {
            for opening in [upgrade(), Opening::Stream("/usual".into())] {
                let request = Address::new(&url.parse().unwrap()).unwrap().request(&opening);
                assert_eq!(request.lines().next(), Some(line));
            }
        };
        check("ws://localhost", "GET /usual HTTP/1.1");
        check("ws://localhost/feed", "GET /feed HTTP/1.1");
    }

    #[test]
    fn an_answer_is_taken_once_it_is_whole() {
        let answer = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\nframe";
        assert_eq!(upgrade().take_answer(&answer[..answer.len() - 6]).unwrap(), None);
        assert_eq!(upgrade().take_answer(answer).unwrap(), Some(answer.len() - 5));
        let error = upgrade().take_answer(b"HTTP/1.1 503 Draining\r\n\r\n").unwrap_err();
        assert!(error.to_string().contains("503"), "{error}");
        assert!(upgrade().take_answer(&[b'x'; MAX_HEAD]).is_err());
        let stream = Opening::Stream("/usual".into());
        assert_eq!(stream.take_answer(b"HTTP/1.1 200 OK\r\n\r\ndata").unwrap(), Some(19));
        assert!(stream.take_answer(answer).is_err());
        assert_eq!(Opening::Plain.take_answer(b"line").unwrap(), Some(0));
    }
}
