//! What becomes of clients whose sockets do not drain, and of everybody else meanwhile.

mod support;

use market::{ResetReason, Side};
use serde_json::{Value, json};
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

#[test]
fn what_is_small_does_not_wait_for_room_for_snapshots() {
    let mut bench = Bench::new(Limits { batch_bytes: 500, private_bytes: 1_000, ..Limits::default() });
    bench.reset(0, ResetReason::Feed);
    let request = subscribe("BTC/USDT", 10, "");
    let conn = bench.client(&request);
    let mut book = TextBook::new(10);
    apply_all(&mut book, &bench.messages(conn));
    bench.stall(conn, 10);
    change(&mut bench, 1);
    stalled(&mut bench, &request);
    let waiting = bench.client(&request);
    change(&mut bench, 2);
    assert_eq!(bench.messages(waiting).len(), 1, "the answer");
    bench.drain(conn);
    apply_all(&mut book, &bench.messages(conn));
    assert_eq!((book.snapshots, book.last), (1, bench.seq(0)));
}

#[test]
fn stamps_changed_by_a_slow_client_leave_its_merge_flagged() {
    let mut bench = Bench::standing();
    let conn = bench.client(&subscribe("BTC/USDT", 10, ""));
    let mut book = TextBook::new(10);
    apply_all(&mut book, &bench.messages(conn));
    bench.stall(conn, 10);
    (1..=5).for_each(|qty| change(&mut bench, qty));
    bench.send(conn, &modify("\"stamps\":true"));
    (6..=9).for_each(|qty| change(&mut bench, qty));
    bench.drain(conn);
    let messages = bench.messages(conn);
    apply_all(&mut book, &messages);
    let merge = data(messages.last().unwrap());
    assert_eq!((&merge["conflated"], &merge["merged"]), (&json!(true), &json!(8)), "{messages:?}");
    assert_eq!((book.snapshots, book.last), (1, bench.seq(0)));
}

#[test]
fn a_slow_client_that_turns_lossless_is_merged_up_to_then_and_not_closed() {
    let mut bench = Bench::standing();
    let conn = bench.client(&subscribe("BTC/USDT", 10, ""));
    let mut book = TextBook::new(10);
    apply_all(&mut book, &bench.messages(conn));
    bench.stall(conn, 10);
    (1..=5).for_each(|qty| change(&mut bench, qty));
    bench.send(conn, &modify("\"policy\":\"lossless\""));
    (6..=9).for_each(|qty| change(&mut bench, qty));
    bench.drain(conn);
    (10..=12).for_each(|qty| change(&mut bench, qty));
    let messages = bench.messages(conn);
    apply_all(&mut book, &messages);
    assert_eq!((book.snapshots, book.last), (1, bench.seq(0)), "{messages:?}");
}

#[test]
fn stamps_changed_before_a_resume_was_sent_leave_it_safe_for_whatever_the_client_holds() {
    let mut bench = Bench::standing();
    let first = bench.client(&subscribe("BTC/USDT", 10, ""));
    let mut book = TextBook::new(10);
    apply_all(&mut book, &bench.messages(first));
    change(&mut bench, 500);
    apply_all(&mut book, &bench.messages(first));
    bench.worker.gone(first);
    // What changed by 500 changes back: between the token and now the net difference is nothing.
    change(&mut bench, 100);
    let conn = bench.open();
    bench.stall(conn, 10);
    bench.send(conn, &subscribe("BTC/USDT", 10, ",\"since\":\"9c41d7e0a25b7f3a:BTC/USDT@10=11\""));
    bench.send(conn, &modify("\"stamps\":true"));
    bench.drain(conn);
    let messages = bench.messages(conn);
    apply_all(&mut book, &messages);
    assert_eq!((book.snapshots, book.last), (1, bench.seq(0)));
}

#[test]
fn an_interval_chosen_before_the_first_snapshot_was_sent_is_what_that_snapshot_names() {
    let mut bench = Bench::standing();
    bench.tick(1_000);
    let conn = bench.open();
    bench.stall(conn, 10);
    change(&mut bench, 1);
    bench.send(conn, &subscribe("BTC/USDT", 10, ""));
    bench.send(conn, &modify("\"interval_ms\":1000"));
    bench.drain(conn);
    let messages = bench.messages(conn);
    let first = data(messages.last().unwrap());
    // The view of the bucket's beginning, which is before what was acknowledged.
    assert_eq!((&first["reason"], &first["seq"]), (&json!("modify"), &json!(11)), "{messages:?}");
}

#[test]
fn lossless_resumes_with_every_message_that_is_still_held() {
    let mut bench = Bench::standing();
    let lossless = subscribe("BTC/USDT", 10, ",\"policy\":\"lossless\"");
    let slow = bench.client(&lossless);
    bench.stall(slow, 10);
    let first = bench.client(&lossless);
    let mut book = TextBook::new(10);
    // The first is partly written to the slow one; from the second on they are held for it.
    (1..=2).for_each(|qty| change(&mut bench, qty));
    apply_all(&mut book, &bench.messages(first));
    bench.worker.gone(first);
    (3..=6).for_each(|qty| change(&mut bench, qty));
    let token = format!(",\"policy\":\"lossless\",\"since\":\"9c41d7e0a25b7f3a:BTC/USDT@10={}\"", book.last);
    let conn = bench.client(&subscribe("BTC/USDT", 10, &token));
    let messages = bench.messages(conn);
    assert_eq!(messages[0]["result"]["recovered"], true);
    assert_eq!(messages.len(), 1 + 4, "each change is a message of its own");
    apply_all(&mut book, &messages);
    assert_eq!((book.snapshots, book.last), (1, bench.seq(0)));
}

#[test]
fn who_resumes_in_the_middle_of_a_bucket_gets_its_end_whatever_it_holds() {
    let mut bench = Bench::standing();
    bench.tick(1_000);
    let first = bench.client(&subscribe("BTC/USDT", 10, ""));
    let mut book = TextBook::new(10);
    change(&mut bench, 500);
    apply_all(&mut book, &bench.messages(first));
    bench.worker.gone(first);
    // The token is of another channel that was not as far; within the bucket the level changes back.
    let resume = ",\"interval_ms\":1000,\"since\":\"9c41d7e0a25b7f3a:BTC/USDT@10=11\"";
    let conn = bench.client(&subscribe("BTC/USDT", 10, resume));
    change(&mut bench, 100);
    bench.exchange_event(0, &[level(Side::Ask, 10_001, 9)]);
    bench.tick(1_000);
    bench.flush();
    apply_all(&mut book, &bench.messages(conn));
    assert_eq!((book.snapshots, book.last), (1, bench.seq(0)));
}
