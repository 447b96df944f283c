//! Frames from the server: unmasked, never fragmented, written straight into the buffer that they are sent from.

use super::{
    MAX_CONTROL_PAYLOAD, Opcode,
    deflate::{self, Window},
    header::RSV1,
};
use std::borrow::Cow;

/// Bytes in a header with a 16-bit length: what most messages of a feed need.
const MEDIUM_HEADER: usize = 4;

/// Appends one frame with the payload that `body` appends. Room for the header is left in front of the payload, which is
/// moved only when its length needs another header than most.
pub fn frame(out: &mut Vec<u8>, opcode: Opcode, body: impl FnOnce(&mut Vec<u8>)) {
    let start = begin(out, body);
    end(out, start, opcode as u8);
}

/// Appends one frame as [`frame`] does, and compresses its payload where that makes it shorter: for a client with which
/// permessage-deflate was agreed on.
pub fn deflated_frame(out: &mut Vec<u8>, opcode: Opcode, window: Window, body: impl FnOnce(&mut Vec<u8>)) {
    let start = begin(out, body);
    let rsv1 = if deflate::shrink(out, start + MEDIUM_HEADER, window) { RSV1 } else { 0 };
    end(out, start, rsv1 | opcode as u8);
}

/// Appends a payload behind room for its header, and says where that is.
fn begin(out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) -> usize {
    let start = out.len();
    out.extend_from_slice(&[0; MEDIUM_HEADER]);
    body(out);
    start
}

/// Writes the header of the frame that begins at `start`.
fn end(out: &mut Vec<u8>, start: usize, first: u8) {
    let length = out.len() - start - MEDIUM_HEADER;
    let (header, size) = header(first, length);
    if size == MEDIUM_HEADER {
        out[start..start + MEDIUM_HEADER].copy_from_slice(&header[..MEDIUM_HEADER]);
    } else {
        out.splice(start..start + MEDIUM_HEADER, header[..size].iter().copied());
    }
}

/// The header of an unmasked, unfragmented frame with this opcode and these reserved bits, and how many bytes of it count.
fn header(first: u8, length: usize) -> ([u8; 10], usize) {
    let mut header = [0; 10];
    header[0] = 0x80 | first;
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short @ 0..=125), _) => {
            header[1] = short;
            (header, 2)
        }
        (_, Ok(medium)) => {
            header[1] = 126;
            header[2..4].copy_from_slice(&medium.to_be_bytes());
            (header, 4)
        }
        _ => {
            header[1] = 127;
            header[2..10].copy_from_slice(&(length as u64).to_be_bytes());
            (header, 10)
        }
    }
}

/// How long the header and the payload are of the frame of ours that begins `bytes`; `None` if the header is not there whole.
pub fn frame_lengths(bytes: &[u8]) -> Option<(usize, usize)> {
    let number = |bytes: &[u8]| bytes.iter().fold(0, |length, &byte| length << 8 | usize::from(byte));
    match *bytes.get(1)? {
        126 => Some((4, number(bytes.get(2..4)?))),
        127 => Some((10, number(bytes.get(2..10)?))),
        short => Some((2, short.into())),
    }
}

/// The payload of a frame of ours, inflated if it is compressed; `None` if it is not whole.
pub(in crate::envelope) fn body(frame: &[u8]) -> Option<Cow<'_, [u8]>> {
    let (header, length) = frame_lengths(frame)?;
    let payload = frame.get(header..header + length)?;
    match frame[0] & RSV1 {
        0 => Some(Cow::Borrowed(payload)),
        // It was made here: no bound is needed beyond that of the format.
        _ => deflate::inflate(payload, u32::MAX as usize).ok().map(Cow::Owned),
    }
}

/// Appends a close frame; without a status there is no payload. A reason is cut to 123 bytes, between characters.
pub fn push_close(out: &mut Vec<u8>, status: Option<(u16, &str)>) {
    frame(out, Opcode::Close, |body| {
        if let Some((code, reason)) = status {
            body.extend_from_slice(&code.to_be_bytes());
            let end = reason.floor_char_boundary(MAX_CONTROL_PAYLOAD - 2);
            body.extend_from_slice(&reason.as_bytes()[..end]);
        }
    });
}

/// Appends a ping.
///
/// # Panics
/// If the payload is longer than [`MAX_CONTROL_PAYLOAD`].
pub fn push_ping(out: &mut Vec<u8>, payload: &[u8]) {
    push_control(out, Opcode::Ping, payload);
}

/// Appends a pong, with the payload of the ping that it answers.
///
/// # Panics
/// If the payload is longer than [`MAX_CONTROL_PAYLOAD`].
pub fn push_pong(out: &mut Vec<u8>, payload: &[u8]) {
    push_control(out, Opcode::Pong, payload);
}

fn push_control(out: &mut Vec<u8>, opcode: Opcode, payload: &[u8]) {
    assert!(payload.len() <= MAX_CONTROL_PAYLOAD, "a control frame holds at most 125 bytes");
    frame(out, opcode, |body| body.extend_from_slice(payload));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_length_has_its_shortest_header() {
        let check = |length: usize, header: &[u8]| {
            let mut out = b"before".to_vec();
            frame(&mut out, Opcode::Text, |body| body.resize(body.len() + length, b'x'));
            assert_eq!(&out[..6], b"before");
            assert_eq!(&out[6..6 + header.len()], header, "{length}");
            assert_eq!(out.len(), 6 + header.len() + length);
            assert_eq!(frame_lengths(&out[6..]), Some((header.len(), length)));
            assert_eq!(frame_lengths(&out[6..5 + header.len()]), None);
            assert!(out[6 + header.len()..].iter().all(|&byte| byte == b'x'));
        };
        check(0, &[0x81, 0]);
        check(125, &[0x81, 125]);
        check(126, &[0x81, 126, 0, 126]);
        check(65_535, &[0x81, 126, 0xFF, 0xFF]);
        check(65_536, &[0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
    }

    #[test]
    fn a_long_reason_is_cut_between_characters() {
        let mut out = Vec::new();
        push_close(&mut out, Some((1008, &"ü".repeat(100))));
        assert_eq!(out[1], 124, "2 bytes of code, 61 characters of 2 bytes");
        assert!(std::str::from_utf8(&out[4..]).is_ok());
    }

    #[test]
    fn a_close_without_a_status_is_empty() {
        let mut out = Vec::new();
        push_close(&mut out, None);
        assert_eq!(out, [0x88, 0]);
    }
}
