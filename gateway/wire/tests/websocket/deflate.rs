//! Compressed messages: the examples of RFC 7692, its rules, and flate2 and miniz_oxide as the other side.

use super::*;
use allocation_counter::measure;
use flate2::{Compress, Compression, FlushCompress};
use miniz_oxide::inflate::{
    TINFLStatus,
    core::{DecompressorOxide, decompress},
};
use proptest::prelude::*;
use wire::envelope::websocket::{Opcode, Window, deflated_frame, frame_lengths};

const RSV1: u8 = 0x40;

fn inflated(bytes: &[u8], pieces: &[usize], limit: usize) -> (Vec<Owned>, Option<Violation>) {
    read_by(Decoder::inflating(limit), bytes, pieces)
}

fn hello() -> Owned {
    Owned::Text("Hello".into())
}

/// A message as a client of another make compresses it.
fn deflate(message: &[u8], level: u32) -> Vec<u8> {
    let mut out = Vec::with_capacity(2 * message.len() + 64);
    let mut stream = Compress::new(Compression::new(level), false);
    stream.compress_vec(message, &mut out, FlushCompress::Sync).expect("it can be compressed");
    assert_eq!(stream.total_in(), message.len() as u64);
    out.strip_suffix(&[0, 0, 0xFF, 0xFF]).expect("a flush ends so").to_vec()
}

