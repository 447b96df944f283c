//! Whatever is sent is valid JSON with exactly the values that went in, read by a JSON library that is not ours.

use crate::{bitcoin, text};
use book::{Ladder, Mark};
use market::{Epoch, Instrument, Level, Nanos, Price, Qty, Side, parse_fixed};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use wire::{dialect::native_json as json, message::*};

#[derive(Deserialize)]
struct Data<T> {
    data: Vec<T>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BookText<'a> {
    symbol: &'a str,
    #[serde(borrow)]
    bids: Vec<LevelText<'a>>,
    #[serde(borrow)]
    asks: Vec<LevelText<'a>>,
    checksum: u32,
    timestamp: &'a str,
    epoch: &'a str,
    first_seq: u64,
    seq: u64,
    venue_seq: u64,
    conflated: bool,
    merged: Option<u64>,
    ts: Option<StampsText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LevelText<'a> {
    #[serde(borrow)]
    price: &'a RawValue,
    #[serde(borrow)]
    qty: &'a RawValue,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TradeText<'a> {
    symbol: &'a str,
    side: &'a str,
    #[serde(borrow)]
    price: &'a RawValue,
    #[serde(borrow)]
    qty: &'a RawValue,
    trade_id: u64,
    timestamp: &'a str,
    seq: u64,
}

#[derive(Deserialize, Debug, PartialEq)]
#[serde(deny_unknown_fields)]
struct StampsText {
    engine: u64,
    ingest: u64,
    encode: u64,
    engine_first: Option<u64>,
}

impl From<Stamps> for StampsText {
    fn from(stamps: Stamps) -> StampsText {
        StampsText {
            engine: stamps.engine.0,
            ingest: stamps.ingest.0,
            encode: stamps.encode.0,
            engine_first: stamps.engine_first.map(|first| first.0),
        }
    }
}

/// The mantissa of a number that has exactly so many digits after the point.
fn mantissa(number: &RawValue, decimals: u8) -> i64 {
    let text = number.get();
    let written = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    assert_eq!(written, usize::from(decimals), "{text}");
    parse_fixed(text.as_bytes(), decimals).unwrap()
}

fn levels_of(texts: &[LevelText<'_>], instrument: &Instrument) -> Vec<Level> {
    let level = |text: &LevelText<'_>| Level {
        price: Price(mantissa(text.price, instrument.price_decimals)),
        qty: Qty(mantissa(text.qty, instrument.qty_decimals) as u64),
    };
    texts.iter().map(level).collect()
}

fn instruments() -> impl Strategy<Value = Instrument> {
    ("[A-Z0-9./_-]{1,32}", 0u8..=18, 0u8..=18).prop_map(|(symbol, price_decimals, qty_decimals)| Instrument {
        symbol,
        price_decimals,
        qty_decimals,
        ..bitcoin()
    })
}

fn levels() -> impl Strategy<Value = Vec<Level>> {
    let level = (any::<i64>(), 0..=i64::MAX as u64);
    let level = level.prop_filter("mantissas are symmetric", |(price, _)| *price != i64::MIN);
    prop::collection::vec(level.prop_map(|(price, qty)| Level { price: Price(price), qty: Qty(qty) }), 0..20)
}

fn times() -> impl Strategy<Value = Nanos> {
    (0..9_000_000_000_000_000_000u64).prop_map(Nanos)
}

fn stamps() -> impl Strategy<Value = Option<Stamps>> {
    let some = (times(), times(), times(), prop::option::of(times()));
    prop::option::of(some.prop_map(|(engine, ingest, encode, engine_first)| Stamps {
        engine,
        ingest,
        encode,
        engine_first,
    }))
}

fn trades() -> impl Strategy<Value = Vec<Trade>> {
    let trade = (any::<bool>(), any::<i32>(), any::<u32>(), any::<u64>(), times(), any::<u64>());
    let trade = trade.prop_map(|(buy, price, qty, trade_id, timestamp, seq)| Trade {
        side: if buy { Side::Bid } else { Side::Ask },
        price: Price(price.into()),
        qty: Qty(qty.into()),
        trade_id,
        timestamp,
        seq,
    });
    prop::collection::vec(trade, 0..5)
}

/// Texts with all that JSON has to escape.
fn texts() -> impl Strategy<Value = String> {
    r"[\x00-\x7fé😀]{0,40}"
}

proptest! {
    #[test]
    fn a_book_update_reads_back_as_it_was(
        instrument in instruments(), bids in levels(), asks in levels(), epoch: u64, first_seq: u64, seq: u64,
        venue_seq: u64, checksum: u32, merged: Option<u64>, timestamp in times(), stamps in stamps(),
    ) {
        let levels = Ladder { bids, asks };
        let message = BookMessage {
            instrument: &instrument,
            ids: Epoch(epoch).into(),
            kind: BookKind::Update { first_seq, merged },
            levels: &levels,
            checksum,
            mark: Mark { seq, timestamp, venue_seq, ..Mark::default() },
            stamps,
        };
        let text = text(|out| json::push_book(out, &message));
        let read: Data<BookText<'_>> = serde_json::from_str(&text).unwrap();
        let [read] = &read.data[..] else { panic!("one entry: {text}") };
        prop_assert_eq!(read.symbol, &instrument.symbol);
        prop_assert_eq!(levels_of(&read.bids, &instrument), levels.bids);
        prop_assert_eq!(levels_of(&read.asks, &instrument), levels.asks);
        prop_assert_eq!(read.checksum, checksum);
        prop_assert_eq!(read.timestamp.parse(), Ok(timestamp));
        prop_assert_eq!(read.epoch.parse(), Ok(Epoch(epoch)));
        prop_assert_eq!((read.first_seq, read.seq, read.venue_seq), (first_seq, seq, venue_seq));
        prop_assert_eq!((read.conflated, read.merged), (merged.is_some(), merged));
        prop_assert_eq!(&read.ts, &stamps.map(StampsText::from));
    }

    #[test]
    fn trades_read_back_as_they_were(instrument in instruments(), trades in trades(), seq: u64, first_seq: u64) {
        let kind = TradeKind::Update { first_seq };
        let message =
            TradeMessage { instrument: &instrument, ids: Epoch(1).into(), kind, seq, trades: &trades, stamps: None };
        let text = text(|out| json::push_trade(out, &message));
        let read: Data<TradeText<'_>> = serde_json::from_str(&text).unwrap();
        let back = |read: &TradeText<'_>| Trade {
            side: if read.side == "buy" { Side::Bid } else { Side::Ask },
            price: Price(mantissa(read.price, instrument.price_decimals)),
            qty: Qty(mantissa(read.qty, instrument.qty_decimals) as u64),
            trade_id: read.trade_id,
            timestamp: read.timestamp.parse().unwrap(),
            seq: read.seq,
        };
        prop_assert_eq!(read.data.iter().map(back).collect::<Vec<_>>(), trades);
        prop_assert!(read.data.iter().all(|trade| trade.symbol == instrument.symbol));
    }

    #[test]
    fn any_text_reads_back_as_it_was(error in texts(), symbol in texts(), id in texts()) {
        let answer = ErrorAnswer {
            method: Some(&symbol),
            text: &error,
            code: ErrorCode::Internal,
            symbol: Some(&symbol),
            retry_after_ms: None,
        };
        let text = text(|out| json::push_error(out, &answer, Some(&ReqId::Text(id.as_str().into()))));
        let read: Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&read["error"], &Value::from(error));
        prop_assert_eq!(&read["method"], &Value::from(symbol.as_str()));
        prop_assert_eq!(&read["symbol"], &Value::from(symbol));
        prop_assert_eq!(&read["req_id"], &Value::from(id));
    }
}
