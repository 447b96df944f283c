//! The reader of what clients send: bytes as they arrive in, whole messages out.

use super::{
    MAX_CONTROL_PAYLOAD, Message, Opcode, Violation, deflate,
    header::{Before, Header},
    mask::unmask,
    utf8::Utf8,
};
use crate::envelope::room::append;

/// Reads what one client sends.
///
/// Between messages it holds no memory, and a frame that comes in one piece is not copied. While a frame or a message is
/// incomplete, what has arrived of it is held: room grows with what arrives, never by what a header claims, and never
/// beyond the limit. A compressed message is held compressed, and inflated when it is whole: what inflates it is the
/// thread's and not the client's.
///
/// ```
/// use wire::envelope::websocket::{Decoder, Message};
///
/// let mut decoder = Decoder::new(64 << 10);
/// let mut arrived = *b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
/// let mut input = &mut arrived[..];
/// assert_eq!(decoder.next(&mut input), Ok(Some(Message::Text("Hello"))));
/// assert_eq!(decoder.next(&mut input), Ok(None));
/// ```
#[derive(Debug, Default)]
pub struct Decoder {
    /// Most bytes of a message.
    limit: u32,
    /// The message whose fragments are coming.
    unfinished: Option<Opcode>,
    /// How far its text was judged.
    utf8: Utf8,
    /// Whether messages may be compressed.
    may_deflate: bool,
    /// Whether the message whose frames are coming is compressed.
    is_deflated: bool,
    state: State,
    held: Option<Box<Held>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    /// The next byte belongs to a header.
    #[default]
    Header,
    /// So many bytes of this frame's payload are still to come.
    Payload { header: Header, left: u32 },
    /// A close frame or a violation was read: what follows has no meaning.
    Closed,
}

/// What has arrived of something incomplete, unmasked.
#[derive(Debug, Default)]
struct Held {
    header: Vec<u8>,
    control: Vec<u8>,
    message: Vec<u8>,
    /// What was given out last, to be forgotten with the next call.
    given: Vec<u8>,
}

impl Decoder {
    /// A decoder that takes messages of at most `limit` bytes, all fragments together.
    pub fn new(limit: usize) -> Decoder {
        Decoder { limit: u32::try_from(limit).unwrap_or(u32::MAX), ..Decoder::default() }
    }

    /// A decoder for a client that may compress its messages, each by itself (RFC 7692: `client_no_context_takeover`). The limit
    /// counts for what arrives of a message as well as for what it is inflated.
    pub fn inflating(limit: usize) -> Decoder {
        Decoder { may_deflate: true, ..Decoder::new(limit) }
    }

