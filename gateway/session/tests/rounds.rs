//! A replay begins its next round, or is moved: numbers begin anew, and nobody is told anything of both sides of it as if it were
//! one.

mod support;

use book::{Image, Ladder, Mark};
use market::{Epoch, Ids, Level, Price, Qty, ResetReason, Side, SymbolId};
use serde_json::{Value, json};
use session::ConnId;
use std::sync::Arc;
use support::{Bench, EPOCH, TextBook, account::SYMBOLS, level, stream_events, trade, wanted};
use wire::{dialect::Dialect, envelope::Envelope, message::Channel};

const NEXT: Epoch = Epoch(0x51);
const NEXT_TEXT: &str = "0000000000000051";

fn request(channel: &str, policy: &str) -> String {
    let params = json!({"channel": channel, "symbol": SYMBOLS, "policy": policy});
    json!({"method": "subscribe", "params": params}).to_string()
}

fn of_channel<'a>(messages: &'a [Value], channel: &str, symbol: &str) -> Vec<&'a Value> {
    let is_of = |message: &&Value| {
        let named = [&message["symbol"], &message["data"][0]["symbol"]];
        message["channel"] == channel && named.contains(&&json!(symbol))
    };
    messages.iter().filter(is_of).collect()
}

fn change(bench: &mut Bench, symbol: u32, qty: u64) {
    bench.exchange_event(symbol, &[trade(10_001, qty), level(Side::Bid, 9_990, qty)]);
}

/// Two books, some events in.
fn bench() -> Bench {
    let mut bench = Bench::standing();
    bench.reset(1, ResetReason::Feed);
    for qty in 1..20 {
        change(&mut bench, 0, qty);
    }
    bench.flush();
    bench
}

#[test]
fn who_is_in_step_gets_all_of_a_round_and_then_a_snapshot_of_the_next() {
    let mut bench = bench();
    let conn = bench.client(&request("book", "lossless"));
    bench.send(conn, &request("trade", "lossless"));
    bench.messages(conn);
    let before = bench.seq(0);
    change(&mut bench, 0, 77);
    bench.jump(NEXT, ResetReason::Loop);
    bench.reset(0, ResetReason::Feed);
    change(&mut bench, 0, 5);
    bench.flush();

    let messages = bench.messages(conn);
    let books = of_channel(&messages, "book", SYMBOLS[0]);
    let told: Vec<_> = books
        .iter()
        .map(|book| (&book["data"][0]["epoch"], &book["data"][0]["reason"], &book["data"][0]["seq"]))
        .collect();
    assert_eq!(
        told,
        [
            (&json!(EPOCH.to_string()), &Value::Null, &json!(before + 2)),
            (&json!(NEXT_TEXT), &json!("loop"), &json!(11)),
            (&json!(NEXT_TEXT), &Value::Null, &json!(13)),
        ]
    );
    let trades = of_channel(&messages, "trade", SYMBOLS[0]);
    let told: Vec<_> =
        trades.iter().map(|trades| (&trades["epoch"], &trades["reason"], &trades["seq"])).collect();
    assert_eq!(told[0], (&json!(EPOCH.to_string()), &Value::Null, &json!(before + 2)));
    assert_eq!(told[1], (&json!(NEXT_TEXT), &json!("loop"), &json!(0)));
    assert_eq!(told.last(), Some(&(&json!(NEXT_TEXT), &Value::Null, &json!(13))));
    // The other symbol begins later, and is told so then.
    assert!(of_channel(&messages, "book", SYMBOLS[1]).is_empty());
    bench.reset(1, ResetReason::Feed);
    bench.flush();
    let messages = bench.messages(conn);
    assert_eq!(of_channel(&messages, "book", SYMBOLS[1])[0]["data"][0]["reason"], "loop");
}

/// What a client is told that did not read while a replay went on elsewhere.
fn slow_over(reason: ResetReason, epoch: Epoch, channel: &str, until: u64) -> Vec<Value> {
    let mut bench = bench();
    let conn = bench.client(&request(channel, "conflate"));
    bench.messages(conn);
    bench.stall(conn, 0);
    change(&mut bench, 0, 77);
    bench.flush();
    bench.jump(epoch, reason);
    bench.reset(0, ResetReason::Feed);
    bench.flush();
    for qty in 1..until {
        change(&mut bench, 0, qty);
        bench.flush();
    }
    bench.drain(conn);
    bench.messages(conn)
}

#[test]
fn who_is_slow_is_not_merged_from_one_round_into_the_next() {
    // Before it reaches the number that the client had, and behind it.
    for until in [3, 60] {
        for (reason, epoch, said) in [(ResetReason::Loop, NEXT, "loop"), (ResetReason::Seek, EPOCH, "seek")] {
            let messages = slow_over(reason, epoch, "book", until);
            let books = of_channel(&messages, "book", SYMBOLS[0]);
            let last = books.last().unwrap();
            assert_eq!(
                (&last["type"], &last["data"][0]["reason"]),
                (&json!("snapshot"), &json!(said)),
                "{messages:?}"
            );
            assert_eq!(last["data"][0]["epoch"], epoch.to_string());
            let mut book = TextBook::new(10);
            book.apply(last);
            assert_eq!(book.last, 11 + 2 * (until - 1));
        }
    }
}

#[test]
fn slow_readers_of_trades_are_told_where_they_begin_anew() {
    let messages = slow_over(ResetReason::Loop, NEXT, "trade", 3);
    let trades = of_channel(&messages, "trade", SYMBOLS[0]);
    let begin = trades.iter().position(|trades| trades["reason"] == "loop").unwrap();
    assert!(trades[begin..].iter().all(|trades| trades["epoch"] == NEXT_TEXT), "{trades:?}");
}

