//! The WebSocket codec against RFC 6455, against a plain model of it, and against fastwebsockets over a real stream.

use proptest::prelude::*;
use wire::{
    envelope::websocket::{Decoder, Message, Opcode, Violation, frame, push_close, push_ping},
    message::CloseCode,
};

const LIMIT: usize = 64 << 10;

/// A message that outlives its buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Owned {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<(u16, String)>),
}

fn owned(message: Message<'_>) -> Owned {
    match message {
        Message::Text(text) => Owned::Text(text.into()),
        Message::Binary(bytes) => Owned::Binary(bytes.into()),
        Message::Ping(bytes) => Owned::Ping(bytes.into()),
        Message::Pong(bytes) => Owned::Pong(bytes.into()),
        Message::Close(close) => Owned::Close(close.map(|close| (close.code, close.reason.into()))),
    }
}

/// Reads `bytes` in pieces of these lengths, then the rest.
fn read(bytes: &[u8], pieces: &[usize]) -> (Vec<Owned>, Option<Violation>) {
    let mut decoder = Decoder::new(LIMIT);
    let mut messages = Vec::new();
    let mut bytes = bytes.to_vec();
    let mut rest = &mut bytes[..];
    let mut pieces = pieces.iter().copied();
    while !rest.is_empty() {
        let length = pieces.next().unwrap_or(rest.len()).clamp(1, rest.len());
        let (mut piece, behind) = rest.split_at_mut(length);
        rest = behind;
        loop {
            match decoder.next(&mut piece) {
                Ok(Some(message)) => messages.push(owned(message)),
                Ok(None) => break,
                Err(violation) => return (messages, Some(violation)),
            }
        }
    }
    (messages, None)
}

/// A client's frame, masked; the second byte's length is as short as can be.
fn client(first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [0x37, 0xFA, 0x21, 0x3D];
    let mut out = vec![first];
    match payload.len() {
        short @ 0..=125 => out.push(0x80 | short as u8),
        medium @ 126..=65_535 => {
            out.push(0x80 | 126);
            out.extend_from_slice(&(medium as u16).to_be_bytes());
        }
        long => {
            out.push(0x80 | 127);
            out.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&mask);
    out.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    out
}

fn refused(bytes: &[u8], wanted: Violation) {
    let (messages, violation) = read(bytes, &[]);
    assert_eq!((messages, violation), (vec![], Some(wanted)));
    let one_by_one = vec![1; bytes.len()];
    assert_eq!(read(bytes, &one_by_one).1, Some(wanted), "byte by byte");
}

#[test]
fn reads_the_examples_of_the_rfc() {
    let hello = [0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58];
    assert_eq!(read(&hello, &[]).0, [Owned::Text("Hello".into())]);
    let fragments = [client(0x01, b"Hel"), client(0x80, b"lo")].concat();
    assert_eq!(read(&fragments, &[]).0, [Owned::Text("Hello".into())]);
}

#[test]
fn refuses_frames_that_are_not_masked() {
    refused(&[0x81, 0x05, b'H', b'e', b'l', b'l', b'o'], Violation::Unmasked);
}

#[test]
fn refuses_reserved_bits_and_opcodes() {
    refused(&client(0xC1, b""), Violation::ReservedBit);
    refused(&client(0x91, b""), Violation::ReservedBit);
    for opcode in [0x3, 0x7, 0xB, 0xF] {
        refused(&client(0x80 | opcode, b""), Violation::UnknownOpcode);
    }
}

#[test]
fn refuses_control_frames_that_are_long_or_fragmented() {
    refused(&client(0x89, &[0; 126]), Violation::BadControl);
    refused(&client(0x09, b""), Violation::BadControl);
}

#[test]
fn refuses_fragments_out_of_order() {
    refused(&client(0x80, b"lo"), Violation::UnexpectedContinuation);
    refused(&[client(0x01, b"Hel"), client(0x81, b"lo")].concat(), Violation::UnfinishedMessage);
}

#[test]
fn refuses_a_claimed_length_before_a_byte_of_it_arrives() {
    refused(&[0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0], Violation::BadLength);
    refused(&[0x82, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], Violation::TooBig);
    refused(&client(0x82, &vec![0; LIMIT + 1]), Violation::TooBig);
    assert_eq!(Violation::TooBig.close_code(), CloseCode::TooBig);
}

#[test]
fn the_limit_counts_all_fragments_of_a_message() {
    let half = vec![b'x'; LIMIT / 2];
    let fits = [client(0x01, &half), client(0x80, &half)].concat();
    assert_eq!(read(&fits, &[]).0.len(), 1);
    let over = [client(0x01, &half), client(0x00, &half), client(0x80, b"x")].concat();
    assert_eq!(read(&over, &[]), (vec![], Some(Violation::TooBig)));
}

#[test]
fn refuses_text_at_its_first_wrong_byte_also_across_fragments() {
    refused(&client(0x81, &[0xC0, 0x80]), Violation::NotUtf8);
    refused(&client(0x81, "ü".as_bytes().split_at(1).0), Violation::NotUtf8);
    // The message is not finished, and the second fragment not complete, but the text cannot become right any more.
    let unfinished = [client(0x01, "κόσμε".as_bytes()), client(0x00, &[0xF4, 0x90, 0x80, 0x80])].concat();
    assert_eq!(read(&unfinished[..unfinished.len() - 2], &[]).1, Some(Violation::NotUtf8));
    assert_eq!(Violation::NotUtf8.close_code(), CloseCode::InvalidData);
}

#[test]
fn a_character_may_lie_across_fragments() {
    let (head, tail) = "ü".as_bytes().split_at(1);
    let bytes = [client(0x01, head), client(0x80, tail)].concat();
    assert_eq!(read(&bytes, &[]).0, [Owned::Text("ü".into())]);
}

#[test]
fn judges_close_frames() {
    let close = |payload: &[u8]| read(&client(0x88, payload), &[]);
    let code = |code: u16| code.to_be_bytes();
    assert_eq!(close(b"").0, [Owned::Close(None)]);
    assert_eq!(close(&[&code(1000)[..], b"bye"].concat()).0, [Owned::Close(Some((1000, "bye".into())))]);
    for good in [1001, 1003, 1007, 1011, 3000, 4999] {
        assert_eq!(close(&code(good)).0, [Owned::Close(Some((good, String::new())))]);
    }
    for bad in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535] {
        assert_eq!(close(&code(bad)).1, Some(Violation::BadClose), "{bad}");
    }
    assert_eq!(close(&[3]).1, Some(Violation::BadClose));
    assert_eq!(close(&[&code(1000)[..], &[0xFF]].concat()).1, Some(Violation::NotUtf8));
}

