//! How a client may break the protocol.

use crate::message::CloseCode;

/// How a client broke the protocol. The connection is to be closed with [`Violation::close_code`]; the text is fit for
/// the reason of the close frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// A client has to mask (RFC 6455 section 5.1).
    #[error("frames from a client have to be masked")]
    Unmasked,
    /// Section 5.2. Where compression was agreed on, RSV1 has a meaning in the first frame of a message (RFC 7692 section 6).
    #[error("a reserved bit is set to which nothing that was agreed on gives a meaning")]
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
    /// Section 8.1, and 5.5.1 for the reason of a close frame.
    #[error("the text is not UTF-8")]
    NotUtf8,
    /// What a message that is marked as compressed holds is no such thing (RFC 7692 section 7.2).
    #[error("the message is marked as compressed, and cannot be inflated by itself")]
    BadDeflate,
    /// Over the limit that the decoder was made with.
    #[error("the message is over the inbound limit; send it as several messages")]
    TooBig,
}

impl Violation {
    /// The status code for the close frame (section 7.4.1).
    pub fn close_code(self) -> CloseCode {
        match self {
            Violation::NotUtf8 | Violation::BadDeflate => CloseCode::InvalidData,
            Violation::TooBig => CloseCode::TooBig,
            _ => CloseCode::ProtocolError,
        }
    }
}
