//! What becomes of clients whose sockets do not drain, and of everybody else meanwhile.

mod support;

use market::{ResetReason, Side};
use serde_json::Value;
use session::{ConnId, Limits};
use support::{Bench, TextBook, level};

fn data(message: &Value) -> &Value {
    &message["data"][0]
}

fn subscribe(symbol: &str, depth: u32, more: &str) -> String {
    format!(
        r#"{{"method":"subscribe","params":{{"channel":"book","symbol":"{symbol}","depth":{depth}{more}}}}}"#
    )
}

fn modify(params: &str) -> String {
    format!(r#"{{"method":"modify","params":{{"channel":"book","symbol":"BTC/USDT",{params}}}}}"#)
}

/// A bench of two books, with private messages of more than a few bytes bounded together.
fn narrow(private_bytes: usize) -> Bench {
    let mut bench = Bench::new(Limits { batch_bytes: 100, private_bytes, ..Limits::default() });
    bench.reset(0, ResetReason::Feed);
    bench.reset(1, ResetReason::Feed);
    bench.flush();
    bench
}

/// Changes the best bid, ends the turn.
fn change(bench: &mut Bench, qty: u64) {
    bench.exchange_event(0, &[level(Side::Bid, 10_000, qty)]);
    bench.flush();
}

/// Subscribes over a socket that takes the answer and a few bytes more.
fn stalled(bench: &mut Bench, request: &str) -> ConnId {
    let conn = bench.open();
    bench.stall(conn, 300);
    bench.send(conn, request);
    conn
}

fn apply_all(book: &mut TextBook, messages: &[Value]) {
    messages.iter().for_each(|message| book.apply(message));
}

#[test]
fn what_was_made_for_one_topic_never_goes_to_another_that_got_its_number() {
    let mut bench = Bench::standing();
    bench.reset(1, ResetReason::Feed);
    change(&mut bench, 77);
    let conn = bench.client(&subscribe("BTC/USDT", 10, ""));
    bench.send(conn, r#"{"method":"unsubscribe","params":{"channel":"book","symbol":"BTC/USDT"}}"#);
    bench.send(conn, &subscribe("ETH/USDT", 5, ""));
    let messages = bench.messages(conn);
    assert_eq!(data(messages.last().unwrap())["symbol"], "ETH/USDT", "{messages:?}");
}

#[test]
fn depth_changed_twice_between_two_turns_is_the_depth_asked_for_last() {
    let mut bench = Bench::standing();
    let conn = bench.client(&subscribe("BTC/USDT", 10, ""));
    for (depth, levels) in [(1, 1), (100, 5), (25, 5), (1, 1)] {
        bench.messages(conn);
        bench.send(conn, &modify(&format!("\"depth\":{depth}")));
        let mut book = TextBook::new(depth);
        apply_all(&mut book, &bench.messages(conn));
        assert_eq!(book.bids.len(), levels, "at depth {depth}");
    }
}

#[test]
fn a_large_snapshot_that_its_client_never_read_is_no_burden_once_the_client_is_gone() {
    let mut bench = narrow(1_000);
    for _ in 0..5 {
        let conn = stalled(&mut bench, &subscribe("BTC/USDT", 10, ""));
        bench.worker.gone(conn);
    }
    let conn = bench.client(&subscribe("BTC/USDT", 10, ""));
    bench.flush();
    let mut book = TextBook::new(10);
    apply_all(&mut book, &bench.messages(conn));
    assert_eq!(book.snapshots, 1);
}

#[test]
fn who_waits_for_room_for_a_snapshot_gets_one_as_of_then() {
    let mut bench = narrow(1_000);
    let holder = stalled(&mut bench, &subscribe("BTC/USDT", 10, ""));
    let conn = bench.client(&subscribe("BTC/USDT", 10, ""));
    assert_eq!(bench.messages(conn).len(), 1, "the answer; the snapshot waits");
    for qty in 1..4 {
        change(&mut bench, qty);
    }
    bench.drain(holder);
    // Somebody else gets a snapshot between two turns; then the turn brings news.
    bench.client(&subscribe("BTC/USDT", 10, ""));
    change(&mut bench, 9);
    change(&mut bench, 10);
    let mut book = TextBook::new(10);
    apply_all(&mut book, &bench.messages(conn));
    assert_eq!((book.snapshots, book.last), (1, bench.seq(0)));
}
