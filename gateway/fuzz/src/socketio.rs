//! Packets of Engine.IO and Socket.IO: what is read of an event is what stands there, and bodies survive the way through frames.

use wire::envelope::socketio::{Packet, SEPARATOR, frames_of, packets, take_packets};

/// A body of long polling; each of its packets may as well be a text frame.
pub(crate) fn check(data: &[u8]) {
    frames(data);
    let Ok(body) = std::str::from_utf8(data) else { return };
    for text in packets(body) {
        let Ok(packet) = Packet::parse(text) else { continue };
        let Packet::Event { ack, arguments } = packet else { continue };
        assert!(text.ends_with(arguments));
        // Behind a default namespace that was written out, arguments may begin as another one would.
        if !arguments.starts_with('/') {
            let again = format!("42{}{arguments}", ack.map(|id| id.to_string()).unwrap_or_default());
            assert_eq!(Packet::parse(&again), Ok(packet), "{again}");
        }
    }
}

/// There are no empty packets.
fn frames(body: &[u8]) {
    if body.split(|&byte| byte == SEPARATOR).any(<[u8]>::is_empty) {
        return;
    }
    let mut frames = frames_of(body);
    let mut again = Vec::new();
    take_packets(&mut frames, &mut again);
    assert!(frames.is_empty());
    assert!(again == body);
}