/// A message as a client of another make inflates it, that keeps no more than this window: miniz_oxide writes into a ring of just
/// that size, so that what refers farther back comes out wrong. flate2 with zlib-rs keeps the whole window, whichever it is told.
fn inflate(payload: &[u8], window: Window) -> Vec<u8> {
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

/// The frames of a compressed message that is cut into fragments of these lengths, then the rest.
fn fragments(opcode: u8, payload: &[u8], lengths: &[usize]) -> Vec<u8> {
    let (mut out, mut rest, mut first) = (Vec::new(), payload, RSV1 | opcode);
    for &length in lengths {
        let (fragment, behind) = rest.split_at(length.min(rest.len()));
        out.extend(client(first, fragment));
        (rest, first) = (behind, CONTINUATION);
    }
    out.extend(client(FIN | first, rest));
    out
}

/// Section 7.2.3, each with what it is an example of.
#[test]
fn the_examples_of_the_rfc_are_understood() {
    let check = |what: &str, frames: &[u8], wanted: &[Owned]| {
        for piece in 1..=frames.len() {
            let pieces = vec![piece; frames.len()];
            assert_eq!(inflated(frames, &pieces, 100), (wanted.to_vec(), None), "{what}, {piece} at once");
        }
    };
    let compressed = [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00];
    check("one block", &client(FIN | RSV1 | TEXT, &compressed), &[hello()]);
    check("two fragments", &fragments(TEXT, &compressed, &[3]), &[hello()]);
    let twice = client(FIN | RSV1 | TEXT, &compressed).repeat(2);
    check("the same again, as nothing is taken over", &twice, &[hello(), hello()]);
    let stored = [0x00, 0x05, 0x00, 0xFA, 0xFF, 0x48, 0x65, 0x6C, 0x6C, 0x6F, 0x00];
    check("a block without compression", &client(FIN | RSV1 | TEXT, &stored), &[hello()]);
    let last = [0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00];
    check("a block that is marked as the last", &client(FIN | RSV1 | TEXT, &last), &[hello()]);
    let two = [0xF2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xCA, 0xC9, 0xC9, 0x07, 0x00];
    check("two blocks", &client(FIN | RSV1 | TEXT, &two), &[hello()]);
    check("an empty message", &client(FIN | RSV1 | TEXT, &[0]), &[Owned::Text(String::new())]);
    check("a message as it is", &client(FIN | TEXT, b"Hello"), &[hello()]);

    let between =
        [client(RSV1 | TEXT, &compressed[..3]), client(PING, b"now"), client(FIN, &compressed[3..])];
    check("a ping between", &between.concat(), &[Owned::Ping(b"now".to_vec()), hello()]);
}

#[test]
fn the_mark_has_its_place() {
    let compressed = [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00];
    let check = |what: &str, decoder: Decoder, frames: &[u8]| {
        let (_, violation) = read_by(decoder, frames, &[]);
        assert_eq!(violation, Some(Violation::ReservedBit), "{what}");
    };
    let inflating = || Decoder::inflating(100);
    check("nothing agreed on", Decoder::new(100), &client(FIN | RSV1 | TEXT, &compressed));
    check("a ping", inflating(), &client(RSV1 | PING, b""));
    check("a close", inflating(), &client(RSV1 | CLOSE, b""));
    let marked = [client(RSV1 | TEXT, &compressed[..3]), client(FIN | RSV1, &compressed[3..])].concat();
    check("a continuation", inflating(), &marked);
    let late = [client(TEXT, b"Hel"), client(FIN | RSV1, b"lo")].concat();
    check("a continuation of what is not compressed", inflating(), &late);
    check("RSV2", inflating(), &client(FIN | 0x20 | TEXT, b""));
    check("RSV3", inflating(), &client(FIN | RSV1 | 0x10 | TEXT, &compressed));
}

#[test]
fn what_is_no_compressed_message_is_told_apart() {
    let check = |what: &str, payload: &[u8]| {
        let (messages, violation) = inflated(&client(FIN | RSV1 | TEXT, payload), &[], 100);
        assert_eq!((messages, violation), (vec![], Some(Violation::BadDeflate)), "{what}");
    };
    check("nothing at all", &[]);
    check("a type of block that there is not", &[0x07]);
    check("a part of a message", &[0xF2, 0x48, 0xCD]);
    check("a reference to what was never sent", &[0x02, 0x13, 0x00, 0x00]);
    check("something behind the last block", &[0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00, 0x00]);
    let (_, violation) = inflated(&client(FIN | RSV1 | TEXT, &deflate(b"\xFF\xFE", 6)), &[], 100);
    assert_eq!(violation, Some(Violation::NotUtf8));
    let (messages, _) = inflated(&client(FIN | RSV1 | BINARY, &deflate(b"\xFF\xFE", 6)), &[], 100);
    assert_eq!(messages, [Owned::Binary(b"\xFF\xFE".to_vec())]);
}

#[test]
fn a_message_may_be_as_long_as_the_limit_and_no_longer() {
    let check = |length, wanted| {
        let (_, violation) =
            inflated(&client(FIN | RSV1 | TEXT, &deflate(&vec![b'x'; length], 6)), &[], 5000);
        assert_eq!(violation, wanted, "{length}");
    };
    check(5000, None);
    check(5001, Some(Violation::TooBig));
}

#[test]
fn a_bomb_is_inflated_to_the_limit_at_most() {
    let bomb = deflate(&vec![0; 50 << 20], 9);
    assert!(bomb.len() < LIMIT, "what arrives is within the limit");
    let mut frame = client(FIN | RSV1 | BINARY, &bomb);
    inflated(&client(FIN | RSV1 | TEXT, &[0]), &[], LIMIT);
    let mut decoder = Decoder::inflating(LIMIT);
    let mut outcome = None;
    let info = measure(|| outcome = decoder.next(&mut &mut frame[..]).err());
    assert_eq!(outcome, Some(Violation::TooBig));
    assert!(info.bytes_max <= 2 * LIMIT as u64 + 1024, "{info:?}");
    assert!(info.bytes_current <= 256, "{info:?}");
}

#[test]
fn nothing_of_a_compressed_message_is_kept() {
    let mut decoder = Decoder::inflating(LIMIT);
    let frames = fragments(TEXT, &deflate("Kurs ".repeat(1000).as_bytes(), 6), &[5, 10]);
    let mut once = |bytes: &mut [u8]| {
        let mut input = bytes;
        while decoder.next(&mut input).expect("a good message").is_some() {}
    };
    // The thread's inflater is made with the first.
    once(&mut frames.clone());
    let mut again = frames;
    let info = measure(|| once(&mut again));
    assert_eq!((info.count_current, info.bytes_current), (0, 0));
}

#[test]
fn what_is_short_or_gets_no_shorter_is_sent_as_it_is() {
    let check = |body: &[u8], is_deflated: bool| {
        let mut out = b"before".to_vec();
        deflated_frame(&mut out, Opcode::Text, Window::Whole, |out| out.extend_from_slice(body));
        assert!(out.starts_with(b"before"));
        assert_eq!(out[6] & RSV1 != 0, is_deflated, "{} bytes", body.len());
        assert_eq!(out.ends_with(body), !is_deflated);
    };
    check(b"", false);
    check(&[b'x'; 511], false);
    check(&[b'x'; 512], true);
    let noise = noise(3000);
    check(&noise, false);
    check(&[b'x'; 100_000], true);
}

/// Bytes that nothing can make shorter.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as u8
    };
    (0..length).map(|_| next()).collect()
}

