//! How messages are told apart in what a server sends. What they say is not known here.

use crate::websocket::{self, Opcode, take_frame};
use memchr::{memchr, memmem};

/// What stands between two messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// Frames of a WebSocket.
    WebSocket,
    /// Server-sent events, each with one line of data.
    Events,
    /// Line feeds.
    Lines,
}

/// What was taken off a stream.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// A message.
    Message(&'a [u8]),
    /// A ping of the WebSocket, which wants a pong with the same payload.
    Ping(&'a [u8]),
    /// What says nothing: comments, pongs.
    Nothing,
}

impl Framing {
    /// Takes the first whole piece off `bytes`. `None`, and `bytes` as they were, if its end has not come yet.
    #[inline]
    pub fn take<'a>(self, bytes: &mut &'a [u8]) -> Option<Piece<'a>> {
        match self {
            Framing::WebSocket => {
                let (opcode, payload) = take_frame(bytes)?;
                Some(match opcode {
                    Opcode::TEXT | Opcode::BINARY => Piece::Message(payload),
                    Opcode::PING => Piece::Ping(payload),
                    _ => Piece::Nothing,
                })
            }
            Framing::Events => take_event(bytes),
            Framing::Lines => {
                let end = memchr(b'\n', bytes)?;
                let line = &bytes[..end];
                *bytes = &bytes[end + 1..];
                Some(Piece::Message(line))
            }
        }
    }

    /// Appends a message of ours. There is no way to say something on a stream of events.
    pub fn push(self, out: &mut Vec<u8>, text: &str) {
        match self {
            Framing::WebSocket => websocket::push_text(out, text),
            Framing::Lines => {
                out.extend_from_slice(text.as_bytes());
                out.push(b'\n');
            }
            Framing::Events => {}
        }
    }
}

const DATA: &[u8] = b"data: ";

/// An event ends with an empty line. Its lines may stand in any order; nearly always the data are all that there is.
#[inline]
fn take_event<'a>(bytes: &mut &'a [u8]) -> Option<Piece<'a>> {
    if let Some(data) = bytes.strip_prefix(DATA)
        && let Some(end) = memchr(b'\n', data)
        && data.get(end + 1) == Some(&b'\n')
    {
        *bytes = &data[end + 2..];
        return Some(Piece::Message(&data[..end]));
    }
    let end = memmem::find(bytes, b"\n\n")?;
    let (event, rest) = (&bytes[..end], &bytes[end + 2..]);
    let data = event.split(|&byte| byte == b'\n').find_map(|line| line.strip_prefix(DATA));
    *bytes = rest;
    Some(data.map_or(Piece::Nothing, Piece::Message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::envelope::{sse, tcp};

    /// What is taken of a stream, wherever it is cut.
    fn check(framing: Framing, stream: &[u8], expected: &[&str]) {
        for cut in 0..=stream.len() {
            let mut taken = Vec::new();
            let mut rest = &stream[..cut];
            let mut take_all = |rest: &mut &[u8]| {
                while let Some(piece) = framing.take(rest) {
                    if let Piece::Message(text) = piece {
                        taken.push(String::from_utf8(text.to_vec()).unwrap());
                    }
                }
            };
            take_all(&mut rest);
            let mut rest = &stream[cut - rest.len()..];
            take_all(&mut rest);
            assert!(rest.is_empty());
            assert_eq!(taken, expected, "cut at {cut}");
        }
    }

    #[test]
    fn events_end_with_an_empty_line_whatever_else_is_in_them() {
        let mut stream = Vec::new();
        sse::push_event(&mut stream, |data| data.extend_from_slice(b"{\"a\":1}"));
        sse::push_comment(&mut stream);
        sse::push_event(&mut stream, |data| data.extend_from_slice(b"{\"a\":2}"));
        sse::push_id(&mut stream, |id| id.extend_from_slice(b"9c41:BTC/USDT@10=7"));
        stream.extend_from_slice(b"id: 7:0\ndata: {\"a\":3}\n\n: hi\n\n");
        check(Framing::Events, &stream, &["{\"a\":1}", "{\"a\":2}", "{\"a\":3}"]);
    }

    #[test]
    fn a_line_is_a_message() {
        let mut stream = Vec::new();
        tcp::push_line(&mut stream, |text| text.extend_from_slice(b"{\"a\":1}"));
        tcp::push_line(&mut stream, |text| text.extend_from_slice(b"{\"a\":2}"));
        check(Framing::Lines, &stream, &["{\"a\":1}", "{\"a\":2}"]);
    }
}
