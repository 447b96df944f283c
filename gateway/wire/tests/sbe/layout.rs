//! Messages byte by byte, counted out by hand: where each field stands.

use crate::{bitcoin, bytes};
use book::{Ladder, Mark};
use market::{Epoch, Level, Nanos, Price, Qty, Side};
use wire::{
    codec::{Body, Codec},
    dialect::{
        binance::{Form, Levels, Speed, Stream},
        native_sbe,
    },
    envelope::Envelope,
    message::{BboMessage, BookKind, BookMessage, Encoding, Trade, TradeKind, TradeMessage},
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

/// The one event of a stream of Binance that `push` appends, without its frame.
fn event(stream: Stream, push: impl FnOnce(Codec, &mut Vec<u8>)) -> Vec<u8> {
    let form = Form { stream, combined: false, encoding: Encoding::Sbe };
    let frame = bytes(|out| push(Codec { body: Body::Binance(form), envelope: Envelope::WebSocket }, out));
    assert_eq!(frame[..2], [0x82, frame.len() as u8 - 2]);
    frame[2..].to_vec()
}

const MICROS: [u8; 8] = 1_700_000_000_123_456_i64.to_le_bytes();

#[test]
fn changes_of_a_book_of_binance() {
    let wanted = [
        // The header: 26 bytes of block, template 10003, schema 1, version 0.
        &[26, 0, 0x13, 0x27, 1, 0, 0, 0][..],
        &MICROS,
        &1042_i64.to_le_bytes(),
        &1047_i64.to_le_bytes(),
        &[0xFE, 0xFB],
        &[16, 0, 1, 0],
        &6_165_970_i64.to_le_bytes(),
        &0_i64.to_le_bytes(),
        &[16, 0, 0, 0],
        b"\x07BTCUSDT",
    ]
    .concat();
    with_update(|message| {
        let stream = Stream::Depth(Speed::Binary);
        assert_eq!(event(stream, |codec, out| codec.push_book(out, message)), wanted);
    });
}

#[test]
fn the_best_levels_of_a_book_of_binance() {
    let wanted = [
        &[18, 0, 0x12, 0x27, 1, 0, 0, 0][..],
        &MICROS,
        &1047_i64.to_le_bytes(),
        &[0xFE, 0xFB],
        &[16, 0, 1, 0],
        &6_165_970_i64.to_le_bytes(),
        &0_i64.to_le_bytes(),
        &[16, 0, 0, 0],
        b"\x07BTCUSDT",
    ]
    .concat();
    with_update(|message| {
        let stream = Stream::Partial(Levels::Twenty, Speed::Binary);
        assert_eq!(event(stream, |codec, out| codec.push_book(out, message)), wanted);
    });
}

#[test]
fn the_top_of_a_book_of_binance() {
    let wanted = [
        &[50, 0, 0x11, 0x27, 1, 0, 0, 0][..],
        &MICROS,
        &1047_i64.to_le_bytes(),
        &[0xFE, 0xFB],
        &1_i64.to_le_bytes(),
        &2_i64.to_le_bytes(),
        &3_i64.to_le_bytes(),
        &4_i64.to_le_bytes(),
        b"\x07BTCUSDT",
    ]
    .concat();
    with_update(|book| {
        let best = |price, qty| Some(Level { price: Price(price), qty: Qty(qty) });
        let BookMessage { instrument, ids, kind, mark, .. } = *book;
        let message =
            BboMessage { instrument, ids, kind, bid: best(1, 2), ask: best(3, 4), mark, stamps: None };
        assert_eq!(event(Stream::BestBidAsk, |codec, out| codec.push_bbo(out, &message)), wanted);
    });
}

#[test]
fn trades_of_binance() {
    let wanted = [
        &[18, 0, 0x10, 0x27, 1, 0, 0, 0][..],
        &MICROS,
        &MICROS,
        &[0xFE, 0xFB],
        // Here the count has 32 bits.
        &[25, 0, 1, 0, 0, 0],
        &7_i64.to_le_bytes(),
        &101_i64.to_le_bytes(),
        &3_i64.to_le_bytes(),
        &[1],
        b"\x07BTCUSDT",
    ]
    .concat();
    with_update(|book| {
        let BookMessage { instrument, ids, mark, .. } = *book;
        let (price, qty, timestamp) = (Price(101), Qty(3), mark.timestamp);
        let trades = [Trade { side: Side::Ask, price, qty, trade_id: 7, timestamp, seq: 1046 }];
        let kind = TradeKind::Update { first_seq: 1042 };
        let message = TradeMessage { instrument, ids, kind, seq: 1047, trades: &trades, stamps: None };
        assert_eq!(event(Stream::Trade, |codec, out| codec.push_trades(out, &message)), wanted);
    });
}
