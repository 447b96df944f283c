//! What we compress, whatever it says: another inflater with no more than the window that was agreed on gets it back, and so do we.

use miniz_oxide::inflate::{
    TINFLStatus,
    core::{DecompressorOxide, decompress},
};
use wire::envelope::websocket::{Decoder, Message, Opcode, Window, deflated_frame, frame_lengths};

const RSV1: u8 = 0x40;

/// A byte that says how often the message stands one behind the other, then the message.
pub(crate) fn check(data: &[u8]) {
    let Some((&times, message)) = data.split_first() else { return };
    let message = message.repeat(usize::from(times % 6) + 1);
    for window in [Window::Whole, Window::Least] {
        let mut frame = Vec::new();
        deflated_frame(&mut frame, Opcode::Binary, window, |out| out.extend_from_slice(&message));
        let (header, length) = frame_lengths(&frame).expect("a frame");
        assert_eq!(header + length, frame.len());
        let payload = &frame[header..];
        if frame[0] & RSV1 == 0 {
            assert!(payload == message);
            continue;
        }
        assert!(payload.len() < message.len());
        assert!(inflated(payload, window) == message, "another inflater reads something else");
        let mut sent = vec![frame[0], 0xFF];
        sent.extend_from_slice(&(payload.len() as u64).to_be_bytes());
        sent.extend_from_slice(&[0; 4]);
        sent.extend_from_slice(payload);
        let mut decoder = Decoder::inflating(message.len());
        assert!(decoder.next(&mut &mut sent[..]) == Ok(Some(Message::Binary(&message))));
    }
}

/// miniz_oxide writes into a ring of just the window's size, so that what refers farther back comes out wrong.
fn inflated(payload: &[u8], window: Window) -> Vec<u8> {
    let payload = [payload, &[0, 0, 0xFF, 0xFF, 1, 0, 0, 0xFF, 0xFF]].concat();
    let (mut out, mut ring) = (Vec::new(), vec![0; 1 << window.bits()]);
    let (mut stream, mut rest) = (DecompressorOxide::new(), &payload[..]);
    loop {
        let at = out.len() % ring.len();
        let (status, read, written) = decompress(&mut stream, rest, &mut ring, at, 0);
        rest = &rest[read..];
        out.extend_from_slice(&ring[at..at + written]);
        match status {
            TINFLStatus::HasMoreOutput => {}
            TINFLStatus::Done => return out,
            status => panic!("{status:?} after {} bytes", out.len()),
        }
    }
}