    /// The next message in `input`, which moves behind what was read of it; payloads are unmasked in place. `None` when
    /// there is no further one in this input, and always after a close frame or a violation.
    ///
    /// # Errors
    /// [`Violation`], as soon as the bytes show it.
    pub fn next<'a, 'input: 'a>(
        &'a mut self,
        input: &mut &'input mut [u8],
    ) -> Result<Option<Message<'a>>, Violation> {
        self.forget_given();
        match self.last_frame(input) {
            Ok(Some((opcode, bytes))) => self.message(opcode, bytes).map(Some),
            Ok(None) => Ok(None),
            Err(violation) => {
                self.state = State::Closed;
                self.held = None;
                Err(violation)
            }
        }
    }

    fn forget_given(&mut self) {
        if let Some(held) = &mut self.held {
            held.given = Vec::new();
            if held.is_empty() {
                self.held = None;
            }
        }
    }

    /// Reads up to the end of a frame with which a message is whole: its opcode, and what came now of its payload.
    fn last_frame<'input>(
        &mut self,
        input: &mut &'input mut [u8],
    ) -> Result<Option<(Opcode, &'input [u8])>, Violation> {
        loop {
            match self.state {
                State::Closed => return Ok(None),
                State::Header => {
                    let Some(header) = self.header(input)? else { return Ok(None) };
                    self.is_deflated |= header.is_deflated;
                    self.state = State::Payload { header, left: header.length };
                }
                State::Payload { header, left } => {
                    let bytes = take_up_to(input, left as usize);
                    unmask(bytes, header.mask, header.length - left);
                    let left = left - bytes.len() as u32;
                    if left > 0 {
                        self.state = State::Payload { header, left };
                        self.keep(header.opcode, bytes)?;
                        return Ok(None);
                    }
                    self.state = State::Header;
                    if header.fin {
                        return Ok(Some((header.opcode, bytes)));
                    }
                    self.unfinished = Some(header.opcode);
                    self.keep(header.opcode, bytes)?;
                }
            }
        }
    }

    /// Reads a header, over as many calls as it takes.
    fn header(&mut self, input: &mut &mut [u8]) -> Result<Option<Header>, Violation> {
        let (earlier, message) =
            self.held.as_ref().map_or((&[][..], 0), |held| (&held.header[..], held.message.len() as u32));
        let mut bytes = [0; Header::MAX_LENGTH];
        let known = earlier.len();
        let fresh = input.len().min(bytes.len() - known);
        bytes[..known].copy_from_slice(earlier);
        bytes[known..known + fresh].copy_from_slice(&input[..fresh]);

        let room = self.limit - message;
        let before = Before { unfinished: self.unfinished, room, may_deflate: self.may_deflate };
        let read = Header::read(&bytes[..known + fresh], before)?;
        if let Some((header, length)) = read {
            take_up_to(input, length - known);
            if let Some(held) = &mut self.held {
                held.header = Vec::new();
            }
            return Ok(Some(header));
        }
        let bytes = take_up_to(input, fresh);
        if !bytes.is_empty() {
            append(&mut self.held.get_or_insert_default().header, bytes, Header::MAX_LENGTH);
        }
        Ok(None)
    }

    /// Keeps a piece of a payload whose message is not whole.
    fn keep(&mut self, opcode: Opcode, bytes: &[u8]) -> Result<(), Violation> {
        if opcode == Opcode::Text && !self.is_deflated {
            self.utf8.feed(bytes).map_err(|_| Violation::NotUtf8)?;
        }
        if !bytes.is_empty() {
            self.held.get_or_insert_default().append(opcode, bytes, self.limit);
        }
        Ok(())
    }

    /// The message that `bytes` complete.
    fn message<'a>(&'a mut self, opcode: Opcode, bytes: &'a [u8]) -> Result<Message<'a>, Violation> {
        if !opcode.is_control() {
            self.unfinished = None;
            self.utf8 = Utf8::default();
        }
        if opcode == Opcode::Close {
            self.state = State::Closed;
        }
        let is_deflated = !opcode.is_control() && std::mem::take(&mut self.is_deflated);
        let payload = match &mut self.held {
            held if is_deflated => held.get_or_insert_default().inflate(opcode, bytes, self.limit),
            Some(held) => Ok(held.complete(opcode, bytes, self.limit)),
            None => Ok(bytes),
        };
        let message = payload.and_then(|payload| Message::read(opcode, payload));
        message.inspect_err(|_| self.state = State::Closed)
    }
}

impl Held {
    fn append(&mut self, opcode: Opcode, bytes: &[u8], limit: u32) {
        if opcode.is_control() {
            append(&mut self.control, bytes, MAX_CONTROL_PAYLOAD);
        } else {
            append(&mut self.message, bytes, limit as usize);
        }
    }

    /// What is held of this payload, and `bytes`: these alone if nothing is.
    fn complete<'a>(&'a mut self, opcode: Opcode, bytes: &'a [u8], limit: u32) -> &'a [u8] {
        let earlier = if opcode.is_control() { &self.control } else { &self.message };
        if earlier.is_empty() {
            return bytes;
        }
        self.append(opcode, bytes, limit);
        let whole = if opcode.is_control() { &mut self.control } else { &mut self.message };
        let whole = std::mem::take(whole);
        self.give(whole)
    }

    /// What a compressed message says that `bytes` complete.
    fn inflate(&mut self, opcode: Opcode, bytes: &[u8], limit: u32) -> Result<&[u8], Violation> {
        let inflated = deflate::inflate(self.complete(opcode, bytes, limit), limit as usize)?;
        Ok(self.give(inflated))
    }

    /// Holds what is given out until the next call.
    fn give(&mut self, whole: Vec<u8>) -> &[u8] {
        self.given = whole;
        &self.given
    }

    fn is_empty(&self) -> bool {
        self.header.is_empty() && self.control.is_empty() && self.message.is_empty()
    }
}

/// Moves `input` behind its first `count` bytes, or as many as there are.
fn take_up_to<'input>(input: &mut &'input mut [u8], count: usize) -> &'input mut [u8] {
    let count = count.min(input.len());
    let (taken, rest) = std::mem::take(input).split_at_mut(count);
    *input = rest;
    taken
}