#[test]
fn a_token_speaks_of_one_round() {
    let mut bench = bench();
    let subscribe = wanted(Channel::Book, &SYMBOLS, 10, None);
    let conn = bench.stream(Envelope::Sse, &[subscribe]);
    let last_id = |bench: &mut Bench, conn: ConnId| {
        let (events, _) = stream_events(&bench.text(conn));
        events.iter().rev().find_map(|(id, _)| id.clone()).expect("an id")
    };
    let (old, both) = (last_id(&mut bench, conn), [bench.seq(0), bench.seq(1)]);
    assert_eq!(old, format!("{EPOCH}:{}@10={},{}@10={}", SYMBOLS[0], both[0], SYMBOLS[1], both[1]));
    bench.jump(NEXT, ResetReason::Loop);
    bench.reset(0, ResetReason::Feed);
    bench.flush();
    // Of the second symbol this client has nothing in this round yet.
    assert_eq!(last_id(&mut bench, conn), format!("{NEXT_TEXT}:{}@10=11", SYMBOLS[0]));

    for qty in 1..40 {
        change(&mut bench, 0, qty);
    }
    bench.flush();
    let since = wanted(Channel::Book, &SYMBOLS[..1], 10, Some(&old));
    let conn = bench.stream(Envelope::Sse, &[since]);
    let (events, _) = stream_events(&bench.text(conn));
    assert_eq!(events[0].1["result"]["recovered"], false);
    assert_eq!(
        (&events[1].1["type"], &events[1].1["data"][0]["epoch"]),
        (&json!("snapshot"), &json!(NEXT_TEXT))
    );
}

fn image(symbol: u32, ids: Ids, seq: u64, position: u64) -> Image {
    let ladder = Ladder { bids: vec![Level { price: Price(9_999), qty: Qty(5) }], asks: Vec::new() };
    Image {
        symbol: SymbolId(symbol),
        ids,
        levels: Some(Arc::new(ladder)),
        mark: Mark { seq, event: 2, ..Mark::default() },
        stale: false,
        position,
        feed_time: market::Nanos(support::START),
    }
}

#[test]
fn a_worker_that_missed_the_beginning_of_a_round_learns_of_it_by_its_images() {
    let mut bench = bench();
    let conn = bench.client(&request("book", "conflate"));
    bench.send(conn, &request("trade", "conflate"));
    bench.messages(conn);
    bench.worker.lapped();
    // The numbers say nothing: the next round has come further than this worker was.
    let image = image(0, NEXT.into(), bench.seq(0) + 100, bench.position);
    bench.worker.install(&image, bench.now);
    bench.flush();
    let messages = bench.messages(conn);
    for channel in ["book", "trade"] {
        let told = of_channel(&messages, channel, SYMBOLS[0]);
        let told = if channel == "book" { &told[0]["data"][0] } else { told[0] };
        assert_eq!((&told["epoch"], &told["reason"]), (&json!(NEXT_TEXT), &json!("loop")), "{messages:?}");
    }
}

#[test]
fn what_an_image_of_the_next_round_says_is_not_undone_by_its_beginning() {
    let mut bench = bench();
    let conn = bench.client(&request("book", "conflate"));
    bench.messages(conn);
    bench.worker.lapped();
    let ahead = bench.position + 50;
    bench.worker.install(&image(1, EPOCH.into(), bench.seq(1), bench.position), bench.now);
    bench.worker.install(&image(0, NEXT.into(), 7, ahead), bench.now);
    // Still in the old round, of which the first symbol has nothing more.
    bench.exchange_event(1, &[level(Side::Bid, 9_990, 3)]);
    bench.flush();
    let messages = bench.messages(conn);
    let epochs = SYMBOLS
        .map(|symbol| of_channel(&messages, "book", symbol).last().unwrap()["data"][0]["epoch"].clone());
    assert_eq!(epochs, [NEXT_TEXT.to_owned(), EPOCH.to_string()]);
    bench.jump(NEXT, ResetReason::Loop);
    bench.reset(0, ResetReason::Feed);
    bench.position = ahead;
    let event = market::Event { symbol: SymbolId(0), seq: 8, last: true, ..level(Side::Bid, 9_998, 3) };
    bench.publish(event);
    bench.flush();
    let messages = bench.messages(conn);
    let update = of_channel(&messages, "book", SYMBOLS[0]);
    assert_eq!(update.len(), 1, "{messages:?}");
    assert_eq!((&update[0]["type"], &update[0]["data"][0]["seq"]), (&json!("update"), &json!(8)));
}

#[test]
fn tickers_go_on_where_a_replay_goes_on() {
    for reason in [ResetReason::Loop, ResetReason::Seek] {
        let mut bench = bench();
        let conn = bench.open_speaking(Dialect::Kraken);
        bench.send(conn, r#"{"method":"subscribe","params":{"channel":"ticker","symbol":["BTC/USDT"]}}"#);
        change(&mut bench, 0, 5);
        bench.tick(100);
        bench.flush();
        bench.messages(conn);
        bench.now = market::Nanos(support::START);
        bench.jump(NEXT, reason);
        bench.reset(0, ResetReason::Feed);
        change(&mut bench, 0, 6);
        bench.tick(100);
        bench.flush();
        let messages = bench.messages(conn);
        let ticker = messages.iter().find(|message| message["channel"] == "ticker");
        let volume = &ticker.unwrap_or_else(|| panic!("no ticker: {messages:?}"))["data"][0]["volume"];
        assert_eq!(volume.as_f64(), Some(0.00007), "what was before the jump counts no more");
    }
}
