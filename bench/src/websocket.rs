//! The client's side of the WebSocket protocol (RFC 6455), as little of it as measuring needs.

/// Appends a text message as one frame. The masking key is zero: nobody between here and the server is to be fooled.
pub fn push_text(out: &mut Vec<u8>, text: &str) {
    push_frame(out, Opcode::TEXT, text.as_bytes());
}

/// Appends a binary message as one frame, as [`push_text`] does.
pub fn push_binary(out: &mut Vec<u8>, bytes: &[u8]) {
    push_frame(out, Opcode::BINARY, bytes);
}

/// Appends a pong to a ping with this payload.
pub fn push_pong(out: &mut Vec<u8>, payload: &[u8]) {
    push_frame(out, Opcode::PONG, payload);
}

/// What a frame is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opcode(u8);

impl Opcode {
    /// A text message.
    pub const TEXT: Opcode = Opcode(1);
    /// A binary message.
    pub const BINARY: Opcode = Opcode(2);
    /// To be answered with a pong.
    pub const PING: Opcode = Opcode(9);
    /// The answer to a ping.
    const PONG: Opcode = Opcode(10);
}

/// Takes the first whole frame off `bytes`: an unmasked one in a single fragment, as depthcast sends them. `None`, and
/// `bytes` as they were, if its end has not come yet.
pub fn take_frame<'a>(bytes: &mut &'a [u8]) -> Option<(Opcode, &'a [u8])> {
    let (opcode, length, rest) = match **bytes {
        [first, 126, a, b, ref rest @ ..] => (first, u16::from_be_bytes([a, b]).into(), rest),
        [first, 127, a, b, c, d, e, f, g, h, ref rest @ ..] => {
            (first, usize::try_from(u64::from_be_bytes([a, b, c, d, e, f, g, h])).ok()?, rest)
        }
        [first, length @ ..=125, ref rest @ ..] => (first, length.into(), rest),
        _ => return None,
    };
    let (payload, rest) = rest.split_at_checked(length)?;
    *bytes = rest;
    Some((Opcode(opcode & 0xF), payload))
}

fn push_frame(out: &mut Vec<u8>, opcode: Opcode, payload: &[u8]) {
    const MASKED: u8 = 0x80;
    out.push(0x80 | opcode.0);
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(short @ ..=125), _) => out.push(MASKED | short),
        (_, Ok(medium)) => {
            out.push(MASKED | 126);
            out.extend_from_slice(&medium.to_be_bytes());
        }
        _ => {
            out.push(MASKED | 127);
            out.extend_from_slice(&(payload.len() as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(payload);
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::envelope::websocket::{self, Decoder, Message};

    #[test]
    fn frames_of_the_server_are_taken_one_by_one_and_only_whole() {
        for length in [0, 125, 126, 65_535, 65_536] {
            let text = vec![b'x'; length];
            let mut stream = Vec::new();
            websocket::push_ping(&mut stream, b"hello");
            websocket::frame(&mut stream, websocket::Opcode::Text, |body| body.extend_from_slice(&text));
            let whole = stream.len();
            for end in [0, 1, 6, 8, whole - 1] {
                let mut rest = &stream[..end];
                while take_frame(&mut rest).is_some() {}
                assert!(end < 7 && rest.len() == end || rest.len() == end - 7, "{length}, cut at {end}");
            }
            let mut rest = &stream[..];
            assert_eq!(take_frame(&mut rest), Some((Opcode::PING, &b"hello"[..])));
            assert_eq!(take_frame(&mut rest), Some((Opcode::TEXT, &text[..])));
            assert!(rest.is_empty());
        }
    }

    #[test]
    fn the_server_reads_what_is_sent() {
        for length in [2, 125, 126, 65_535, 65_536] {
            let text = "x".repeat(length);
            let mut stream = Vec::new();
            push_text(&mut stream, &text);
            let mut input = &mut stream[..];
            assert_eq!(Decoder::new(1 << 20).next(&mut input), Ok(Some(Message::Text(&text))));
            assert!(input.is_empty());
        }
    }
}
