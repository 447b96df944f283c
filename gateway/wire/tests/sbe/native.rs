//! Each message of the native protocol says in binary what it says in JSON, to the letter, whatever is in it.

use crate::{
    as_json::{NATIVE, as_json},
    bytes,
};
use book::{Ladder, Mark};
use market::{Epoch, Instrument, Level, Nanos, Price, Qty, Side, Status as Trading};
use proptest::{option, prelude::*, sample::select};
use wire::{
    dialect::{native_json as json, native_sbe as sbe},
    message::*,
};

/// Both forms of a message say the same.
fn check(binary: impl FnOnce(&mut Vec<u8>), text: impl FnOnce(&mut Vec<u8>)) {
    let binary = bytes(binary);
    let text = String::from_utf8(bytes(text)).unwrap();
    assert!(!binary.starts_with(b"{\""), "so JSON is told from it where both stand behind their lengths");
    assert_eq!(as_json(&binary).unwrap(), text);
}

/// A number of 64 bits that does not stand for none.
fn number() -> impl Strategy<Value = u64> {
    prop_oneof![0..1_000_000_u64, 0..u64::MAX]
}

/// A moment of the years that RFC 3339 is written for.
fn moment() -> impl Strategy<Value = Nanos> {
    (0..=i64::MAX as u64).prop_map(Nanos)
}

fn level() -> impl Strategy<Value = Level> {
    let price = prop_oneof![-1_000_000..10_000_000_i64, i64::MIN + 1..=i64::MAX];
    (price, number()).prop_map(|(price, qty)| Level { price: Price(price), qty: Qty(qty) })
}

fn levels() -> impl Strategy<Value = Vec<Level>> {
    prop::collection::vec(level(), 0..6)
}

fn instrument() -> impl Strategy<Value = Instrument> {
    ("[A-Z0-9./_-]{1,32}", 0_u8..=18, 0_u8..=18).prop_map(|(symbol, price_decimals, qty_decimals)| {
        Instrument {
            venue_symbol: symbol.clone(),
            symbol,
            price_decimals,
            qty_decimals,
            tick: Price(1),
            lot: Qty(1),
            status: Trading::Trading,
        }
    })
}

fn reason() -> impl Strategy<Value = SnapshotReason> {
    select(SnapshotReason::ALL.to_vec())
}

fn kind() -> impl Strategy<Value = BookKind> {
    prop_oneof![
        reason().prop_map(BookKind::Snapshot),
        (number(), option::of(number()))
            .prop_map(|(first_seq, merged)| BookKind::Update { first_seq, merged }),
    ]
}

fn stamps() -> impl Strategy<Value = Option<Stamps>> {
    let stamps = (moment(), moment(), moment(), option::of(moment()));
    option::of(stamps).prop_map(|stamps| {
        stamps.map(|(engine, ingest, encode, engine_first)| Stamps { engine, ingest, encode, engine_first })
    })
}

fn mark() -> impl Strategy<Value = Mark> {
    (number(), moment(), number()).prop_map(|(seq, timestamp, venue_seq)| Mark {
        seq,
        event: 1,
        engine: Nanos(2),
        ingest: Nanos(3),
        timestamp,
        venue_seq,
    })
}

fn trade() -> impl Strategy<Value = Trade> {
    let side = select(Side::BOTH.to_vec());
    (side, level(), number(), moment(), number()).prop_map(|(side, level, trade_id, timestamp, seq)| {
        let Level { price, qty } = level;
        Trade { side, price, qty, trade_id, timestamp, seq }
    })
}

proptest! {
    #[test]
    fn books_and_tops(
        instrument in instrument(), epoch in any::<u64>(), kind in kind(), bids in levels(), asks in levels(),
        checksum in any::<u32>(), mark in mark(), stamps in stamps(),
    ) {
        let (levels, ids) = (Ladder { bids, asks }, Epoch(epoch & !(1 << 63)).into());
        let (bid, ask) = (levels.bids.first().copied(), levels.asks.first().copied());
        let book = BookMessage { instrument: &instrument, ids, kind, levels: &levels, checksum, mark, stamps };
        check(|out| sbe::push_book(out, &book), |out| json::push_book(out, &book));
        let top = BboMessage { instrument: &instrument, ids, kind, bid, ask, mark, stamps };
        check(|out| sbe::push_bbo(out, &top), |out| json::push_bbo(out, &top));
    }

    #[test]
    fn trades_of_an_event_and_past_ones(
        instrument in instrument(), kind in kind(), trades in prop::collection::vec(trade(), 0..5), seq in number(),
        stamps in stamps(),
    ) {
        let kind = match kind {
            BookKind::Snapshot(reason) => TradeKind::Snapshot(reason),
            BookKind::Update { first_seq, .. } => TradeKind::Update { first_seq },
        };
        let ids = Epoch(7).into();
        let message = TradeMessage { instrument: &instrument, ids, kind, seq, trades: &trades, stamps };
        check(|out| sbe::push_trade(out, &message), |out| json::push_trade(out, &message));
    }

    #[test]
    fn gaps_and_heartbeats(
        channel in select(Channel::ALL.to_vec()), symbol in "[A-Z0-9./_-]{1,32}", from_seq in number(),
        to_seq in number(), reason in select(GapReason::ALL.to_vec()), time in moment(), count in 0_usize..4,
    ) {
        let gap = Gap { channel, symbol: &symbol, from_seq, to_seq, reason };
        check(|out| sbe::push_gap(out, &gap), |out| json::push_gap(out, &gap));
        let quiet = vec![Quiet { channel, symbol: &symbol, seq: from_seq, through: to_seq }; count];
        let binary = |out: &mut Vec<u8>| sbe::push_heartbeat(out, time, quiet.iter().copied());
        check(binary, |out| json::push_heartbeat(out, time, quiet.iter().copied()));
    }

    #[test]
    fn statuses_and_figures(
        symbol in "[A-Z0-9./_-]{1,32}", code in 1000_u16..5000, retry_after_ms in number(), words in "[ -~äß€]{0,60}",
        figures in prop::array::uniform7(number()),
    ) {
        let (symbol, words) = (symbol.as_str(), words.as_str());
        for status in [
            Status::FeedGap { symbol },
            Status::Crossed { symbol },
            Status::FeedStalled,
            Status::FeedEnded,
            Status::Closing { code, reason: words },
            Status::Shutdown { retry_after_ms, reason: words },
        ] {
            check(|out| sbe::push_status(out, &status), |out| json::push_status(out, &status));
        }
        let [lag_seq, conflated, gaps, bytes_sent, p50, p99, p999] = figures;
        let stats = Stats { lag_seq, conflated, gaps, bytes_sent, p50, p99, p999 };
        check(|out| sbe::push_stats(out, &stats), |out| json::push_stats(out, &stats));
    }
}

#[test]
fn words_that_are_too_long_are_cut_between_characters() {
    let words = format!("x{}", "ü".repeat(100));
    let status = Status::Shutdown { retry_after_ms: 1, reason: &words };
    let (_, message) = NATIVE.decode(&bytes(|out| sbe::push_status(out, &status))).unwrap();
    assert_eq!(message["reason"].as_str().unwrap(), format!("x{}", "ü".repeat(63)));
}
