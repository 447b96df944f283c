//! Socket.IO (protocol 5) over Engine.IO (protocol 4): messages are events `market` of the default namespace, after each batch
//! an event `cursor` with the resume token. Binary is not spoken.
//!
//! A packet of Engine.IO is one text frame over WebSocket; over long polling, packets are joined in the body of an answer. A
//! connection may begin with the one and go on with the other, so what is sent is always frames here, and
//! [`take_packets`] makes an answer of them.

use super::websocket::{self, Opcode};
use std::time::Duration;

/// The path at which clients look for it.
pub const PATH: &str = "/socket.io/";

/// Between the packets of a body (U+001E, record separator).
pub const SEPARATOR: u8 = 0x1E;

/// Engine.IO's packet that says nothing: the answer to a request that is not to wait any longer.
pub const NOOP: &[u8] = b"6";

/// Engine.IO's packet that closes a session.
pub const CLOSE: &[u8] = b"1";

/// The packet with which a client tries a WebSocket beside long polling, and the answer to it.
pub const PROBE: &str = "2probe";
/// See [`PROBE`].
pub const PROBE_ANSWER: &str = "3probe";
/// The packet with which a client says that the WebSocket it tried is the one from now on.
pub const UPGRADE: &str = "5";

/// Appends the event `market` with the argument that `body` appends.
pub fn push_event(out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
    push_packet(out, |out| {
        out.extend_from_slice(b"42[\"market\",");
        body(out);
        out.push(b']');
    });
}

/// The argument of an event `market`, if it is one.
pub(super) fn body_of_event(frame: &[u8]) -> Option<&[u8]> {
    let (header, _) = websocket::frame_lengths(frame)?;
    frame.get(header..)?.strip_prefix(b"42[\"market\",")?.strip_suffix(b"]")
}

/// Appends the event `cursor` with the token that `token` appends.
pub fn push_cursor(out: &mut Vec<u8>, token: impl FnOnce(&mut Vec<u8>)) {
    push_packet(out, |out| {
        out.extend_from_slice(b"42[\"cursor\",\"");
        token(out);
        out.extend_from_slice(b"\"]");
    });
}

/// Appends the acknowledgement of an event, with these arguments.
pub fn push_ack(out: &mut Vec<u8>, id: u64, arguments: &[u8]) {
    push_packet(out, |out| {
        out.extend_from_slice(format!("43{id}[").as_bytes());
        out.extend_from_slice(arguments);
        out.push(b']');
    });
}

/// Appends Engine.IO's ping, which a client answers within [`ping_timeout`].
pub fn push_ping(out: &mut Vec<u8>) {
    push_packet(out, |out| out.push(b'2'));
}

/// Appends Engine.IO's pong.
pub fn push_pong(out: &mut Vec<u8>, payload: &str) {
    push_packet(out, |out| {
        out.push(b'3');
        out.extend_from_slice(payload.as_bytes());
    });
}

/// Appends the packet that welcomes a client in the default namespace, with an id for it.
pub fn push_welcome(out: &mut Vec<u8>, id: &str) {
    push_packet(out, |out| out.extend_from_slice(format!("40{{\"sid\":\"{id}\"}}").as_bytes()));
}

/// Appends the packet that refuses a namespace.
pub fn push_invalid_namespace(out: &mut Vec<u8>, namespace: &str) {
    push_packet(out, |out| {
        let text = "only the default namespace is served";
        out.extend_from_slice(
            format!("44{namespace},{{\"message\":\"Invalid namespace: {text}\"}}").as_bytes(),
        );
    });
}

/// Appends the packet with which a session begins, without a frame: its id, whether it may move to WebSocket, how often it is
/// pinged, and how long a body may be.
pub fn push_open(out: &mut Vec<u8>, id: &str, upgrades: bool, ping: Duration, max_payload: usize) {
    let upgrades = if upgrades { "\"websocket\"" } else { "" };
    let (interval, timeout) = (ping.as_millis(), ping_timeout(ping).as_millis());
    out.extend_from_slice(
        format!(
            "0{{\"sid\":\"{id}\",\"upgrades\":[{upgrades}],\"pingInterval\":{interval},\"pingTimeout\":{timeout},\"maxPayload\":{max_payload}}}"
        )
        .as_bytes(),
    );
}

