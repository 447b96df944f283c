//! The server's side of the WebSocket handshake (RFC 6455 section 4.2.2), as little of it as the floor needs.

use anyhow::{Context, bail};
use base64::{Engine, prelude::BASE64_STANDARD};
use sha1::{Digest, Sha1};

const HEADERS: usize = 32;

/// The answer to a handshake; `None` if its end has not come yet.
///
/// # Errors
/// If it is none.
pub fn answer(head: &[u8]) -> anyhow::Result<Option<Vec<u8>>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    if request.parse(head).context("read a handshake")?.is_partial() {
        return Ok(None);
    }
    let mut headers = request.headers.iter();
    let Some(key) = headers.find(|header| header.name.eq_ignore_ascii_case("sec-websocket-key")) else {
        bail!("the floor answers only WebSocket handshakes");
    };
    let accept = BASE64_STANDARD.encode(Sha1::new().chain_update(key.value).chain_update(GUID).finalize());
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    Ok(Some(answer.into_bytes()))
}

const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_rfc_is_answered_as_there() {
        let head = b"GET /feed HTTP/1.1\r\nHost: x\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        let text = String::from_utf8(answer(head).unwrap().unwrap()).unwrap();
        assert!(text.contains("\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"), "{text}");
        assert_eq!(answer(&head[..40]).unwrap(), None);
        assert!(answer(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").is_err());
    }
}
