//! Frames from clients: bytes as they arrive in, whole messages out.

use super::{MAX_CONTROL_PAYLOAD, utf8::Utf8};
use crate::message::CloseCode;

/// One message from a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message<'a> {
    /// A whole text message, all its fragments.
    Text(&'a str),
    /// A whole binary message, all its fragments.
    Binary(&'a [u8]),
    /// Wants a pong with the same payload.
    Ping(&'a [u8]),
    /// Answers a ping, or comes unasked.
    Pong(&'a [u8]),
    /// The client says goodbye; `None` if it gave no status. Nothing that follows is read.
    Close(Option<CloseFrame<'a>>),
}

/// What a client says when it closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CloseFrame<'a> {
    /// A status code that may appear on the wire.
    pub code: u16,
    /// Its words.
    pub reason: &'a str,
}

/// How a client broke the protocol. The connection is to be closed with [`Violation::close_code`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// A client has to mask (RFC 6455 section 5.1).
    #[error("frames from a client have to be masked")]
    Unmasked,
    /// No extension was agreed on (section 5.2).
    #[error("a reserved bit is set and no extension was agreed on")]
    ReservedBit,
    /// Opcodes 3 to 7 and 11 to 15 (section 5.2).
    #[error("the opcode is reserved")]
    UnknownOpcode,
    /// Section 5.5.
    #[error("a control frame is fragmented or longer than 125 bytes")]
    BadControl,
    /// Section 5.4.
    #[error("a continuation without a beginning")]
    UnexpectedContinuation,
    /// Section 5.4.
    #[error("a new message before the last one has ended")]
    UnfinishedMessage,
    /// Section 5.2: the most significant bit of a 64-bit length is 0.
    #[error("the length has its top bit set")]
    BadLength,
    /// Section 5.5.1 and 7.4: a payload of one byte, or a status code that may not be sent.
    #[error("the close frame is malformed")]
    BadClose,
    /// Section 8.1.
    #[error("the text is not UTF-8")]
    NotUtf8,
    /// Over the limit that the decoder was made with.
    #[error("the message is over the inbound limit; split it")]
    TooBig,
}

impl Violation {
    /// The status code for the close frame (section 7.4.1).
    pub fn close_code(self) -> CloseCode {
        match self {
            Violation::NotUtf8 => CloseCode::InvalidData,
            Violation::TooBig => CloseCode::TooBig,
            _ => CloseCode::ProtocolError,
        }
    }
}

/// Reads what one client sends.
///
/// Between frames it holds no memory. While a frame or a message is incomplete it holds what has arrived of it, never more
/// than the limit; nothing is reserved because a header claims it.
#[derive(Debug, Default)]
pub struct Decoder {
    limit: u32,
    /// The kind of the message whose fragments are coming.
    fragments: Option<Kind>,
    utf8: Utf8,
    state: State,
    partial: Option<Box<Partial>>,
}

/// What has arrived of something incomplete.
#[derive(Debug, Default)]
struct Partial {
    header: Vec<u8>,
    control: Vec<u8>,
    message: Vec<u8>,
    /// What was given out last lies in `control` or `message` and is to be forgotten.
    given: Option<Given>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Given {
    Control,
    Message,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Binary,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    /// The next byte belongs to a header.
    #[default]
    Header,
    /// So many bytes of the payload of this frame are still to come.
    Payload { frame: Frame, left: u32 },
    /// A close frame was read.
    Closed,
}

/// A header that was found good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Frame {
    role: Role,
    /// Of the first frame of a message.
    kind: Option<Kind>,
    fin: bool,
    length: u32,
    mask: [u8; 4],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Data,
    Close,
    Ping,
    Pong,
}

impl Decoder {
    /// A decoder that takes messages of at most `limit` bytes, all fragments together.
    pub fn new(limit: usize) -> Decoder {
        Decoder { limit: u32::try_from(limit).unwrap_or(u32::MAX), ..Decoder::default() }
    }

    /// The next message in `input`, which moves behind what was read of it; payloads are unmasked in place. `None` when all
    /// of the input was read, or after a close frame. The message is to be used before the next call.
    ///
    /// # Errors
    /// [`Violation`], as soon as the bytes show it. Nothing may be read after it.
    pub fn next<'a, 'input: 'a>(
        &'a mut self,
        input: &mut &'input mut [u8],
    ) -> Result<Option<Message<'a>>, Violation> {
        self.forget_given();
        loop {
            match self.state {
                State::Closed => return Ok(None),
                State::Header => match self.header(input)? {
                    Some(frame) => {
                        self.fragments = frame.kind.or(self.fragments);
                        self.state = State::Payload { frame, left: frame.length };
                    }
                    None => return Ok(None),
                },
                State::Payload { frame, left } => {
                    let count = input.len().min(left as usize);
                    let (bytes, rest) = std::mem::take(input).split_at_mut(count);
                    *input = rest;
                    unmask(bytes, frame.mask, (frame.length - left) as usize);
                    let left = left - count as u32;
                    self.state = State::Payload { frame, left };
                    self.judge(frame, bytes)?;
                    if left > 0 {
                        self.keep(frame, bytes);
                        return Ok(None);
                    }
                    self.state = State::Header;
                    if frame.role == Role::Data && !frame.fin {
                        self.keep(frame, bytes);
                        continue;
                    }
                    return self.finish(frame, bytes).map(Some);
                }
            }
        }
    }

    fn forget_given(&mut self) {
        let Some(partial) = &mut self.partial else { return };
        match partial.given.take() {
            Some(Given::Control) => partial.control.clear(),
            Some(Given::Message) => partial.message.clear(),
            None => {}
        }
        if partial.header.is_empty() && partial.control.is_empty() && partial.message.is_empty() {
            self.partial = None;
        }
    }

    /// Reads a header, over as many calls as it takes.
    fn header(&mut self, input: &mut &mut [u8]) -> Result<Option<Frame>, Violation> {
        let mut bytes = [0; 14];
        let held = self.partial.as_ref().map_or(0, |partial| partial.header.len());
        if let Some(partial) = &self.partial {
            bytes[..held].copy_from_slice(&partial.header);
        }
        let fresh = input.len().min(bytes.len() - held);
        bytes[held..held + fresh].copy_from_slice(&input[..fresh]);
        let available = &bytes[..held + fresh];
        match self.read_header(available)? {
            Some((frame, length)) => {
                *input = &mut std::mem::take(input)[length - held..];
                if let Some(partial) = &mut self.partial {
                    partial.header.clear();
                }
                Ok(Some(frame))
            }
            None => {
                if fresh > 0 {
                    self.partial.get_or_insert_default().header.extend_from_slice(&input[..fresh]);
                    *input = &mut std::mem::take(input)[fresh..];
                }
                Ok(None)
            }
        }
    }

    /// A header at the beginning of `bytes` and its length, if it is there whole. What is there is judged in any case.
    fn read_header(&self, bytes: &[u8]) -> Result<Option<(Frame, usize)>, Violation> {
        let Some(&first) = bytes.first() else { return Ok(None) };
        // RSV1 marks a compressed message once an extension was agreed on; none is offered.
        if first & 0x70 != 0 {
            return Err(Violation::ReservedBit);
        }
        let fin = first & 0x80 != 0;
        let opcode = first & 0x0F;
        let role = self.role(opcode, fin)?;
        let Some(&second) = bytes.get(1) else { return Ok(None) };
        if second & 0x80 == 0 {
            return Err(Violation::Unmasked);
        }
        let short = second & 0x7F;
        if role != Role::Data && short as usize > MAX_CONTROL_PAYLOAD {
            return Err(Violation::BadControl);
        }
        let (length, behind) = match short {
            126 => match bytes.get(2..4) {
                Some(length) => (u64::from(length[0]) << 8 | u64::from(length[1]), 4),
                None => return Ok(None),
            },
            127 => match bytes.get(2..10) {
                Some(length) => (length.iter().fold(0, |length, &byte| length << 8 | u64::from(byte)), 10),
                None => return Ok(None),
            },
            short => (u64::from(short), 2),
        };
        if length >> 63 != 0 {
            return Err(Violation::BadLength);
        }
        let before = self.partial.as_ref().map_or(0, |partial| partial.message.len() as u64);
        if role == Role::Data && before + length > u64::from(self.limit) {
            return Err(Violation::TooBig);
        }
        let Some(mask) = bytes.get(behind..behind + 4) else { return Ok(None) };
        let mask = [mask[0], mask[1], mask[2], mask[3]];
        let kind = match opcode {
            0x1 => Some(Kind::Text),
            0x2 => Some(Kind::Binary),
            _ => None,
        };
        Ok(Some((Frame { role, kind, fin, length: length as u32, mask }, behind + 4)))
    }

    fn role(&self, opcode: u8, fin: bool) -> Result<Role, Violation> {
        let control = |role| if fin { Ok(role) } else { Err(Violation::BadControl) };
        match opcode {
            0x0 if self.fragments.is_none() => Err(Violation::UnexpectedContinuation),
            0x1 | 0x2 if self.fragments.is_some() => Err(Violation::UnfinishedMessage),
            0x0..=0x2 => Ok(Role::Data),
            0x8 => control(Role::Close),
            0x9 => control(Role::Ping),
            0xA => control(Role::Pong),
            _ => Err(Violation::UnknownOpcode),
        }
    }

    /// Judges a piece of a text message.
    fn judge(&mut self, frame: Frame, bytes: &[u8]) -> Result<(), Violation> {
        if frame.role == Role::Data && self.fragments == Some(Kind::Text) {
            self.utf8.feed(bytes).map_err(|_| Violation::NotUtf8)?;
        }
        Ok(())
    }

    fn keep(&mut self, frame: Frame, bytes: &[u8]) {
        if !bytes.is_empty() {
            let partial = self.partial.get_or_insert_default();
            let held = if frame.role == Role::Data { &mut partial.message } else { &mut partial.control };
            held.extend_from_slice(bytes);
        }
    }

    /// The message that `bytes` complete.
    fn finish<'a>(&'a mut self, frame: Frame, bytes: &'a [u8]) -> Result<Message<'a>, Violation> {
        let kind = if frame.role == Role::Data { self.fragments.take() } else { None };
        if kind == Some(Kind::Text) && !std::mem::take(&mut self.utf8).is_complete() {
            return Err(Violation::NotUtf8);
        }
        if frame.role == Role::Close {
            self.state = State::Closed;
        }
        let payload = match &mut self.partial {
            Some(partial) => {
                let (held, given) = match frame.role {
                    Role::Data => (&mut partial.message, Given::Message),
                    _ => (&mut partial.control, Given::Control),
                };
                if held.is_empty() {
                    bytes
                } else {
                    held.extend_from_slice(bytes);
                    partial.given = Some(given);
                    held
                }
            }
            None => bytes,
        };
        match (frame.role, kind) {
            (Role::Ping, _) => Ok(Message::Ping(payload)),
            (Role::Pong, _) => Ok(Message::Pong(payload)),
            (Role::Close, _) => close(payload).map(Message::Close),
            (Role::Data, Some(Kind::Text)) => {
                std::str::from_utf8(payload).map(Message::Text).map_err(|_| Violation::NotUtf8)
            }
            (Role::Data, _) => Ok(Message::Binary(payload)),
        }
    }
}