/// How much longer than between two pings a client may hear nothing before it gives the connection up.
pub const fn ping_timeout(ping: Duration) -> Duration {
    ping.saturating_mul(2)
}

/// Appends the packet that `packet` appends, in its frame.
pub fn push_packet(out: &mut Vec<u8>, packet: impl FnOnce(&mut Vec<u8>)) {
    websocket::frame(out, Opcode::Text, packet);
}

/// A packet from a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packet<'a> {
    /// Engine.IO: the client closes.
    Close,
    /// Engine.IO: wants a pong with the same payload.
    Ping(&'a str),
    /// Engine.IO: answers a ping.
    Pong,
    /// Engine.IO: the connection goes on over this transport.
    Upgrade,
    /// Engine.IO: nothing.
    Noop,
    /// Socket.IO: joins a namespace; empty for the default one.
    Connect {
        /// As it was written, with its slash.
        namespace: &'a str,
    },
    /// Socket.IO: leaves a namespace.
    Disconnect,
    /// Socket.IO: an event of the default namespace.
    Event {
        /// Of the acknowledgement that is wanted.
        ack: Option<u64>,
        /// A JSON array that begins with the name.
        arguments: &'a str,
    },
    /// Socket.IO: acknowledges an event of ours; we want none.
    Ack,
}

/// What a client may not send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PacketError {
    /// Of whichever protocol.
    #[error("this is no packet of Engine.IO 4 with Socket.IO 5 inside")]
    Malformed,
    /// Attachments.
    #[error("binary attachments are not taken; send JSON")]
    Binary,
    /// Another one than the default.
    #[error("events are taken in the default namespace only")]
    Namespace,
}

impl<'a> Packet<'a> {
    /// Reads one packet of Engine.IO.
    ///
    /// # Errors
    /// [`PacketError`]; the connection is to be closed.
    pub fn parse(text: &'a str) -> Result<Packet<'a>, PacketError> {
        let rest = text.get(1..).unwrap_or_default();
        match text.as_bytes().first() {
            Some(b'1') => Ok(Packet::Close),
            Some(b'2') => Ok(Packet::Ping(rest)),
            Some(b'3') => Ok(Packet::Pong),
            Some(b'4') => message(rest),
            Some(b'5') => Ok(Packet::Upgrade),
            Some(b'6') => Ok(Packet::Noop),
            // In a body of polling: base64.
            Some(b'b') => Err(PacketError::Binary),
            _ => Err(PacketError::Malformed),
        }
    }
}

/// Reads one packet of Socket.IO: type, attachments, namespace, id of the acknowledgement, JSON.
fn message(text: &str) -> Result<Packet<'_>, PacketError> {
    let rest = text.get(1..).unwrap_or_default();
    let (namespace, behind) = namespace(rest);
    match text.as_bytes().first() {
        Some(b'0') => Ok(Packet::Connect { namespace }),
        Some(b'1') => Ok(Packet::Disconnect),
        Some(b'2') if !namespace.is_empty() => Err(PacketError::Namespace),
        Some(b'2') => {
            let digits = behind.bytes().take_while(u8::is_ascii_digit).count();
            let (id, arguments) = behind.split_at(digits);
            let ack = (!id.is_empty()).then(|| id.parse().map_err(|_| PacketError::Malformed)).transpose()?;
            Ok(Packet::Event { ack, arguments })
        }
        Some(b'3') => Ok(Packet::Ack),
        Some(b'5' | b'6') => Err(PacketError::Binary),
        _ => Err(PacketError::Malformed),
    }
}

/// The namespace at the beginning, empty for the default one, and what follows.
fn namespace(text: &str) -> (&str, &str) {
    if !text.starts_with('/') {
        return ("", text);
    }
    let (namespace, behind) = text.split_once(',').unwrap_or((text, ""));
    (if namespace == "/" { "" } else { namespace }, behind)
}

