//! What is said to one client besides its data: answers, heartbeats, pings. It goes before data.

use wire::envelope::{
    Envelope, socketio,
    websocket::{self, Opcode},
};

/// Frames that wait to be written.
pub struct Answers {
    bytes: Vec<u8>,
    envelope: Envelope,
    /// Where the bodies begin that are collected for an acknowledgement; [`NOWHERE`] if none are.
    collected_from: u32,
}

const NOWHERE: u32 = u32::MAX;

impl Answers {
    /// None, for a connection of this envelope.
    pub fn new(envelope: Envelope) -> Answers {
        Answers { bytes: Vec::new(), envelope, collected_from: NOWHERE }
    }

    /// How messages are wrapped.
    pub fn envelope(&self) -> Envelope {
        self.envelope
    }

    /// From now on messages are wrapped so; what waits stays as it is.
    pub fn wrap_in(&mut self, envelope: Envelope) {
        self.envelope = envelope;
    }

    /// Adds the message whose body `body` appends, or its body alone to what an acknowledgement will hold.
    pub fn say(&mut self, body: impl FnOnce(&mut Vec<u8>)) {
        if self.collected_from == NOWHERE {
            return self.envelope.message(&mut self.bytes, body);
        }
        if self.bytes.len() > self.collected_from as usize {
            self.bytes.push(b',');
        }
        body(&mut self.bytes);
    }

    /// Where whole frames are added that are no messages.
    pub fn frames(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Adds a message back that came over WebSocket.
    pub fn echo(&mut self, opcode: Opcode, payload: &[u8]) {
        let body = |out: &mut Vec<u8>| out.extend_from_slice(payload);
        match self.envelope {
            Envelope::DeflatedWebSocket(window) => {
                websocket::deflated_frame(&mut self.bytes, opcode, window, body);
            }
            _ => websocket::frame(&mut self.bytes, opcode, body),
        }
    }

    /// What is said from here on goes into one acknowledgement.
    pub fn begin_acknowledgement(&mut self) {
        self.collected_from = self.bytes.len() as u32;
    }

    /// Ends the acknowledgement of the event that wanted it under this id.
    pub fn end_acknowledgement(&mut self, id: u64) {
        let from = std::mem::replace(&mut self.collected_from, NOWHERE);
        let arguments = self.bytes.split_off(self.bytes.len().min(from as usize));
        socketio::push_ack(&mut self.bytes, id, &arguments);
    }

    /// Bytes that wait.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Takes all that waits.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }

    /// Forgets what was added since there were `len` bytes.
    pub fn truncate(&mut self, len: usize) {
        self.bytes.truncate(len);
    }
}
