//! One test for each rule of RFC 6455 that a client can break, among them every one that some library misses.

use super::*;
use wire::{
    envelope::websocket::{Opcode, frame, push_ping},
    message::CloseCode,
};

fn accepted(bytes: &[u8], wanted: &[Owned]) {
    let byte_by_byte = vec![1; bytes.len()];
    assert_eq!(read(bytes, &[], LIMIT), (wanted.to_vec(), None));
    assert_eq!(read(bytes, &byte_by_byte, LIMIT), (wanted.to_vec(), None), "byte by byte");
}

fn refused(bytes: &[u8], wanted: Violation) {
    let byte_by_byte = vec![1; bytes.len()];
    assert_eq!(read(bytes, &[], LIMIT), (vec![], Some(wanted)));
    assert_eq!(read(bytes, &byte_by_byte, LIMIT), (vec![], Some(wanted)), "byte by byte");
}

fn text(text: &str) -> Owned {
    Owned::Text(text.into())
}

/// Section 5.7.
#[test]
fn the_examples_of_the_rfc_are_read_and_written() {
    accepted(b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", &[text("Hello")]);
    accepted(b"\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", &[Owned::Pong(b"Hello".into())]);
    accepted(&[client(TEXT, b"Hel"), client(FIN, b"lo")].concat(), &[text("Hello")]);

    let written = |opcode: Opcode, payload: &[u8]| {
        let mut out = Vec::new();
        frame(&mut out, opcode, |body| body.extend_from_slice(payload));
        out
    };
    assert_eq!(written(Opcode::Text, b"Hello"), b"\x81\x05Hello");
    assert_eq!(written(Opcode::Binary, &[0; 256])[..4], *b"\x82\x7e\x01\x00");
    assert_eq!(written(Opcode::Binary, &[0; 65_536])[..10], *b"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00");
    let mut ping = Vec::new();
    push_ping(&mut ping, b"Hello");
    assert_eq!(ping, b"\x89\x05Hello");
}

#[test]
fn frames_that_are_not_masked_are_refused() {
    refused(b"\x81\x05Hello", Violation::Unmasked);
    refused(b"\x81\x00", Violation::Unmasked);
    refused(b"\x88\x00", Violation::Unmasked);
}

#[test]
fn reserved_bits_are_refused() {
    for bit in [0x40, 0x20, 0x10] {
        refused(&client(FIN | TEXT | bit, b""), Violation::ReservedBit);
        refused(&client(PING | bit, b""), Violation::ReservedBit);
    }
    refused(&[client(TEXT, b"Hel"), client(FIN | 0x40, b"lo")].concat(), Violation::ReservedBit);
}

#[test]
fn reserved_opcodes_are_refused() {
    for opcode in (0x3..=0x7).chain(0xB..=0xF) {
        refused(&client(FIN | opcode, b""), Violation::UnknownOpcode);
        refused(&client(opcode, b""), Violation::UnknownOpcode);
    }
}

#[test]
fn control_frames_over_125_bytes_are_refused() {
    accepted(&client(PING, &[7; 125]), &[Owned::Ping(vec![7; 125])]);
    refused(&client(PING, &[7; 126]), Violation::BadControl);
    refused(&client(PONG, &[7; 65_536]), Violation::BadControl);
}

#[test]
fn a_close_frame_over_125_bytes_is_refused() {
    let close = [&1000u16.to_be_bytes()[..], &[b'x'; 124]].concat();
    refused(&client(CLOSE, &close), Violation::BadControl);
    accepted(&client(CLOSE, &close[..125]), &[Owned::Close(Some((1000, "x".repeat(123))))]);
}

#[test]
fn fragmented_control_frames_are_refused() {
    for opcode in [CLOSE, PING, PONG] {
        refused(&client(opcode & !FIN, b""), Violation::BadControl);
    }
}

#[test]
fn continuations_of_nothing_are_refused() {
    refused(&client(FIN | CONTINUATION, b"lo"), Violation::UnexpectedContinuation);
    refused(&client(CONTINUATION, b"lo"), Violation::UnexpectedContinuation);
    let after_the_end = [client(TEXT, b"Hel"), client(FIN, b"lo"), client(FIN, b"!")].concat();
    assert_eq!(
        read(&after_the_end, &[], LIMIT),
        (vec![text("Hello")], Some(Violation::UnexpectedContinuation))
    );
}

#[test]
fn a_message_within_a_message_is_refused() {
    refused(&[client(TEXT, b"Hel"), client(FIN | TEXT, b"lo")].concat(), Violation::UnfinishedMessage);
    refused(&[client(BINARY, b"Hel"), client(BINARY, b"lo")].concat(), Violation::UnfinishedMessage);
    refused(&[client(TEXT, b""), client(FIN | TEXT, b"lo")].concat(), Violation::UnfinishedMessage);
}

#[test]
fn control_frames_may_come_between_fragments() {
    let bytes = [client(TEXT, b"Hel"), client(PING, b"now"), client(PONG, b""), client(FIN, b"lo")].concat();
    accepted(&bytes, &[Owned::Ping(b"now".into()), Owned::Pong(vec![]), text("Hello")]);
}

#[test]
fn fragments_may_be_empty() {
    let bytes = [client(TEXT, b""), client(CONTINUATION, b""), client(FIN, b"")].concat();
    accepted(&bytes, &[text("")]);
    let bytes = [client(BINARY, b""), client(CONTINUATION, b"x"), client(FIN, b"")].concat();
    accepted(&bytes, &[Owned::Binary(b"x".into())]);
}

#[test]
fn a_length_may_be_told_in_more_bytes_than_it_needs() {
    let mut sixteen_bits = b"\x81\xfe\x00\x05".to_vec();
    push_masked(&mut sixteen_bits, [1, 2, 3, 4], b"Hello");
    accepted(&sixteen_bits, &[text("Hello")]);
    let mut sixty_four_bits = b"\x81\xff\x00\x00\x00\x00\x00\x00\x00\x05".to_vec();
    push_masked(&mut sixty_four_bits, [1, 2, 3, 4], b"Hello");
    accepted(&sixty_four_bits, &[text("Hello")]);
}

#[test]
fn a_claimed_length_is_refused_before_a_byte_of_it_arrives() {
    refused(b"\x82\xff\x80\x00\x00\x00\x00\x00\x00\x00", Violation::BadLength);
    refused(b"\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff", Violation::TooBig);
    refused(b"\x82\xff\x00\x00\x00\x01\x00\x00\x00\x00", Violation::TooBig);
    refused(b"\x82\xff\x00\x00\x00\x00\x00\x01\x00\x01", Violation::TooBig);
}

#[test]
fn the_limit_is_the_longest_message() {
    accepted(&client(FIN | BINARY, &vec![7; LIMIT]), &[Owned::Binary(vec![7; LIMIT])]);
    refused(&client(FIN | BINARY, &vec![7; LIMIT + 1]), Violation::TooBig);
}

#[test]
fn the_limit_counts_all_fragments_of_a_message() {
    let half = vec![b'x'; LIMIT / 2];
    let fits = [client(TEXT, &half), client(FIN, &half)].concat();
    accepted(&[&fits[..], &fits].concat(), &[text(&"x".repeat(LIMIT)), text(&"x".repeat(LIMIT))]);
    refused(
        &[client(TEXT, &half), client(CONTINUATION, &half), client(FIN, b"x")].concat(),
        Violation::TooBig,
    );
}

#[test]
fn text_that_is_not_utf8_is_refused() {
    let bad: [&[u8]; 6] = [
        b"\xc0\x80",         // longer than needed
        b"\xed\xa0\x80",     // a surrogate
        b"\xf4\x90\x80\x80", // beyond U+10FFFF
        b"\x80",             // a continuation of nothing
        b"\xfe",             // never a byte of UTF-8
        b"\xc3",             // ends within a character
    ];
    for payload in bad {
        refused(&client(FIN | TEXT, payload), Violation::NotUtf8);
        refused(&[client(TEXT, b"good "), client(FIN, payload)].concat(), Violation::NotUtf8);
    }
    accepted(&client(FIN | BINARY, b"\xc0\x80"), &[Owned::Binary(b"\xc0\x80".into())]);
}

#[test]
fn text_is_refused_at_its_first_wrong_byte() {
    // The message has no end yet, nor has its second fragment; but no more bytes can make it right.
    let beyond = [client(TEXT, "κόσμε".as_bytes()), client(CONTINUATION, b"\xf4\x90\x80\x80")].concat();
    let first_wrong_byte = beyond.len() - 2;
    refused(&beyond[..first_wrong_byte], Violation::NotUtf8);
    accepted(&beyond[..first_wrong_byte - 1], &[]);

    let across_fragments = [client(TEXT, b"\xf4"), client(CONTINUATION, b"\x90")].concat();
    refused(&across_fragments, Violation::NotUtf8);
    let beside_control =
        [client(TEXT, b"\xf4"), client(PING, b"\x90"), client(CONTINUATION, b"\x90")].concat();
    assert_eq!(
        read(&beside_control, &[], LIMIT),
        (vec![Owned::Ping(b"\x90".into())], Some(Violation::NotUtf8))
    );
}

#[test]
fn a_character_may_lie_across_fragments() {
    let bytes = [client(TEXT, b"\xf0"), client(CONTINUATION, b"\x9f\x98"), client(FIN, b"\x80")].concat();
    accepted(&bytes, &[text("😀")]);
}

#[test]
fn close_codes_that_may_not_be_sent_are_refused() {
    for good in [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1014, 3000, 3999, 4000, 4999] {
        accepted(&client(CLOSE, &u16::to_be_bytes(good)), &[Owned::Close(Some((good, String::new())))]);
    }
    for bad in [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535] {
        refused(&client(CLOSE, &u16::to_be_bytes(bad)), Violation::BadClose);
    }
}

#[test]
fn close_frames_have_no_payload_or_a_code_and_text() {
    accepted(&client(CLOSE, b""), &[Owned::Close(None)]);
    accepted(&client(CLOSE, b"\x03\xe8bye"), &[Owned::Close(Some((1000, "bye".into())))]);
    refused(&client(CLOSE, b"\x03"), Violation::BadClose);
    refused(&client(CLOSE, b"\x03\xe8\xff"), Violation::NotUtf8);
    refused(&client(CLOSE, b"\x03\xe8\xc3"), Violation::NotUtf8);
}

#[test]
fn nothing_is_read_after_a_close() {
    let mut bytes = [client(CLOSE, b""), client(FIN | TEXT, b"more")].concat();
    let mut decoder = Decoder::new(LIMIT);
    let mut input = &mut bytes[..];
    assert_eq!(decoder.next(&mut input), Ok(Some(Message::Close(None))));
    assert_eq!(decoder.next(&mut input), Ok(None));
    assert_eq!(input, client(FIN | TEXT, b"more"), "as it came");
}

#[test]
fn nothing_is_read_after_a_violation() {
    for bad in [client(FIN | 0x7, b""), client(FIN | TEXT, b"\xff"), client(CLOSE, b"\x03")] {
        let mut bytes = [bad, client(FIN | TEXT, b"more")].concat();
        let mut decoder = Decoder::new(LIMIT);
        let mut input = &mut bytes[..];
        assert!(decoder.next(&mut input).is_err());
        assert_eq!(decoder.next(&mut input), Ok(None));
    }
}

/// Libraries that only drop the connection leave a client to guess.
#[test]
fn every_violation_has_a_close_code_and_a_reason_that_fits() {
    use Violation::*;
    let check = |violation: Violation, code: CloseCode| {
        assert_eq!(violation.close_code(), code);
        assert!((1..=123).contains(&violation.to_string().len()), "{violation}");
    };
    for violation in [
        Unmasked,
        ReservedBit,
        UnknownOpcode,
        BadControl,
        UnexpectedContinuation,
        UnfinishedMessage,
        BadLength,
        BadClose,
    ] {
        check(violation, CloseCode::ProtocolError);
    }
    check(NotUtf8, CloseCode::InvalidData);
    check(TooBig, CloseCode::TooBig);
}
