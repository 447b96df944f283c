//! What a client says on any transport.

use super::{
    Envelope, tcp,
    websocket::{self, Message, Violation},
};

/// Reads what one client sends, whatever its transport.
#[derive(Debug, Default)]
pub enum Decoder {
    /// Frames. What is in them is a request, or with Socket.IO a packet.
    Frames(websocket::Decoder),
    /// Lines, each a request.
    Lines(tcp::Decoder),
    /// The client has said all it has to say.
    #[default]
    Silent,
}

impl Decoder {
    /// A decoder for a transport that takes messages of at most `limit` bytes.
    pub fn new(envelope: Envelope, limit: usize) -> Decoder {
        match envelope {
            Envelope::WebSocket | Envelope::SocketIo => Decoder::Frames(websocket::Decoder::new(limit)),
            Envelope::DeflatedWebSocket(_) => Decoder::Frames(websocket::Decoder::inflating(limit)),
            Envelope::Tcp | Envelope::LengthPrefixed => Decoder::Lines(tcp::Decoder::new(limit)),
            Envelope::Sse | Envelope::LongPoll => Decoder::Silent,
        }
    }

    /// The next message in `input`, which moves behind what was read of it and serves as scratch space. `None` when there is
    /// no further one in this input.
    ///
    /// # Errors
    /// [`Violation`], as soon as the bytes show it; nothing is read after it.
    pub fn next<'a, 'input: 'a>(
        &'a mut self,
        input: &mut &'input mut [u8],
    ) -> Result<Option<Message<'a>>, Violation> {
        match self {
            Decoder::Frames(decoder) => decoder.next(input),
            Decoder::Lines(decoder) => Ok(decoder.next(input)?.map(Message::Text)),
            Decoder::Silent => {
                *input = &mut [];
                Ok(None)
            }
        }
    }

    /// Whether the client stopped in the middle of something.
    pub fn is_in_message(&self) -> bool {
        matches!(self, Decoder::Lines(decoder) if decoder.is_in_line())
    }
}