/// Whole frames of `frames` become packets of a body. What is left of `frames` afterwards is not whole, or the close: that
/// becomes a packet in a body of its own, as socket.io-client forgets what comes in the same body before it.
pub fn take_packets(frames: &mut Vec<u8>, body: &mut Vec<u8>) {
    let mut at = 0;
    while let Some((header, length)) = websocket::frame_lengths(&frames[at..]) {
        let end = at + header + length;
        if end > frames.len() {
            break;
        }
        let closes = frames[at] & 0x0F == Opcode::Close as u8;
        if closes && !body.is_empty() {
            break;
        }
        if !body.is_empty() {
            body.push(SEPARATOR);
        }
        body.extend_from_slice(if closes { CLOSE } else { &frames[at + header..end] });
        at = end;
    }
    frames.drain(..at);
}

/// Whether `frames` begin with one that is whole.
pub fn starts_with_packet(frames: &[u8]) -> bool {
    websocket::frame_lengths(frames).is_some_and(|(header, length)| header + length <= frames.len())
}

/// The frames of packets that are in a body; the reverse of [`take_packets`], but for a packet that closes.
pub fn frames_of(body: &[u8]) -> Vec<u8> {
    let mut frames = Vec::new();
    for packet in body.split(|&byte| byte == SEPARATOR) {
        push_packet(&mut frames, |out| out.extend_from_slice(packet));
    }
    frames
}

/// The packets of a body.
pub fn packets(body: &str) -> impl Iterator<Item = &str> {
    body.split(char::from(SEPARATOR))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_read_as_the_protocols_say() {
        let check = |text: &str, wanted: Result<Packet<'_>, PacketError>| {
            assert_eq!(Packet::parse(text), wanted, "{text}");
        };
        check("2probe", Ok(Packet::Ping("probe")));
        check("3", Ok(Packet::Pong));
        check("40", Ok(Packet::Connect { namespace: "" }));
        check("40{\"token\":1}", Ok(Packet::Connect { namespace: "" }));
        check("40/admin,{}", Ok(Packet::Connect { namespace: "/admin" }));
        check("42[\"list\"]", Ok(Packet::Event { ack: None, arguments: "[\"list\"]" }));
        check("4212[\"list\"]", Ok(Packet::Event { ack: Some(12), arguments: "[\"list\"]" }));
        check("42/,1[\"list\"]", Ok(Packet::Event { ack: Some(1), arguments: "[\"list\"]" }));
        check("42/admin,[\"list\"]", Err(PacketError::Namespace));
        check("451-[\"x\",{\"_placeholder\":true,\"num\":0}]", Err(PacketError::Binary));
        check("bAQID", Err(PacketError::Binary));
        check("", Err(PacketError::Malformed));
        check("4", Err(PacketError::Malformed));
        check("9", Err(PacketError::Malformed));
        check("ü", Err(PacketError::Malformed));
        check("4299999999999999999999[]", Err(PacketError::Malformed));
    }

    #[test]
    fn frames_become_packets_of_a_body_once_they_are_whole() {
        let mut frames = Vec::new();
        push_event(&mut frames, |body| body.extend_from_slice(br#"{"a":1}"#));
        push_cursor(&mut frames, |token| token.extend_from_slice(b"9c41:"));
        push_ping(&mut frames);
        websocket::push_close(&mut frames, Some((1001, "gone")));
        let mut rest = frames.split_off(frames.len() - 1);
        let mut body = Vec::new();
        take_packets(&mut frames, &mut body);
        assert_eq!(body, b"42[\"market\",{\"a\":1}]\x1e42[\"cursor\",\"9c41:\"]\x1e2");
        frames.append(&mut rest);
        take_packets(&mut frames, &mut body);
        assert!(!frames.is_empty(), "the close has a body of its own");
        assert_eq!(packets(std::str::from_utf8(&body).unwrap()).count(), 3);
        body.clear();
        take_packets(&mut frames, &mut body);
        assert_eq!((&body[..], &frames[..]), (CLOSE, &b""[..]));
    }
}
