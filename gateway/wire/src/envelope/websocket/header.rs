//! The header of a client's frame (RFC 6455 section 5.2), judged as far as it has arrived. Knows nothing of payloads.

use super::{MAX_CONTROL_PAYLOAD, Opcode, Violation};

/// Marks the first frame of a compressed message (RFC 7692 section 6).
pub const RSV1: u8 = 0x40;

/// A header that was found good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Of a continuation, that of the message that it continues.
    pub opcode: Opcode,
    /// Whether a compressed message begins with this frame.
    pub is_deflated: bool,
    /// Whether the message ends with this frame.
    pub fin: bool,
    /// Bytes of payload.
    pub length: u32,
    pub mask: [u8; 4],
}

/// What the frames before it leave to a frame.
#[derive(Debug, Clone, Copy)]
pub struct Before {
    /// The message whose next fragment has to come.
    pub unfinished: Option<Opcode>,
    /// How many bytes a message, or what follows of this one, may still have.
    pub room: u32,
    /// Whether messages may be compressed.
    pub may_deflate: bool,
}

impl Header {
    /// Two bytes, eight of length, four of mask.
    pub const MAX_LENGTH: usize = 14;

    /// The header at the beginning of `bytes`, and how many of them it takes; `None` if it is not there whole. It is refused
    /// as soon as what is there cannot become right.
    pub fn read(bytes: &[u8], before: Before) -> Result<Option<(Header, usize)>, Violation> {
        let Some(&first) = bytes.first() else { return Ok(None) };
        let fin = first & 0x80 != 0;
        let is_deflated = first & RSV1 != 0;
        if first & 0x70 & !RSV1 != 0 || is_deflated && !before.may_deflate {
            return Err(Violation::ReservedBit);
        }
        let opcode = opcode(first & 0x0F, before.unfinished)?;
        if is_deflated && (opcode.is_control() || before.unfinished.is_some()) {
            return Err(Violation::ReservedBit);
        }
        if opcode.is_control() && !fin {
            return Err(Violation::BadControl);
        }

        let Some(&second) = bytes.get(1) else { return Ok(None) };
        if second & 0x80 == 0 {
            return Err(Violation::Unmasked);
        }
        let short = second & 0x7F;
        if opcode.is_control() && usize::from(short) > MAX_CONTROL_PAYLOAD {
            return Err(Violation::BadControl);
        }

        let Some((length, size)) = length(short, &bytes[2..])? else { return Ok(None) };
        let length = u32::try_from(length).map_err(|_| Violation::TooBig)?;
        if !opcode.is_control() && length > before.room {
            return Err(Violation::TooBig);
        }
        let Some(&mask) = bytes[2 + size..].first_chunk() else { return Ok(None) };
        Ok(Some((Header { opcode, is_deflated, fin, length, mask }, 2 + size + mask.len())))
    }
}

fn opcode(bits: u8, unfinished: Option<Opcode>) -> Result<Opcode, Violation> {
    match bits {
        0x0 => unfinished.ok_or(Violation::UnexpectedContinuation),
        0x1 | 0x2 if unfinished.is_some() => Err(Violation::UnfinishedMessage),
        0x1 => Ok(Opcode::Text),
        0x2 => Ok(Opcode::Binary),
        0x8 => Ok(Opcode::Close),
        0x9 => Ok(Opcode::Ping),
        0xA => Ok(Opcode::Pong),
        _ => Err(Violation::UnknownOpcode),
    }
}

/// The length of the payload, and how many of the `bytes` behind the short length tell it. A longer form than needed is
/// taken too.
fn length(short: u8, bytes: &[u8]) -> Result<Option<(u64, usize)>, Violation> {
    match short {
        126 => Ok(bytes.first_chunk().map(|&length| (u16::from_be_bytes(length).into(), 2))),
        127 => {
            let Some(&length) = bytes.first_chunk() else { return Ok(None) };
            let length = u64::from_be_bytes(length);
            if length >> 63 != 0 {
                return Err(Violation::BadLength);
            }
            Ok(Some((length, 8)))
        }
        short => Ok(Some((short.into(), 0))),
    }
}
