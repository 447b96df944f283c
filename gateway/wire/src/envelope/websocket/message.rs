//! What a client said, once it has said it whole.

use super::{Opcode, Violation};

/// One message or control frame from a client.
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
    /// A status code that may appear on the wire (RFC 6455 section 7.4).
    pub code: u16,
    /// Its words.
    pub reason: &'a str,
}

impl<'a> Message<'a> {
    /// What a whole payload says.
    pub(super) fn read(opcode: Opcode, payload: &'a [u8]) -> Result<Message<'a>, Violation> {
        match opcode {
            Opcode::Text => text(payload).map(Message::Text),
            Opcode::Binary => Ok(Message::Binary(payload)),
            Opcode::Ping => Ok(Message::Ping(payload)),
            Opcode::Pong => Ok(Message::Pong(payload)),
            Opcode::Close => CloseFrame::read(payload).map(Message::Close),
        }
    }
}

impl<'a> CloseFrame<'a> {
    fn read(payload: &'a [u8]) -> Result<Option<CloseFrame<'a>>, Violation> {
        match payload {
            [] => Ok(None),
            [_] => Err(Violation::BadClose),
            [high, low, reason @ ..] => {
                let code = u16::from_be_bytes([*high, *low]);
                if !may_be_sent(code) {
                    return Err(Violation::BadClose);
                }
                Ok(Some(CloseFrame { code, reason: text(reason)? }))
            }
        }
    }
}

/// Section 7.4 and the registry that it founded: the codes defined for the wire, then those of libraries and applications.
/// 1004, 1005, 1006 and 1015 are reserved, and never sent.
fn may_be_sent(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

fn text(bytes: &[u8]) -> Result<&str, Violation> {
    std::str::from_utf8(bytes).map_err(|_| Violation::NotUtf8)
}
