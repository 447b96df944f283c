//! Each kind of message, member by member.

use crate::{bitcoin, text};
use book::{Ladder, Mark};
use market::{Epoch, Instruments, Level, Nanos, Price, Qty, Side};
use wire::{dialect::native_json as json, message::*};

const EPOCH: Epoch = Epoch(0x9c41_d7e0_a25b_7f3a);
const TIME: Nanos = Nanos(1_795_420_800_123_456_789);
const MARK: Mark = Mark { seq: 1047, event: 9, engine: TIME, ingest: TIME, timestamp: TIME, venue_seq: 31 };

fn level(price: i64, qty: u64) -> Level {
    Level { price: Price(price), qty: Qty(qty) }
}

fn stamps(engine_first: Option<u64>) -> Option<Stamps> {
    let engine_first = engine_first.map(Nanos);
    Some(Stamps { engine: Nanos(1), ingest: Nanos(20), encode: Nanos(TIME.0), engine_first })
}

fn book(kind: BookKind, levels: Ladder, stamps: Option<Stamps>) -> String {
    let message = BookMessage {
        instrument: &bitcoin(),
        ids: EPOCH.into(),
        kind,
        levels: &levels,
        checksum: 974_947_235,
        mark: MARK,
        stamps,
    };
    text(|out| json::push_book(out, &message))
}

#[test]
fn a_book_snapshot_says_why_it_came() {
    let levels = Ladder {
        bids: vec![level(6_165_970, 148_600)],
        asks: vec![level(6_165_980, 5), level(6_166_000, 100_000)],
    };
    assert_eq!(
        book(BookKind::Snapshot(SnapshotReason::Subscribe), levels, None),
        r#"{"channel":"book","type":"snapshot","data":[{"symbol":"BTC/USDT","bids":[{"price":61659.70,"qty":1.48600}],"asks":[{"price":61659.80,"qty":0.00005},{"price":61660.00,"qty":1.00000}],"checksum":974947235,"timestamp":"2026-11-23T08:00:00.123456789Z","epoch":"9c41d7e0a25b7f3a","seq":1047,"venue_seq":31,"reason":"subscribe"}]}"#
    );
}

#[test]
fn a_book_update_says_what_it_covers() {
    let levels = Ladder { bids: vec![level(6_165_970, 0)], asks: vec![] };
    assert_eq!(
        book(BookKind::Update { first_seq: 1042, merged: None }, levels, stamps(None)),
        r#"{"channel":"book","type":"update","data":[{"symbol":"BTC/USDT","bids":[{"price":61659.70,"qty":0.00000}],"asks":[],"checksum":974947235,"timestamp":"2026-11-23T08:00:00.123456789Z","epoch":"9c41d7e0a25b7f3a","first_seq":1042,"seq":1047,"venue_seq":31,"conflated":false,"ts":{"engine":1,"ingest":20,"encode":1795420800123456789}}]}"#
    );
}

#[test]
fn a_merged_book_update_says_how_much_was_merged() {
    assert_eq!(
        book(BookKind::Update { first_seq: 1042, merged: Some(3) }, Ladder::default(), stamps(Some(0))),
        r#"{"channel":"book","type":"update","data":[{"symbol":"BTC/USDT","bids":[],"asks":[],"checksum":974947235,"timestamp":"2026-11-23T08:00:00.123456789Z","epoch":"9c41d7e0a25b7f3a","first_seq":1042,"seq":1047,"venue_seq":31,"conflated":true,"merged":3,"ts":{"engine":1,"ingest":20,"encode":1795420800123456789,"engine_first":0}}]}"#
    );
}

