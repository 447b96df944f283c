//! Subscriptions with an interval: buckets of feed time, and who joins in the middle of one.

mod support;

use market::{Event, Kind, ResetReason, Side};
use serde_json::{Value, json};
use support::{Bench, TextBook, level};

fn data(message: &Value) -> &Value {
    &message["data"][0]
}

fn subscribe(more: &str) -> String {
    format!(r#"{{"method":"subscribe","params":{{"channel":"book","symbol":"BTC/USDT","depth":10{more}}}}}"#)
}

#[test]
fn clients_at_every_depth_and_interval_keep_a_right_book() {
    let mut bench = Bench::standing();
    let mut clients = Vec::new();
    for depth in [1, 5, 10, 0] {
        for interval in [0, 10, 100] {
            let request = format!(
                r#"{{"method":"subscribe","params":{{"channel":"book","symbol":"BTC/USDT","depth":{depth},"interval_ms":{interval}}}}}"#
            );
            clients.push((bench.client(&request), TextBook::new(depth)));
        }
    }
    // A plain generator: any numbers do.
    let mut state = 1u64;
    let mut next = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    for _ in 0..2_000 {
        let count = 1 + next(3);
        let mut events = Vec::new();
        for _ in 0..count {
            let side = if next(2) == 0 { Side::Bid } else { Side::Ask };
            let price = if side == Side::Bid { 10_000 - next(15) as i64 } else { 10_001 + next(15) as i64 };
            events.push(level(side, price, next(4) * 10));
        }
        bench.exchange_event(0, &events);
        if next(3) == 0 {
            bench.tick(next(8));
        }
        if next(4) == 0 {
            bench.flush();
        }
    }
    bench.tick(1_000);
    bench.flush();
    for (conn, mut book) in clients {
        bench.messages(conn).iter().for_each(|message| book.apply(message));
        let late = bench.client(&format!(
            r#"{{"method":"subscribe","params":{{"channel":"book","symbol":"BTC/USDT","depth":{}}}}}"#,
            book.depth
        ));
        let mut fresh = TextBook::new(book.depth);
        bench.messages(late).iter().for_each(|message| fresh.apply(message));
        assert_eq!((&book.bids, &book.asks), (&fresh.bids, &fresh.asks), "depth {}", book.depth);
        assert_eq!(book.snapshots, 1, "in step from one snapshot on");
    }
}

#[test]
fn a_client_that_joins_in_an_open_bucket_is_in_step_at_its_end() {
    let mut bench = Bench::standing();
    let request =
        r#"{"method":"subscribe","params":{"channel":"book","symbol":"BTC/USDT","interval_ms":100}}"#;
    bench.tick(100);
    let early = bench.client(request);
    bench.exchange_event(0, &[level(Side::Bid, 9_990, 5)]);
    let late = bench.client(request);
    bench.exchange_event(0, &[level(Side::Bid, 9_991, 5)]);
    bench.tick(100);
    bench.flush();
    let (early, late) = (bench.messages(early), bench.messages(late));
    assert_eq!(data(&early[1])["seq"], data(&late[1])["seq"], "both snapshots are of the bucket's start");
    assert_eq!(early[2..], late[2..], "equal bytes after it");
    assert_eq!(early.len(), 3);
}

#[test]
fn who_joins_a_bucket_in_which_the_book_was_written_anew_gets_the_snapshot_of_its_end() {
    let mut bench = Bench::standing();
    let request =
        r#"{"method":"subscribe","params":{"channel":"book","symbol":"BTC/USDT","interval_ms":100}}"#;
    bench.tick(100);
    let early = bench.client(request);
    bench.messages(early);
    bench.exchange_event(0, &[level(Side::Bid, 9_990, 5)]);
    bench.reset(0, ResetReason::Feed);
    let late = bench.client(request);
    bench.flush();
    assert_eq!(bench.messages(late).len(), 1, "only the answer: the view of the bucket's start is gone");
    bench.tick(100);
    bench.flush();
    for conn in [early, late] {
        let messages = bench.messages(conn);
        assert_eq!((messages.len(), &data(&messages[0])["seq"]), (1, &json!(bench.seq(0))));
        TextBook::new(10).apply(&messages[0]);
    }
}

#[test]
fn the_end_of_the_feed_ends_the_open_bucket() {
    let mut bench = Bench::standing();
    let conn = bench.client(
        r#"{"method":"subscribe","params":{"channel":"book","symbol":"BTC/USDT","interval_ms":1000}}"#,
    );
    let mut book = TextBook::new(10);
    bench.messages(conn).iter().for_each(|message| book.apply(message));
    bench.exchange_event(0, &[level(Side::Bid, 9_990, 5)]);
    bench.publish(Event::new(Kind::FeedEnded));
    bench.flush();
    let messages = bench.messages(conn);
    book.apply(&messages[0]);
    assert_eq!(book.last, bench.seq(0));
    assert_eq!(data(&messages[1])["event"], "feed_ended");
}

#[test]
fn who_resumes_in_a_bucket_that_comes_to_nothing_is_told_what_it_held_of_it() {
    let mut bench = Bench::standing();
    bench.tick(1_000);
    let before = bench.seq(0);
    let keeps_the_bucket_open = bench.client(&subscribe(",\"interval_ms\":1000"));
    bench.messages(keeps_the_bucket_open);
    bench.exchange_event(0, &[level(Side::Bid, 10_000, 500)]);
    bench.flush();
    // Its token is of the bucket's beginning, but it has seen the change.
    let first = bench.client(&subscribe(""));
    let mut book = TextBook::new(10);
    bench.messages(first).iter().for_each(|message| book.apply(message));
    bench.worker.gone(first);
    let since = format!(",\"interval_ms\":1000,\"since\":\"9c41d7e0a25b7f3a:BTC/USDT@10={before}\"");
    let conn = bench.client(&subscribe(&since));
    bench.exchange_event(0, &[level(Side::Bid, 10_000, 100)]);
    bench.tick(1_000);
    bench.flush();
    assert!(bench.messages(keeps_the_bucket_open).is_empty(), "for whoever saw nothing of it, it is nothing");
    bench.messages(conn).iter().for_each(|message| book.apply(message));
    assert_eq!((book.snapshots, book.last), (1, bench.seq(0)));
    // The next message is neither late nor said twice.
    bench.exchange_event(0, &[level(Side::Bid, 10_000, 700)]);
    bench.tick(1_000);
    bench.flush();
    let messages = bench.messages(conn);
    assert_eq!(data(&messages[0])["first_seq"], json!(book.last + 1));
    messages.iter().for_each(|message| book.apply(message));
    assert_eq!(book.last, bench.seq(0));
}
