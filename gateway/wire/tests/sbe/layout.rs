//! Two messages byte by byte, counted out by hand: where each field stands.

use crate::{bitcoin, bytes};
use book::{Ladder, Mark};
use market::{Epoch, Level, Nanos, Price, Qty};
use wire::{
    codec::{Body, Codec},
    dialect::{
        binance::{Form, Levels, Speed, Stream},
        native_sbe,
    },
    envelope::Envelope,
    message::{BookKind, BookMessage, Encoding},
};

const NONE: [u8; 8] = [0xFF; 8];

fn with_update(check: impl FnOnce(&BookMessage<'_>)) {
    let levels = Ladder { bids: vec![Level { price: Price(6_165_970), qty: Qty(0) }], asks: vec![] };
    let mark = Mark {
        seq: 1047,
        event: 9,
        engine: Nanos(1),
        ingest: Nanos(2),
        timestamp: Nanos(1_700_000_000_123_456_789),
        venue_seq: 31,
    };
    check(&BookMessage {
        instrument: &bitcoin(),
        ids: Epoch(0x9c41_d7e0_a25b_7f3a).into(),
        kind: BookKind::Update { first_seq: 1042, merged: None },
        levels: &levels,
        checksum: 974_947_235,
        mark,
        stamps: None,
    });
}

#[test]
fn a_native_book_update() {
    let level = [&6_165_970_i64.to_le_bytes()[..], &0_u64.to_le_bytes()].concat();
    let wanted = [
        // The header: 121 bytes of block, template 1, schema 25699, version 0.
        &[121, 0, 1, 0, 0x63, 0x64, 0, 0][..],
        b"BTC/USDT\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        &0x9c41_d7e0_a25b_7f3a_u64.to_le_bytes(),
        &1042_u64.to_le_bytes(),
        &1047_u64.to_le_bytes(),
        &31_u64.to_le_bytes(),
        &1_700_000_000_123_456_789_u64.to_le_bytes(),
        &0_u64.to_le_bytes(),
        &[NONE, NONE, NONE, NONE].concat(),
        &974_947_235_u32.to_le_bytes(),
        // Exponents -2 and -5, an update, without a reason, not conflated.
        &[0xFE, 0xFB, 2, 0, 0],
        &[16, 0, 1, 0, 0, 0],
        &level,
        &[16, 0, 0, 0, 0, 0],
    ]
    .concat();
    with_update(|message| assert_eq!(bytes(|out| native_sbe::push_book(out, message)), wanted));
}

#[test]
fn a_frame_or_a_length_stands_before_it() {
    with_update(|message| {
        let body = bytes(|out| native_sbe::push_book(out, message));
        let over = |envelope| bytes(|out| Codec::native(Encoding::Sbe, envelope).push_book(out, message));
        let length = body.len() as u8;
        assert_eq!(over(Envelope::WebSocket), [&[0x82, 126, 0, length][..], &body].concat());
        assert_eq!(over(Envelope::LengthPrefixed), [&[length, 0, 0, 0][..], &body].concat());
    });
}

#[test]
fn a_depth_event_of_binance() {
    let wanted = [
        // The header: 26 bytes of block, template 10003, schema 1, version 0.
        &[26, 0, 0x13, 0x27, 1, 0, 0, 0][..],
        &1_700_000_000_123_456_i64.to_le_bytes(),
        &1042_i64.to_le_bytes(),
        &1047_i64.to_le_bytes(),
        &[0xFE, 0xFB],
        &[16, 0, 1, 0],
        &6_165_970_i64.to_le_bytes(),
        &0_i64.to_le_bytes(),
        &[16, 0, 0, 0],
        &[7],
        b"BTCUSDT",
    ]
    .concat();
    let form = |stream| Form { stream, combined: false, encoding: Encoding::Sbe };
    let over = |stream, message: &BookMessage<'_>| {
        let codec = Codec { body: Body::Binance(form(stream)), envelope: Envelope::WebSocket };
        bytes(|out| codec.push_book(out, message))
    };
    with_update(|message| {
        let frame = over(Stream::Depth(Speed::Binary), message);
        assert_eq!(frame[..2], [0x82, wanted.len() as u8]);
        assert_eq!(frame[2..], wanted);
        let view = over(Stream::Partial(Levels::Twenty, Speed::Binary), message);
        assert_eq!(view[2..10], [18, 0, 0x12, 0x27, 1, 0, 0, 0]);
    });
}