#[test]
fn the_object_of_the_book_endpoint_is_that_of_a_snapshot() {
    let levels = Ladder { bids: vec![level(6_165_970, 148_600)], asks: vec![] };
    let instrument = bitcoin();
    let message = BookMessage {
        instrument: &instrument,
        ids: EPOCH.into(),
        kind: BookKind::Snapshot(SnapshotReason::Subscribe),
        levels: &levels,
        checksum: 1,
        mark: MARK,
        stamps: None,
    };
    let object = text(|out| json::push_book_object(out, &message));
    let snapshot = text(|out| json::push_book(out, &message));
    assert_eq!(snapshot, format!(r#"{{"channel":"book","type":"snapshot","data":[{object}]}}"#));
}

fn bbo(kind: BookKind, ask: Option<Level>) -> String {
    let message = BboMessage {
        instrument: &bitcoin(),
        ids: EPOCH.into(),
        kind,
        bid: Some(level(6_165_970, 148_600)),
        ask,
        mark: MARK,
        stamps: None,
    };
    text(|out| json::push_bbo(out, &message))
}

#[test]
fn the_top_of_the_book_has_null_for_an_empty_side() {
    assert_eq!(
        bbo(BookKind::Update { first_seq: 1042, merged: None }, None),
        r#"{"channel":"bbo","type":"update","data":[{"symbol":"BTC/USDT","bid":61659.70,"bid_qty":1.48600,"ask":null,"ask_qty":null,"timestamp":"2026-11-23T08:00:00.123456789Z","epoch":"9c41d7e0a25b7f3a","first_seq":1042,"seq":1047}]}"#
    );
}

#[test]
fn the_top_of_the_book_is_merged_and_begins_like_a_book() {
    assert_eq!(
        bbo(BookKind::Update { first_seq: 1042, merged: Some(2) }, Some(level(6_165_980, 7))),
        r#"{"channel":"bbo","type":"update","data":[{"symbol":"BTC/USDT","bid":61659.70,"bid_qty":1.48600,"ask":61659.80,"ask_qty":0.00007,"timestamp":"2026-11-23T08:00:00.123456789Z","epoch":"9c41d7e0a25b7f3a","first_seq":1042,"seq":1047,"conflated":true,"merged":2}]}"#
    );
    assert_eq!(
        bbo(BookKind::Snapshot(SnapshotReason::Lagged), None),
        r#"{"channel":"bbo","type":"snapshot","data":[{"symbol":"BTC/USDT","bid":61659.70,"bid_qty":1.48600,"ask":null,"ask_qty":null,"timestamp":"2026-11-23T08:00:00.123456789Z","epoch":"9c41d7e0a25b7f3a","seq":1047,"reason":"lagged"}]}"#
    );
}

fn trades() -> [Trade; 2] {
    let first = Trade {
        side: Side::Bid,
        price: Price(6_165_980),
        qty: Qty(100_000),
        trade_id: 77,
        timestamp: TIME,
        seq: 1045,
    };
    [first, Trade { side: Side::Ask, trade_id: 78, seq: 1046, ..first }]
}

fn trade(kind: TradeKind, trades: &[Trade], stamps: Option<Stamps>) -> String {
    let message = TradeMessage { instrument: &bitcoin(), ids: EPOCH.into(), kind, seq: 1047, trades, stamps };
    text(|out| json::push_trade(out, &message))
}

#[test]
fn trades_of_an_exchange_event_come_in_one_message() {
    assert_eq!(
        trade(TradeKind::Update { first_seq: 1042 }, &trades(), stamps(None)),
        r#"{"channel":"trade","type":"update","epoch":"9c41d7e0a25b7f3a","first_seq":1042,"seq":1047,"data":[{"symbol":"BTC/USDT","side":"buy","price":61659.80,"qty":1.00000,"trade_id":77,"timestamp":"2026-11-23T08:00:00.123456789Z","seq":1045},{"symbol":"BTC/USDT","side":"sell","price":61659.80,"qty":1.00000,"trade_id":78,"timestamp":"2026-11-23T08:00:00.123456789Z","seq":1046}],"ts":{"engine":1,"ingest":20,"encode":1795420800123456789}}"#
    );
}

#[test]
fn past_trades_come_as_a_snapshot() {
    assert_eq!(
        trade(TradeKind::Snapshot(SnapshotReason::Subscribe), &[], None),
        r#"{"channel":"trade","type":"snapshot","symbol":"BTC/USDT","epoch":"9c41d7e0a25b7f3a","seq":1047,"reason":"subscribe","data":[]}"#
    );
    assert_eq!(
        text(|out| json::push_trades(out, &bitcoin(), &trades()[..1])),
        r#"{"trades":[{"symbol":"BTC/USDT","side":"buy","price":61659.80,"qty":1.00000,"trade_id":77,"timestamp":"2026-11-23T08:00:00.123456789Z","seq":1045}]}"#
    );
}

#[test]
fn a_heartbeat_names_quiet_subscriptions() {
    let book = Quiet { channel: Channel::Book, symbol: "ETH/USDT", seq: 77, through: 912 };
    let trade = Quiet { channel: Channel::Trade, ..book };
    assert_eq!(
        text(|out| json::push_heartbeat(out, TIME, [book, trade])),
        r#"{"channel":"heartbeat","time":"2026-11-23T08:00:00.123456789Z","data":[{"channel":"book","symbol":"ETH/USDT","seq":77,"through":912},{"channel":"trade","symbol":"ETH/USDT","seq":77,"through":912}]}"#
    );
    assert_eq!(
        text(|out| json::push_heartbeat(out, TIME, [])),
        r#"{"channel":"heartbeat","time":"2026-11-23T08:00:00.123456789Z","data":[]}"#
    );
}

#[test]
fn a_gap_names_what_is_missing() {
    let gap = Gap {
        channel: Channel::Trade,
        symbol: "BTC/USDT",
        from_seq: 1042,
        to_seq: 1050,
        reason: GapReason::SlowConsumer,
    };
    assert_eq!(
        text(|out| json::push_gap(out, &gap)),
        r#"{"channel":"gap","data":[{"channel":"trade","symbol":"BTC/USDT","from_seq":1042,"to_seq":1050,"reason":"slow_consumer"}]}"#
    );
}

#[test]
fn status_events_carry_what_they_are_about() {
    let check = |status, event: &str| {
        let wanted = format!(r#"{{"channel":"status","data":[{event}]}}"#);
        assert_eq!(text(|out| json::push_status(out, &status)), wanted);
    };
    let symbol = "BTC/USDT";
    check(Status::FeedGap { symbol }, r#"{"event":"feed_gap","symbol":"BTC/USDT"}"#);
    check(Status::Crossed { symbol }, r#"{"event":"crossed","symbol":"BTC/USDT"}"#);
    check(Status::FeedStalled, r#"{"event":"feed_stalled"}"#);
    check(Status::FeedEnded, r#"{"event":"feed_ended"}"#);
    check(
        Status::Shutdown { retry_after_ms: 1840, reason: "deploy" },
        r#"{"event":"shutdown","retry_after_ms":1840,"reason":"deploy"}"#,
    );
}

#[test]
fn stats_are_the_connections_own() {
    let stats = Stats { lag_seq: 1, conflated: 2, gaps: 3, bytes_sent: 4, p50: 5, p99: 6, p999: 7 };
    assert_eq!(
        text(|out| json::push_stats(out, &stats)),
        r#"{"channel":"stats","type":"update","data":[{"lag_seq":1,"conflated":2,"gaps":3,"bytes_sent":4,"p50":5,"p99":6,"p999":7}]}"#
    );
}

const BOOK: Subscription<'_> = Subscription {
    channel: Channel::Book,
    symbol: Some("BTC/USDT"),
    depth: Some(Depth::ALL),
    interval: Some(Interval::EACH_EVENT),
    policy: Some(Policy::Conflate),
    stamps: true,
};

#[test]
fn an_answer_names_the_subscription_and_where_it_begins() {
    let id = ReqId::Integer(1);
    let subscribed = Subscribed { subscription: BOOK, epoch: EPOCH, seq: 1041, recovered: false };
    assert_eq!(
        text(|out| json::push_subscribed(out, &subscribed, Some(&id))),
        r#"{"method":"subscribe","success":true,"result":{"channel":"book","symbol":"BTC/USDT","depth":0,"interval_ms":0,"policy":"conflate","epoch":"9c41d7e0a25b7f3a","seq":1041,"recovered":false},"req_id":1}"#
    );
}

#[test]
fn an_answer_leaves_out_what_the_channel_has_no_use_for() {
    let trade = Subscription { channel: Channel::Trade, depth: None, interval: None, ..BOOK };
    let subscribed = Subscribed { subscription: trade, epoch: EPOCH, seq: 1041, recovered: true };
    assert_eq!(
        text(|out| json::push_subscribed(out, &subscribed, None)),
        r#"{"method":"subscribe","success":true,"result":{"channel":"trade","symbol":"BTC/USDT","policy":"conflate","epoch":"9c41d7e0a25b7f3a","seq":1041,"recovered":true}}"#
    );
}

#[test]
fn other_answers_name_what_they_did() {
    let id = ReqId::Text("a\"b".into());
    let unsubscribed = Unsubscribed { channel: Channel::Stats, symbol: None };
    assert_eq!(
        text(|out| json::push_unsubscribed(out, &unsubscribed, Some(&id))),
        r#"{"method":"unsubscribe","success":true,"result":{"channel":"stats"},"req_id":"a\"b"}"#
    );
    assert_eq!(
        text(|out| json::push_modified(out, &BOOK, None)),
        r#"{"method":"modify","success":true,"result":{"channel":"book","symbol":"BTC/USDT","depth":0,"interval_ms":0,"policy":"conflate","stamps":true}}"#
    );
    assert_eq!(
        text(|out| json::push_list(out, [(BOOK, 5), (BOOK, 6)], Some(&ReqId::Integer(-3)))),
        r#"{"method":"list","success":true,"result":{"subscriptions":[{"channel":"book","symbol":"BTC/USDT","depth":0,"interval_ms":0,"policy":"conflate","stamps":true,"seq":5},{"channel":"book","symbol":"BTC/USDT","depth":0,"interval_ms":0,"policy":"conflate","stamps":true,"seq":6}]},"req_id":-3}"#
    );
    let verified = Verified { symbol: "BTC/USDT", seq: 1047, verdict: Verdict::Mismatch };
    assert_eq!(
        text(|out| json::push_verified(out, &verified, None)),
        r#"{"method":"verify","success":true,"result":{"symbol":"BTC/USDT","seq":1047,"verdict":"mismatch"}}"#
    );
    let pong = Pong { time_in: TIME, time_out: Nanos(TIME.0 + 1) };
    assert_eq!(
        text(|out| json::push_pong(out, &pong, Some(&ReqId::Integer(7)))),
        r#"{"method":"pong","req_id":7,"time_in":"2026-11-23T08:00:00.123456789Z","time_out":"2026-11-23T08:00:00.123456790Z"}"#
    );
}

#[test]
fn what_chaos_did_is_told_by_counts_and_deeds() {
    let of = |channel, is_on| text(|out| json::push_chaos(out, "BTC/USDT", channel, is_on, None));
    assert_eq!(
        of(Some(Channel::Book), true),
        r#"{"method":"chaos","success":true,"result":{"symbol":"BTC/USDT","channel":"book","on":true}}"#
    );
    assert_eq!(
        of(None, false),
        r#"{"method":"chaos","success":true,"result":{"symbol":"BTC/USDT","on":false}}"#
    );
    let counts = ChaosAct::ALL.iter().copied().zip(0..);
    let subject = |channel, messages| ChaosSubject { channel, symbol: "BTC/USDT", messages };
    let deed = |act, message, first_seq, seq| ChaosDeed {
        act,
        channel: Channel::Book,
        symbol: "BTC/USDT",
        message,
        first_seq,
        seq,
    };
    let report = text(|out| {
        let subjects = [subject(Channel::Trade, 0), subject(Channel::Book, 9)];
        let deeds = [deed(ChaosAct::Stall, 0, None, 1041), deed(ChaosAct::Drop, 2, Some(1043), 1047)];
        json::push_chaos_report(out, counts, subjects, deeds, Some(&ReqId::Integer(3)));
    });
    assert_eq!(
        report,
        concat!(
            r#"{"method":"chaos","success":true,"result":{"counts":{"drop":0,"repeat":1,"reorder":2,"corrupt":3,"stall":4},"#,
            r#""subscriptions":[{"channel":"trade","symbol":"BTC/USDT","messages":0},{"channel":"book","symbol":"BTC/USDT","messages":9}],"#,
            r#""acts":[{"act":"stall","channel":"book","symbol":"BTC/USDT","message":0,"seq":1041},"#,
            r#"{"act":"drop","channel":"book","symbol":"BTC/USDT","message":2,"first_seq":1043,"seq":1047}]},"req_id":3}"#,
        )
    );
    let empty = text(|out| json::push_chaos_report(out, [], [], [], None));
    assert!(empty.contains(r#""subscriptions":[],"acts":[]"#));
}

#[test]
fn errors_have_a_text_and_a_code() {
    let bad_depth = ErrorAnswer {
        method: Some("subscribe"),
        text: "depth 7 is not offered; use 1, 5, 10, 25, 50, 100, 500, 1000, or 0 for all",
        code: ErrorCode::BadDepth,
        symbol: Some("BTC/USDT"),
        retry_after_ms: None,
    };
    assert_eq!(
        text(|out| json::push_error(out, &bad_depth, Some(&ReqId::Integer(1)))),
        r#"{"method":"subscribe","success":false,"error":"depth 7 is not offered; use 1, 5, 10, 25, 50, 100, 500, 1000, or 0 for all","code":"bad_depth","symbol":"BTC/USDT","req_id":1}"#
    );
    let limited = ErrorAnswer {
        method: None,
        text: "too fast",
        code: ErrorCode::RateLimited,
        symbol: None,
        retry_after_ms: Some(200),
    };
    assert_eq!(
        text(|out| json::push_error(out, &limited, None)),
        r#"{"success":false,"error":"too fast","code":"rate_limited","retry_after_ms":200}"#
    );
    assert_eq!(
        text(|out| json::push_rest_error(out, ErrorCode::BadSymbol, "there is no 'X\n'")),
        r#"{"error":"there is no 'X\n'","code":"bad_symbol"}"#
    );
}

#[test]
fn instruments_tell_how_their_numbers_are_written() {
    let mut table = Instruments::default();
    table.push(bitcoin()).unwrap();
    assert_eq!(
        text(|out| json::push_instruments(out, &table)),
        r#"{"instruments":[{"symbol":"BTC/USDT","venue_symbol":"BTCUSDT","price_decimals":2,"qty_decimals":5,"tick":"0.01","lot":"0.00001","status":"trading"}]}"#
    );
}

#[test]
fn market_data_is_encoded_without_allocating() {
    let instrument = bitcoin();
    let levels = Ladder { bids: vec![level(6_165_970, 0); 10], asks: vec![level(6_165_980, 5); 10] };
    let kind = BookKind::Update { first_seq: 1042, merged: None };
    let (ids, mark, stamps, best) = (EPOCH.into(), MARK, stamps(Some(1)), Some(level(6_165_970, 1)));
    let book = BookMessage { instrument: &instrument, ids, kind, levels: &levels, checksum: 1, mark, stamps };
    let bbo = BboMessage { instrument: &instrument, ids, kind, bid: best, ask: None, mark, stamps };
    let trades = &trades();
    let kind = TradeKind::Update { first_seq: 1042 };
    let trade = TradeMessage { instrument: &instrument, ids, kind, seq: 1047, trades, stamps };
    let mut out = Vec::with_capacity(16 * 1024);
    let allocations = allocation_counter::measure(|| {
        json::push_book(&mut out, &book);
        json::push_bbo(&mut out, &bbo);
        json::push_trade(&mut out, &trade);
        json::push_heartbeat(
            &mut out,
            TIME,
            [Quiet { channel: Channel::Bbo, symbol: "X", seq: 1, through: 2 }],
        );
    });
    assert_eq!(allocations.count_total, 0);
}
