//! Bytes as they arrive on a connection: what is read of them does not depend on how they are cut, and takes no more memory than
//! the limit allows.

use allocation_counter::measure;
use wire::envelope::{
    Decoder, Envelope,
    websocket::{Message, Violation, Window},
};

/// Of a message, in bytes.
const LIMIT: usize = 4096;
/// A message that is held and, where it is compressed, what is made of it; and the little that a decoder is itself.
const MOST_MEMORY: u64 = 2 * LIMIT as u64 + 1024;

/// A byte whose first bit says whether messages may be compressed, one with the length of the pieces, then frames.
pub(crate) fn websocket(data: &[u8]) {
    let Some((&[options, piece], bytes)) = data.split_first_chunk() else { return };
    let deflated = Envelope::DeflatedWebSocket(Window::Whole);
    let envelope = if options & 1 == 0 { Envelope::WebSocket } else { deflated };
    check(envelope, bytes, piece);
    // What inflates is the thread's: whatever the last client sent, the next one's messages are inflated.
    let hello = b"\xC1\x87\0\0\0\0\xF2\x48\xCD\xC9\xC9\x07\x00";
    assert_eq!(read(deflated, hello, hello.len()), (vec![('t', b"Hello".to_vec())], None));
}

/// A byte with the length of the pieces, then lines.
pub(crate) fn tcp(data: &[u8]) {
    let Some((&piece, bytes)) = data.split_first() else { return };
    let (lines, violation) = check(Envelope::Tcp, bytes, piece);
    let whole = bytes.split(|&byte| byte == b'\n').rev().skip(1).collect::<Vec<_>>().into_iter().rev();
    let trimmed = whole.map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let wanted: Vec<_> = trimmed.filter(|line| !line.is_empty()).map(|line| ('t', line.to_vec())).collect();
    assert!(wanted.starts_with(&lines));
    assert!(violation.is_some() || wanted == lines);
}

type Said = (Vec<(char, Vec<u8>)>, Option<Violation>);

fn check(envelope: Envelope, bytes: &[u8], piece: u8) -> Said {
    let at_once = read(envelope, bytes, bytes.len());
    let piece = usize::from(piece) + 1;
    assert_eq!(read(envelope, bytes, piece), at_once, "in pieces of {piece}");
    for (_, message) in &at_once.0 {
        assert!(message.len() <= LIMIT, "a message of {} bytes", message.len());
    }
    let mut scratch = bytes.to_vec();
    let used = measure(|| {
        let mut decoder = Decoder::new(envelope, LIMIT);
        for mut piece in scratch.chunks_mut(piece) {
            while matches!(decoder.next(&mut piece), Ok(Some(_))) {}
        }
    });
    assert!(used.bytes_max <= MOST_MEMORY, "{} bytes were claimed", used.bytes_max);
    at_once
}

/// What is read when `piece` bytes arrive at once.
fn read(envelope: Envelope, bytes: &[u8], piece: usize) -> Said {
    let mut decoder = Decoder::new(envelope, LIMIT);
    let (mut messages, mut scratch) = (Vec::new(), bytes.to_vec());
    for mut piece in scratch.chunks_mut(piece.max(1)) {
        loop {
            match decoder.next(&mut piece) {
                Ok(Some(message)) => messages.push(owned(message)),
                Ok(None) => break,
                Err(violation) => return (messages, Some(violation)),
            }
        }
    }
    (messages, None)
}

fn owned(message: Message<'_>) -> (char, Vec<u8>) {
    match message {
        Message::Text(text) => ('t', text.into()),
        Message::Binary(bytes) => ('b', bytes.into()),
        Message::Ping(bytes) => ('p', bytes.into()),
        Message::Pong(bytes) => ('q', bytes.into()),
        Message::Close(None) => ('c', Vec::new()),
        Message::Close(Some(close)) => ('c', [&close.code.to_be_bytes(), close.reason.as_bytes()].concat()),
    }
}