#[test]
fn nothing_is_read_after_a_close() {
    let bytes = [client(0x88, b""), client(0x81, b"more")].concat();
    assert_eq!(read(&bytes, &[]).0, [Owned::Close(None)]);
}

#[test]
fn control_frames_come_between_fragments() {
    let bytes = [client(0x01, b"Hel"), client(0x89, b"now"), client(0x8A, b""), client(0x80, b"lo")].concat();
    let wanted = [Owned::Ping(b"now".into()), Owned::Pong(vec![]), Owned::Text("Hello".into())];
    assert_eq!(read(&bytes, &[]).0, wanted);
    assert_eq!(read(&bytes, &vec![1; bytes.len()]).0, wanted, "byte by byte");
}

#[test]
fn a_decoder_is_small_and_holds_nothing_between_messages() {
    assert!(size_of::<Decoder>() <= 48, "{}", size_of::<Decoder>());
    let info = allocation_counter::measure(|| {
        let mut bytes = client(0x81, b"whole");
        let mut decoder = Decoder::new(LIMIT);
        let before = allocation_counter::measure(|| {
            let mut input = &mut bytes[..];
            assert!(matches!(decoder.next(&mut input), Ok(Some(Message::Text("whole")))));
            assert!(matches!(decoder.next(&mut input), Ok(None)));
        });
        assert_eq!(before.count_total, 0, "a whole frame in one read is not copied");
    });
    assert_eq!(info.bytes_current, 0);
}

#[test]
fn endless_fragments_hold_no_more_than_the_limit() {
    let mut decoder = Decoder::new(LIMIT);
    let info = allocation_counter::measure(|| {
        let mut first = true;
        for _ in 0..100_000 {
            let mut bytes = client(if first { 0x02 } else { 0x00 }, &[7; 100]);
            first = false;
            if decoder.next(&mut &mut bytes[..]).is_err() {
                return;
            }
        }
        panic!("the limit was not noticed");
    });
    assert!(info.bytes_max < 4 * LIMIT as u64, "{}", info.bytes_max);
}

