//! The WebSocket codec: against RFC 6455 rule by rule, and RFC 7692 where messages are compressed, against a plain model of a reader, against fastwebsockets as the
//! client, and against clients that want its memory.

mod deflate;
mod memory;
mod model;
mod peer;
mod rules;

use wire::envelope::websocket::{Decoder, Message, Violation};

/// The default limit of an inbound message.
const LIMIT: usize = 64 << 10;

const FIN: u8 = 0x80;
const CONTINUATION: u8 = 0x0;
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = FIN | 0x8;
const PING: u8 = FIN | 0x9;
const PONG: u8 = FIN | 0xA;

/// A message that outlives its buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Owned {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<(u16, String)>),
}

impl From<Message<'_>> for Owned {
    fn from(message: Message<'_>) -> Owned {
        match message {
            Message::Text(text) => Owned::Text(text.into()),
            Message::Binary(bytes) => Owned::Binary(bytes.into()),
            Message::Ping(bytes) => Owned::Ping(bytes.into()),
            Message::Pong(bytes) => Owned::Pong(bytes.into()),
            Message::Close(close) => Owned::Close(close.map(|close| (close.code, close.reason.into()))),
        }
    }
}

/// What a decoder makes of `bytes` when they arrive in pieces of these lengths, then the rest at once.
fn read(bytes: &[u8], pieces: &[usize], limit: usize) -> (Vec<Owned>, Option<Violation>) {
    read_by(Decoder::new(limit), bytes, pieces)
}

/// What this decoder makes of it.
fn read_by(mut decoder: Decoder, bytes: &[u8], pieces: &[usize]) -> (Vec<Owned>, Option<Violation>) {
    let mut messages = Vec::new();
    let mut bytes = bytes.to_vec();
    let mut rest = &mut bytes[..];
    let mut pieces = pieces.iter().copied();
    while !rest.is_empty() {
        let length = pieces.next().unwrap_or(rest.len()).min(rest.len());
        let (mut piece, behind) = rest.split_at_mut(length);
        rest = behind;
        loop {
            match decoder.next(&mut piece) {
                Ok(Some(message)) => messages.push(message.into()),
                Ok(None) => break,
                Err(violation) => return (messages, Some(violation)),
            }
        }
    }
    (messages, None)
}

/// A client's frame with a header as short as can be.
fn client(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![first];
    match payload.len() {
        short @ 0..=125 => out.push(0x80 | short as u8),
        medium @ 126..=65_535 => {
            out.push(0x80 | 126);
            out.extend_from_slice(&(medium as u16).to_be_bytes());
        }
        long => {
            out.push(0x80 | 127);
            out.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    push_masked(&mut out, [0x37, 0xFA, 0x21, 0x3D], payload);
    out
}

fn push_masked(out: &mut Vec<u8>, mask: [u8; 4], payload: &[u8]) {
    out.extend_from_slice(&mask);
    out.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
}
