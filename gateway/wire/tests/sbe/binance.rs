//! Each event of Binance's binary streams, read by the schema: what it says, and that nothing is left out of it.

use crate::{bitcoin, bytes, decoder::Schema};
use book::{Ladder, Mark};
use market::{Ids, Instrument, Level, Nanos, Price, Qty, Side};
use serde_json::{Map, Value, json};
use std::sync::LazyLock;
use wire::{
    codec::{Body, Codec},
    dialect::binance::{Form, Levels, Speed, Stream},
    envelope::{Envelope, websocket::frame_lengths},
    message::*,
};

static SCHEMA: LazyLock<Schema<'static>> =
    LazyLock::new(|| Schema::parse(include_str!("../../../../docs/protocol/binance-stream.xml")));
const TIME: Nanos = Nanos(1_700_000_000_123_456_789);
const MICROS: i64 = 1_700_000_000_123_456;
const MARK: Mark = Mark { seq: 1047, event: 9, engine: TIME, ingest: TIME, timestamp: TIME, venue_seq: 31 };

fn codec(stream: Stream) -> Codec {
    let form = Form { stream, combined: false, encoding: Encoding::Sbe };
    Codec { body: Body::Binance(form), envelope: Envelope::WebSocket }
}

fn ids() -> Ids {
    Ids { epoch: market::Epoch(1), base: 1_000_000 }
}

/// The events in frames, each a binary one.
fn events(write: impl FnOnce(&mut Vec<u8>)) -> Vec<(String, Map<String, Value>)> {
    let (out, mut events) = (bytes(write), Vec::new());
    let mut rest = &out[..];
    while let Some((header, length)) = frame_lengths(rest) {
        assert_eq!(rest[0], 0x82);
        events.push(SCHEMA.decode(&rest[header..header + length]).unwrap());
        rest = &rest[header + length..];
    }
    events
}

fn one(write: impl FnOnce(&mut Vec<u8>), name: &str, wanted: Value) {
    let events = events(write);
    assert_eq!(events, [(name.to_owned(), wanted.as_object().unwrap().clone())]);
}

fn level(price: i64, qty: u64) -> Level {
    Level { price: Price(price), qty: Qty(qty) }
}

fn book<'a>(instrument: &'a Instrument, levels: &'a Ladder, first_seq: u64) -> BookMessage<'a> {
    let kind = BookKind::Update { first_seq, merged: None };
    BookMessage { instrument, ids: ids(), kind, levels, checksum: 0, mark: MARK, stamps: None }
}

#[test]
fn changes_and_views_of_a_book() {
    let (instrument, levels) = (bitcoin(), Ladder { bids: vec![level(100, 0)], asks: vec![level(-7, 5)] });
    let message = book(&instrument, &levels, 1042);
    one(
        |out| codec(Stream::Depth(Speed::Binary)).push_book(out, &message),
        "DepthDiffStreamEvent",
        json!({
            "eventTime": MICROS, "firstBookUpdateId": 1_001_042, "lastBookUpdateId": 1_001_047, "priceExponent": -2,
            "qtyExponent": -5, "bids": [{"price": 100, "qty": 0}], "asks": [{"price": -7, "qty": 5}], "symbol": "BTCUSDT",
        }),
    );
    one(
        |out| codec(Stream::Partial(Levels::Twenty, Speed::Binary)).push_book(out, &message),
        "DepthSnapshotStreamEvent",
        json!({
            "eventTime": MICROS, "bookUpdateId": 1_001_047, "priceExponent": -2, "qtyExponent": -5,
            "bids": [{"price": 100, "qty": 0}], "asks": [{"price": -7, "qty": 5}], "symbol": "BTCUSDT",
        }),
    );
}

#[test]
fn the_best_of_each_side_with_zeros_where_there_is_none() {
    let instrument = bitcoin();
    let kind = BookKind::Update { first_seq: 1042, merged: None };
    let message = BboMessage {
        instrument: &instrument,
        ids: ids(),
        kind,
        bid: Some(level(100, 3)),
        ask: None,
        mark: MARK,
        stamps: None,
    };
    one(
        |out| codec(Stream::BestBidAsk).push_bbo(out, &message),
        "BestBidAskStreamEvent",
        json!({
            "eventTime": MICROS, "bookUpdateId": 1_001_047, "priceExponent": -2, "qtyExponent": -5, "bidPrice": 100,
            "bidQty": 3, "askPrice": 0, "askQty": 0, "symbol": "BTCUSDT",
        }),
    );
}

#[test]
fn trades_of_one_time_share_an_event() {
    let instrument = bitcoin();
    let trade = |trade_id, side, timestamp| Trade {
        side,
        price: Price(101),
        qty: Qty(3),
        trade_id,
        timestamp,
        seq: 1046,
    };
    let trades =
        [trade(7, Side::Bid, TIME), trade(8, Side::Ask, TIME), trade(9, Side::Ask, Nanos(TIME.0 + 1_000))];
    let kind = TradeKind::Update { first_seq: 1042 };
    let message =
        TradeMessage { instrument: &instrument, ids: ids(), kind, seq: 1047, trades: &trades, stamps: None };
    let events = events(|out| codec(Stream::Trade).push_trades(out, &message));
    let entry = |id: u64, maker: &str| json!({"id": id, "price": 101, "qty": 3, "isBuyerMaker": maker});
    let wanted =
        [(MICROS, json!([entry(7, "False"), entry(8, "True")])), (MICROS + 1, json!([entry(9, "True")]))];
    assert_eq!(events.len(), wanted.len());
    for ((name, event), (time, trades)) in events.iter().zip(wanted) {
        let wanted = json!({
            "eventTime": time, "transactTime": time, "priceExponent": -2, "qtyExponent": -5, "trades": trades,
            "symbol": "BTCUSDT",
        });
        assert_eq!((name.as_str(), event), ("TradesStreamEvent", wanted.as_object().unwrap()));
    }
}

#[test]
fn a_broken_chain_leaves_one_id_out() {
    one(
        |out| codec(Stream::Depth(Speed::Binary)).push_break(out, &bitcoin(), TIME, 41),
        "DepthDiffStreamEvent",
        json!({
            "eventTime": MICROS, "firstBookUpdateId": 43, "lastBookUpdateId": 43, "priceExponent": -2, "qtyExponent": -5,
            "bids": [], "asks": [], "symbol": "BTCUSDT",
        }),
    );
}

/// The counts of levels are of 16 bits.
#[test]
fn more_levels_than_an_event_can_tell_are_several_whose_ids_follow_one_another() {
    let instrument = bitcoin();
    let bids: Vec<Level> = (0..140_000).map(|at| level(at, 1)).collect();
    let levels = Ladder { bids: bids.clone(), asks: vec![level(200_000, 5)] };
    let mark = Mark { seq: 200_000, ..MARK };
    let message = BookMessage { mark, ..book(&instrument, &levels, 1_000) };
    let events = events(|out| codec(Stream::Depth(Speed::Binary)).push_book(out, &message));
    let ids = events.iter().map(|(_, event)| [&event["firstBookUpdateId"], &event["lastBookUpdateId"]]);
    let wanted = [[1_001_000, 1_001_000], [1_001_001, 1_001_001], [1_001_002, 1_200_000]];
    assert_eq!(json!(ids.collect::<Vec<_>>()), json!(wanted));
    let told = |side: &str| events.iter().flat_map(|(_, event)| event[side].as_array().unwrap()).count();
    assert_eq!([told("bids"), told("asks")], [bids.len(), 1]);
}
