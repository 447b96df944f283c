//! What a client can make the reader hold: what it sent of something that is not whole, up to the limit, and no more.

use super::*;
use allocation_counter::{AllocationInfo, measure};

/// Held beside the bytes themselves: one box of buffers, the pieces of a header.
const OVERHEAD: i64 = 256;

/// Feeds `bytes` in pieces of this length, and says what the decoder allocated for them.
fn feed(decoder: &mut Decoder, mut bytes: Vec<u8>, piece: usize) -> AllocationInfo {
    measure(|| {
        for mut input in bytes.chunks_mut(piece) {
            while decoder.next(&mut input).expect("no violation").is_some() {}
        }
    })
}

#[test]
fn a_decoder_is_small() {
    assert!(size_of::<Decoder>() <= 48, "{}", size_of::<Decoder>());
}

#[test]
fn a_whole_frame_in_one_read_is_not_copied() {
    let mut decoder = Decoder::new(LIMIT);
    let frames = [client(FIN | TEXT, b"{}"), client(PING, b"now"), client(FIN | BINARY, &[7; 5000])].concat();
    let length = frames.len();
    assert_eq!(feed(&mut decoder, frames, length).count_total, 0);
}

#[test]
fn nothing_is_held_between_messages() {
    let fragments = [client(TEXT, &[b'x'; 5000]), client(PING, b"now"), client(FIN, &[b'y'; 5000])].concat();
    for piece in [1, 7, 1400] {
        let mut decoder = Decoder::new(LIMIT);
        let info = feed(&mut decoder, fragments.clone(), piece);
        assert!(info.count_total > 0, "pieces of {piece} are held");
        assert_eq!((info.count_current, info.bytes_current), (0, 0), "pieces of {piece}");
    }
}

#[test]
fn a_claimed_length_reserves_nothing() {
    let mut decoder = Decoder::new(LIMIT);
    let mut beginning = client(FIN | BINARY, &vec![7; LIMIT]);
    beginning.truncate(20);
    let info = feed(&mut decoder, beginning, 20);
    assert!(info.bytes_total <= OVERHEAD as u64, "{info:?}");
}

#[test]
fn what_trickles_in_holds_at_most_twice_itself_and_never_more_than_the_limit() {
    let mut decoder = Decoder::new(LIMIT);
    let bytes = client(FIN | BINARY, &vec![7; LIMIT]);
    let mut held = 0;
    for (arrived, byte) in bytes[..bytes.len() - 1].iter().enumerate() {
        held += feed(&mut decoder, vec![*byte], 1).bytes_current;
        let bound = (2 * arrived).min(LIMIT) as i64 + OVERHEAD;
        assert!(held <= bound, "{held} bytes held after {arrived}");
    }
    assert!(held > LIMIT as i64);
}

#[test]
fn endless_fragments_end_at_the_limit() {
    let mut decoder = Decoder::new(LIMIT);
    let mut held = feed(&mut decoder, client(BINARY, b""), 1400).bytes_current;
    let refused = loop {
        let mut bytes = client(CONTINUATION, &[7; 100]);
        let mut input = &mut bytes[..];
        let mut outcome = Ok(None);
        held +=
            measure(|| outcome = decoder.next(&mut input).map(|message| message.map(|_| ()))).bytes_current;
        assert!(held <= LIMIT as i64 + OVERHEAD, "{held}");
        if let Err(violation) = outcome {
            break violation;
        }
    };
    assert_eq!(refused, Violation::TooBig);
    assert_eq!(held, 0, "what was held of it is freed");
}

#[test]
fn endless_empty_fragments_hold_nothing() {
    let mut decoder = Decoder::new(LIMIT);
    feed(&mut decoder, client(TEXT, b""), 1400);
    let info = feed(&mut decoder, client(CONTINUATION, b"").repeat(10_000), 1400);
    assert!(info.bytes_current <= OVERHEAD, "{info:?}");
}

#[test]
fn a_flood_of_pings_within_a_message_holds_nothing() {
    let mut decoder = Decoder::new(LIMIT);
    let held = feed(&mut decoder, client(TEXT, &[b'x'; 1000]), 1400).bytes_current;
    let flood = client(PING, &[7; 125]).repeat(10_000);
    assert_eq!(feed(&mut decoder, flood.clone(), client(PING, &[7; 125]).len()).count_total, 0, "each whole");
    let info = feed(&mut decoder, flood, 100);
    assert!(info.bytes_max <= OVERHEAD as u64 + 125, "{info:?}");
    assert_eq!(info.bytes_current, 0);
    let end = feed(&mut decoder, client(FIN, b"x"), 1400);
    assert_eq!(held + end.bytes_current, 0);
}
