//! The server's side of the WebSocket protocol (RFC 6455) and of its compression (RFC 7692), without I/O: the handshake's
//! checks, a reader of what clients send, and a writer of frames.
//!
//! The reader is fed with bytes as they arrive and holds memory only while a frame or a message is incomplete. It judges a
//! frame by its header alone, so that nothing is kept of what is refused anyway.

mod extensions;
mod handshake;
mod opcode;

mod decoder;
mod header;
mod mask;
mod message;
mod utf8;
mod violation;

mod encoder;

mod deflate;

pub use decoder::Decoder;
pub use deflate::Window;
pub(super) use encoder::body;
pub use encoder::{deflated_frame, frame, frame_lengths, push_close, push_ping, push_pong};
pub use extensions::Deflate;
pub use handshake::{HandshakeError, NATIVE_SBE, check_origin, check_upgrade, offers_protocol};
pub use message::{CloseFrame, Message};
pub use opcode::Opcode;
pub use violation::Violation;

/// Most bytes in the payload of a control frame (RFC 6455 section 5.5).
pub const MAX_CONTROL_PAYLOAD: usize = 125;
