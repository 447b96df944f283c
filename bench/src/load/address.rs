//! Where a server is, and the client's side of the WebSocket handshake with it, without I/O.

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

    /// Where to connect.
    ///
    /// # Errors
    /// If the name is not known.
    pub fn socket(&self) -> anyhow::Result<SocketAddr> {
        let host = &self.host;
        let mut found = host.to_socket_addrs().with_context(|| format!("look up {host}"))?;
        found.next().with_context(|| format!("{host} has no address"))
    }

    /// The client's part of the handshake, on the usual path if the address names none.
    pub fn request(&self, usual_path: &str) -> String {
        let host = &self.host;
        let path = self.path.as_deref().unwrap_or(usual_path);
        // A key is to be random so that no cache answers in the server's place; there is none on the way.
        format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ZGVwdGhjYXN0IGJlbmNoIQ==\r\n\r\n"
        )
    }
}

impl From<SocketAddr> for Address {
    fn from(socket: SocketAddr) -> Address {
        Address { host: socket.to_string(), path: None }
    }
}

/// How long the server's part of the handshake is, at the beginning of what it sent; `None` if its end has not come yet.
///
/// # Errors
/// If the server refuses, with its answer.
pub fn take_answer(bytes: &[u8]) -> anyhow::Result<Option<usize>> {
    let Some(end) = memmem::find(bytes, b"\r\n\r\n") else {
        ensure!(bytes.len() < MAX_HEAD, "the server does not answer the handshake as HTTP does");
        return Ok(None);
    };
    let head = String::from_utf8_lossy(&bytes[..end]);
    ensure!(head.starts_with("HTTP/1.1 101 "), "the server refused the handshake: {head}");
    Ok(Some(end + 4))
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

    #[test]
    fn the_usual_path_is_for_addresses_without_one() {
        let check = |url: &str, line: &str| {
            let request = Address::new(&url.parse().unwrap()).unwrap().request("/usual");
            assert_eq!(request.lines().next(), Some(line));
        };
        check("ws://localhost", "GET /usual HTTP/1.1");
        check("ws://localhost/feed", "GET /feed HTTP/1.1");
    }

    #[test]
    fn an_answer_is_taken_once_it_is_whole() {
        let answer = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\nframe";
        assert_eq!(take_answer(&answer[..answer.len() - 6]).unwrap(), None);
        assert_eq!(take_answer(answer).unwrap(), Some(answer.len() - 5));
        let error = take_answer(b"HTTP/1.1 503 Draining\r\n\r\n").unwrap_err();
        assert!(error.to_string().contains("503"), "{error}");
        assert!(take_answer(&[b'x'; MAX_HEAD]).is_err());
    }
}