#[test]
fn what_gets_no_shorter_leaves_nothing_behind() {
    let text = "\"price\":65432.10,\"qty\":0.00123,".repeat(40);
    for window in [Window::Whole, Window::Least] {
        for length in (600..20_000).step_by(97) {
            let mut out = Vec::new();
            deflated_frame(&mut out, Opcode::Text, window, |out| out.extend(noise(length)));
            out.clear();
            deflated_frame(&mut out, Opcode::Text, window, |out| out.extend_from_slice(text.as_bytes()));
            assert_eq!(out[0], FIN | RSV1 | TEXT);
            let (header, _) = frame_lengths(&out).expect("a frame");
            assert!(inflate(&out[header..], window) == text.as_bytes(), "after {length} bytes");
        }
    }
}

#[test]
fn compressing_allocates_nothing_once_the_thread_has_done_it() {
    let body = "\"price\":65432.10,\"qty\":0.00123,".repeat(100);
    let mut out = Vec::with_capacity(1 << 20);
    let write = |out: &mut Vec<u8>| {
        deflated_frame(out, Opcode::Text, Window::Whole, |out| out.extend_from_slice(body.as_bytes()));
    };
    write(&mut out);
    assert_eq!(measure(|| (0..10).for_each(|_| write(&mut out))).count_total, 0);
}

/// Bytes that compress as those of a feed do, and others.
fn message() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..4000),
        prop::collection::vec(b'0'..=b'9', 0..8000),
        (prop::collection::vec(any::<u8>(), 1..700), 1usize..40)
            .prop_map(|(piece, times)| piece.repeat(times)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn what_others_compress_is_read_however_it_comes(
        message in message(),
        level in 0u32..=9,
        lengths in prop::collection::vec(0usize..500, 0..5),
        pieces in prop::collection::vec(1usize..400, 0..20),
    ) {
        let frames = fragments(BINARY, &deflate(&message, level), &lengths).repeat(2);
        let wanted = vec![Owned::Binary(message.clone()), Owned::Binary(message)];
        prop_assert_eq!(inflated(&frames, &pieces, 1 << 20), (wanted, None));
    }

    #[test]
    fn what_we_compress_is_read_by_others(
        messages in prop::collection::vec(message(), 1..4),
        is_least in any::<bool>(),
    ) {
        let window = if is_least { Window::Least } else { Window::Whole };
        let mut out = Vec::new();
        for message in &messages {
            deflated_frame(&mut out, Opcode::Binary, window, |out| out.extend_from_slice(message));
        }
        let mut rest = &out[..];
        for message in &messages {
            let (header, length) = frame_lengths(rest).expect("a frame");
            let (frame, behind) = rest.split_at(header + length);
            let payload = &frame[header..];
            prop_assert!(payload.len() <= message.len());
            if frame[0] & RSV1 != 0 {
                prop_assert_eq!(&inflate(payload, window), message);
            } else {
                prop_assert_eq!(payload, &message[..]);
            }
            rest = behind;
        }
        prop_assert!(rest.is_empty());
    }

    #[test]
    fn no_bytes_make_the_reader_panic_or_exceed_its_limit(
        payload in prop::collection::vec(any::<u8>(), 0..300),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
        message in message(),
    ) {
        let mut broken = deflate(&message, 6);
        for (at, byte) in flips {
            if !broken.is_empty() {
                let at = at.index(broken.len());
                broken[at] = byte;
            }
        }
        for payload in [payload, broken] {
            let (messages, _) = inflated(&client(FIN | RSV1 | BINARY, &payload), &[], 2000);
            for message in messages {
                prop_assert!(matches!(message, Owned::Binary(bytes) if bytes.len() <= 2000));
            }
        }
    }
}