fn close(payload: &[u8]) -> Result<Option<CloseFrame<'_>>, Violation> {
    let (code, reason) = match payload {
        [] => return Ok(None),
        [high, low, reason @ ..] => (u16::from_be_bytes([*high, *low]), reason),
        _ => return Err(Violation::BadClose),
    };
    // Section 7.4: codes that are defined for the wire, and those of libraries and applications.
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(Violation::BadClose);
    }
    let reason = std::str::from_utf8(reason).map_err(|_| Violation::NotUtf8)?;
    Ok(Some(CloseFrame { code, reason }))
}

/// Unmasks a piece of a payload that begins `offset` bytes into it (section 5.3).
fn unmask(bytes: &mut [u8], mask: [u8; 4], offset: usize) {
    let turned: [u8; 4] = std::array::from_fn(|i| mask[(offset + i) % 4]);
    let word = u64::from_ne_bytes(std::array::from_fn(|i| turned[i % 4]));
    let mut words = bytes.chunks_exact_mut(8);
    for chunk in &mut words {
        let plain = u64::from_ne_bytes(std::array::from_fn(|i| chunk[i])) ^ word;
        chunk.copy_from_slice(&plain.to_ne_bytes());
    }
    for (byte, mask) in words.into_remainder().iter_mut().zip(turned.iter().cycle()) {
        *byte ^= mask;
    }
}