/// What a test sends: a message in fragments, control frames between them.
fn conversation() -> impl Strategy<Value = (Vec<u8>, Vec<Owned>)> {
    let data = prop_oneof![
        ".{0,300}".prop_map(Owned::Text),
        prop::collection::vec(any::<u8>(), 0..400).prop_map(Owned::Binary),
    ];
    let control = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..125).prop_map(Owned::Ping),
        prop::collection::vec(any::<u8>(), 0..125).prop_map(Owned::Pong),
    ];
    let message = (data, prop::collection::vec((0usize..400, prop::option::of(control)), 0..4));
    prop::collection::vec(message, 0..6).prop_map(|messages| {
        let (mut bytes, mut wanted) = (Vec::new(), Vec::new());
        for (message, fragments) in messages {
            let (opcode, payload) = match &message {
                Owned::Text(text) => (0x1, text.as_bytes()),
                Owned::Binary(payload) => (0x2, &payload[..]),
                _ => unreachable!("only data is fragmented"),
            };
            let (mut opcode, mut payload) = (opcode, payload);
            for (length, control) in fragments {
                let (piece, rest) = payload.split_at(length.min(payload.len()));
                bytes.extend(client(opcode, piece));
                (opcode, payload) = (0x0, rest);
                if let Some(control) = control {
                    let (first, payload) = match &control {
                        Owned::Ping(payload) => (0x89, payload),
                        Owned::Pong(payload) => (0x8A, payload),
                        _ => unreachable!("a control frame"),
                    };
                    bytes.extend(client(first, payload));
                    wanted.push(control);
                }
            }
            bytes.extend(client(0x80 | opcode, payload));
            wanted.push(message);
        }
        (bytes, wanted)
    })
}

proptest! {
    #[test]
    fn every_split_of_the_bytes_gives_the_same_messages(
        (bytes, wanted) in conversation(),
        pieces in prop::collection::vec(1usize..60, 0..200),
    ) {
        prop_assert_eq!(read(&bytes, &pieces), (wanted, None));
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), pieces in prop::collection::vec(1usize..9, 0..99)) {
        let whole = read(&bytes, &[]);
        prop_assert_eq!(read(&bytes, &pieces), whole);
    }
}

/// Each side reads what the other wrote: our server, their client.
#[tokio::test]
async fn fastwebsockets_as_a_client_understands_and_is_understood() {
    use fastwebsockets::{Frame, OpCode, Role, WebSocket};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let (ours, theirs) = tokio::io::duplex(1 << 20);
    let mut client = WebSocket::after_handshake(theirs, Role::Client);
    client.set_auto_pong(false);
    let (mut read_half, mut write_half) = tokio::io::split(ours);
    let lengths = [0, 1, 125, 126, 127, 65_535, 65_536];

    let mut sent = Vec::new();
    for length in lengths {
        frame(&mut sent, Opcode::Text, |body| body.resize(body.len() + length, b'x'));
    }
    push_ping(&mut sent, b"are you there");
    push_close(&mut sent, Some((4008, "too slow")));
    write_half.write_all(&sent).await.unwrap();
    for length in lengths {
        let frame = client.read_frame().await.unwrap();
        assert_eq!((frame.opcode, frame.payload.len()), (OpCode::Text, length));
    }
    assert_eq!(client.read_frame().await.unwrap().opcode, OpCode::Ping);

    for length in lengths {
        client.write_frame(Frame::binary(vec![9; length].into())).await.unwrap();
    }
    client.write_frame(Frame::pong(b"here"[..].into())).await.unwrap();
    drop(client);
    let mut bytes = Vec::new();
    read_half.read_to_end(&mut bytes).await.unwrap();
    let mut decoder = Decoder::new(1 << 20);
    let mut input = &mut bytes[..];
    for length in lengths {
        let Ok(Some(Message::Binary(payload))) = decoder.next(&mut input) else {
            panic!("a message of {length}")
        };
        assert!(payload.len() == length && payload.iter().all(|&byte| byte == 9));
    }
    assert_eq!(decoder.next(&mut input), Ok(Some(Message::Pong(b"here"))));
}
